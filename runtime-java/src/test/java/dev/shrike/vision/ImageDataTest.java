package dev.shrike.vision;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.SourceException;
import java.awt.image.BufferedImage;
import java.awt.image.IndexColorModel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.DeflaterOutputStream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is proved of the data of JPEG and PNG before they are decoded, and what the decoder then sees. */
class ImageDataTest {
    private static final int RESTART = 4; // IMWRITE_JPEG_RST_INTERVAL
    private static final int PROGRESSIVE = 2; // IMWRITE_JPEG_PROGRESSIVE
    private static final int WIDTH = 83;
    private static final int HEIGHT = 57;

    @TempDir
    Path folder;

    private static byte[] noise(int... settings) {
        Frame frame = Frame.allocate(WIDTH, HEIGHT);
        byte[] levels = new byte[3 * WIDTH * HEIGHT];
        new Random(7).nextBytes(levels);
        frame.pixels().copyFrom(MemorySegment.ofArray(levels));
        OpenCvLibrary.require();
        return OpenCv.encode(frame.pixels(), WIDTH, HEIGHT, ".jpg", "noise.jpg", settings);
    }

    private static byte[] pixels(byte[] file) {
        return SampleImages.decode(file, "image").pixels().toArray(ValueLayout.JAVA_BYTE);
    }

    private static String refused(byte[] file) {
        return assertThrows(SourceException.class, () -> SampleImages.decode(file, "bad")).getMessage();
    }

    /** Positions of the markers of a code. */
    private static int[] markers(byte[] jpeg, int least, int most) {
        int start = SampleImages.indexOf(jpeg, 0xff, 0xda);
        return java.util.stream.IntStream.range(start + 2, jpeg.length - 1).filter(
                at -> jpeg[at] == -1 && (jpeg[at + 1] & 255) >= least && (jpeg[at + 1] & 255) <= most).toArray();
    }

    /** Some cameras end their data with a few bytes too many; the decoder passes over them, and would say so. */
    @Test
    void bytesThatNoBlockWantsDoNoHarm() throws Exception {
        byte[] excess = {1, 2, 3, (byte) 0xff, 0, 4};
        byte[] restarts = noise(RESTART, 2);
        int[] marks = markers(restarts, 0xd0, 0xd9);
        assertTrue(marks.length > 10, "restart markers and the end: " + marks.length);
        Path[] files = new Path[marks.length + 2];
        for (int i = 0; i < marks.length; i++) {
            byte[] longer = SampleImages.spliced(restarts, marks[i], excess);
            assertArrayEquals(pixels(restarts), pixels(longer), "excess at " + marks[i]);
            files[i] = Files.write(folder.resolve(i + ".jpg"), longer);
        }
        byte[] progressive = noise(PROGRESSIVE, 1);
        int end = progressive.length - 2;
        byte[] longer = SampleImages.spliced(progressive, end, excess);
        assertArrayEquals(pixels(progressive), pixels(longer));
        files[marks.length] = Files.write(folder.resolve("p.jpg"), longer);
        files[marks.length + 1] = Files.write(folder.resolve("p.png"), withOddProfile());
        assertEquals("", errorOutputOfReading(files));
    }

    /** A PNG with a colour profile that the library behind OpenCV warns of, as many editors write. */
    private static byte[] withOddProfile() {
        ByteArrayOutputStream profile = new ByteArrayOutputStream();
        profile.writeBytes("ICC Profile\0\0".getBytes(StandardCharsets.US_ASCII));
        byte[] odd = new byte[200];
        ByteBuffer.wrap(odd).putInt(odd.length);
        try (DeflaterOutputStream packed = new DeflaterOutputStream(profile)) {
            packed.write(odd);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return SampleImages.withChunk(SampleImages.encoded(".png", 9, 7), "iCCP", profile.toByteArray());
    }

    private static String errorOutputOfReading(Path... files) throws IOException, InterruptedException {
        ProcessBuilder builder = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                ReadImages.class.getName());
        Arrays.stream(files).map(Path::toString).forEach(builder.command()::add);
        Process process = builder.start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes());
        String errors = new String(process.getErrorStream().readAllBytes());
        assertEquals(0, process.waitFor(), errors);
        assertEquals(files.length, out.lines().filter(line -> line.matches(".*: \\d+x\\d+")).count(), out);
        return errors;
    }

    @Test
    void aLostRestartIntervalIsTold() {
        byte[] restarts = noise(RESTART, 2);
        int[] marks = markers(restarts, 0xd0, 0xd7);
        for (int i = 0; i + 1 < marks.length; i++) {
            byte[] lacking = Arrays.copyOf(restarts, restarts.length - (marks[i + 1] - marks[i]));
            System.arraycopy(restarts, marks[i + 1], lacking, marks[i], restarts.length - marks[i + 1]);
            assertTrue(refused(lacking).contains("restart marker " + (i + 1) % 8 + " stands where " + i % 8), "" + i);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void bitsThatAreNoCodeAreTold(int progressive) {
        byte[] jpeg = noise(PROGRESSIVE, progressive);
        int start = SampleImages.indexOf(jpeg, 0xff, 0xda) + 40;
        for (int at = start; at < start + 40; at += 2) {
            jpeg[at] = (byte) 0xff;
            jpeg[at + 1] = 0;
        }
        assertTrue(refused(jpeg).contains("JPEG of 83x57 has data that cannot be decoded"), refused(jpeg));
    }

    @Test
    void tablesAndScansThatAreNoneAreTold() {
        byte[] jpeg = noise();
        byte[] many = jpeg.clone();
        Arrays.fill(many, SampleImages.indexOf(many, 0xff, 0xc4) + 5, SampleImages.indexOf(many, 0xff, 0xc4) + 9,
                (byte) 200);
        assertTrue(refused(many).contains("JPEG Huffman table at byte "), refused(many));
        byte[] unknown = jpeg.clone();
        unknown[SampleImages.indexOf(unknown, 0xff, 0xda) + 5] = 77;
        assertTrue(refused(unknown).contains("unknown component 77"), refused(unknown));
        byte[] sampling = jpeg.clone();
        sampling[SampleImages.indexOf(sampling, 0xff, 0xc0) + 11] = 0;
        assertTrue(refused(sampling).contains("sampling factors 0x0"), refused(sampling));
    }

    @Test
    void interlacedAndPalettePngsAreRead() throws IOException {
        for (int type : new int[] {BufferedImage.TYPE_3BYTE_BGR, BufferedImage.TYPE_BYTE_GRAY,
                BufferedImage.TYPE_BYTE_INDEXED, BufferedImage.TYPE_BYTE_BINARY, BufferedImage.TYPE_4BYTE_ABGR,
                BufferedImage.TYPE_USHORT_GRAY}) {
            for (int[] size : new int[][] {{1, 1}, {3, 2}, {5, 9}, {33, 17}}) {
                BufferedImage image = new BufferedImage(size[0], size[1], type);
                for (int i = 0; i < size[0] * size[1]; i++) {
                    image.setRGB(i % size[0], i / size[0], 0xff000000 | i * 77_777);
                }
                byte[] plain = png(image, false);
                byte[] interlaced = png(image, true);
                assertArrayEquals(pixels(plain), pixels(interlaced), "type " + type + " of " + size[0]);
                assertTrue(refused(withoutLastRow(interlaced)).contains("lacks a part of its data"));
            }
        }
    }

    private static byte[] png(BufferedImage image, boolean interlaced) throws IOException {
        ImageWriter writer = ImageIO.getImageWritersByFormatName("png").next();
        ImageWriteParam settings = writer.getDefaultWriteParam();
        settings.setProgressiveMode(interlaced ? ImageWriteParam.MODE_DEFAULT : ImageWriteParam.MODE_DISABLED);
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        try (var out = ImageIO.createImageOutputStream(file)) {
            writer.setOutput(out);
            writer.write(null, new IIOImage(image, null, null), settings);
        } finally {
            writer.dispose();
        }
        return file.toByteArray();
    }

    /** The PNG with data that are a whole stream for zlib, but a byte too short for the image. */
    private static byte[] withoutLastRow(byte[] png) throws IOException {
        byte[] rows = unpacked(png);
        return withData(png, Arrays.copyOf(rows, rows.length - 1));
    }

    private static byte[] unpacked(byte[] png) throws IOException {
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        for (int at = 8; at < png.length; at += 12 + ByteBuffer.wrap(png).getInt(at)) {
            if (new String(png, at + 4, 4, StandardCharsets.US_ASCII).equals("IDAT")) {
                data.write(png, at + 8, ByteBuffer.wrap(png).getInt(at));
            }
        }
        return new java.util.zip.InflaterInputStream(new java.io.ByteArrayInputStream(data.toByteArray()))
                .readAllBytes();
    }

    private static byte[] withData(byte[] png, byte[] rows) throws IOException {
        ByteArrayOutputStream packed = new ByteArrayOutputStream();
        try (DeflaterOutputStream out = new DeflaterOutputStream(packed)) {
            out.write(rows);
        }
        byte[] header = Arrays.copyOf(png, SampleImages.indexOf(png, 'I', 'D', 'A', 'T') - 4);
        ByteBuffer chunk = ByteBuffer.allocate(12 + packed.size());
        chunk.putInt(packed.size()).put("IDAT".getBytes(StandardCharsets.US_ASCII)).put(packed.toByteArray());
        byte[] end = {0, 0, 0, 0, 'I', 'E', 'N', 'D', (byte) 0xae, 0x42, 0x60, (byte) 0x82};
        byte[] file = SampleImages.spliced(header, header.length, SampleImages.repairChecksum(chunk.array(), 0));
        return SampleImages.spliced(file, file.length, end);
    }

    @Test
    void filtersAndChunksThatAreNoneAreTold() throws IOException {
        byte[] png = SampleImages.encoded(".png", 8, 6);
        byte[] rows = unpacked(png);
        assertArrayEquals(pixels(png), pixels(withData(png, rows)));
        rows[2 * (1 + 3 * 8)] = 7;
        assertTrue(refused(withData(png, rows)).contains("PNG of 8x6 has data that cannot be decoded"));
        assertTrue(refused(SampleImages.withChunk(png, "ABCD", new byte[3])).contains("unknown chunk ABCD"));
        byte[] indexed = png(new BufferedImage(4, 4, BufferedImage.TYPE_BYTE_INDEXED), false);
        int palette = SampleImages.indexOf(indexed, 'P', 'L', 'T', 'E') - 4;
        int length = 12 + ByteBuffer.wrap(indexed).getInt(palette);
        byte[] without = Arrays.copyOf(indexed, indexed.length - length);
        System.arraycopy(indexed, palette + length, without, palette, indexed.length - palette - length);
        assertTrue(refused(without).contains("no palette"), refused(without));
    }

    @Test
    void restartMarkersOutOfTurnAreRefused() {
        byte[] jpeg = noise(RESTART, 2);
        int[] marks = markers(jpeg, 0xd0, 0xd7);
        for (int i = 0; i < marks.length; i++) {
            byte[] other = jpeg.clone();
            other[marks[i] + 1] = (byte) (0xd0 + (i + 3) % 8);
            assertTrue(refused(other).contains("restart marker " + (i + 3) % 8 + " stands where " + i % 8 + " belongs"),
                    refused(other));
        }
    }

    @Test
    void kindsOfJpegThatCannotBeProvedAreRefusedAsSuch() {
        for (int kind : new int[] {0xc3, 0xc5, 0xc9, 0xca, 0xcb, 0xcd}) {
            byte[] jpeg = noise();
            jpeg[SampleImages.indexOf(jpeg, 0xff, 0xc0) + 1] = (byte) kind;
            assertTrue(refused(jpeg).contains("arithmetic coding, or lossless, is not supported: save it as"),
                    refused(jpeg));
        }
        byte[] deep = noise();
        deep[SampleImages.indexOf(deep, 0xff, 0xc0) + 4] = 12;
        assertTrue(refused(deep).contains("with 12 bits a sample is not supported"), refused(deep));
    }

    /** Whatever the filter of a row, indices are those of pixels. */
    @Test
    void coloursThatThePaletteLacksAreRefused() throws IOException {
        for (boolean interlaced : new boolean[] {false, true}) {
            BufferedImage image = new BufferedImage(37, 23, BufferedImage.TYPE_BYTE_INDEXED);
            Random random = new Random(3);
            for (int i = 0; i < 37 * 23; i++) {
                image.getRaster().setSample(i % 37, i / 37, 0, random.nextInt(100));
            }
            image.getRaster().setSample(30, 20, 0, 100);
            byte[] png = png(image, interlaced);
            byte[] filtered = interlaced ? png : withData(png, filtered(rows(image), 37));
            assertArrayEquals(pixels(png), pixels(filtered));
            assertArrayEquals(pixels(png), pixels(withColours(filtered, 101)));
            assertTrue(refused(withColours(filtered, 100)).contains("pixels of colour 100, and a palette of 100"),
                    refused(withColours(filtered, 100)));
            byte[] levels = {10, (byte) 200};
            BufferedImage two = new BufferedImage(11, 5, BufferedImage.TYPE_BYTE_BINARY,
                    new IndexColorModel(1, 2, levels, new byte[2], new byte[2]));
            byte[] first = png(two, interlaced);
            two.getRaster().setSample(10, 4, 0, 1);
            byte[] both = png(two, interlaced);
            assertArrayEquals(pixels(first), pixels(withColours(first, 1)));
            assertTrue(refused(withColours(both, 1)).contains("pixels of colour 1, and a palette of 1"));
        }
    }

    /** The PNG with the first colours of its palette. */
    private static byte[] withColours(byte[] png, int colours) {
        int at = SampleImages.indexOf(png, 'P', 'L', 'T', 'E') - 4;
        int length = ByteBuffer.wrap(png).getInt(at);
        ByteBuffer chunk = ByteBuffer.allocate(12 + 3 * colours).putInt(3 * colours).put(png, at + 4, 4 + 3 * colours);
        byte[] start = SampleImages.spliced(Arrays.copyOf(png, at), at,
                SampleImages.repairChecksum(chunk.array(), 0));
        return SampleImages.spliced(start, start.length, Arrays.copyOfRange(png, at + 12 + length, png.length));
    }

    /** Indices with a filter of none before each row. */
    private static byte[] rows(BufferedImage image) {
        int width = image.getWidth();
        byte[] rows = new byte[(width + 1) * image.getHeight()];
        for (int i = 0; i < width * image.getHeight(); i++) {
            rows[i / width * (width + 1) + 1 + i % width] = (byte) image.getRaster().getSample(i % width, i / width, 0);
        }
        return rows;
    }

    /** Rows of one byte a pixel without filters, with all filters in turn (ISO/IEC 15948, table 9.1). */
    private static byte[] filtered(byte[] rows, int width) {
        byte[] result = rows.clone();
        for (int y = 0; y < rows.length / (width + 1); y++) {
            int start = y * (width + 1);
            result[start] = (byte) (y % 5);
            for (int x = 1; x <= width; x++) {
                int left = x > 1 ? rows[start + x - 1] & 255 : 0;
                int up = y > 0 ? rows[start + x - width - 1] & 255 : 0;
                int corner = x > 1 && y > 0 ? rows[start + x - width - 2] & 255 : 0;
                int nearest = left + up - corner;
                int paeth = Math.abs(nearest - left) <= Math.abs(nearest - up)
                        && Math.abs(nearest - left) <= Math.abs(nearest - corner) ? left
                                : Math.abs(nearest - up) <= Math.abs(nearest - corner) ? up : corner;
                int predicted = switch (y % 5) {
                    case 1 -> left;
                    case 2 -> up;
                    case 3 -> (left + up) / 2;
                    case 4 -> paeth;
                    default -> 0;
                };
                result[start + x] -= (byte) predicted;
            }
        }
        return result;
    }
}
