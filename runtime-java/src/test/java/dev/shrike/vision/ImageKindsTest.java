package dev.shrike.vision;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.SourceException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Kinds of images that cameras and converters make, each right or refused by a sentence. */
class ImageKindsTest {
    private static final int PROGRESSIVE = 2; // IMWRITE_JPEG_PROGRESSIVE
    private static final int RESTART = 4; // IMWRITE_JPEG_RST_INTERVAL

    @TempDir
    Path folder;

    private enum JpegKind {
        BASELINE,
        SCANS,
        RESTARTS
    }

    /** Noise, so that every byte of the data matters. */
    private static byte[] noise(JpegKind kind) {
        Frame frame = Frame.allocate(67, 45);
        byte[] levels = new byte[3 * 67 * 45];
        new Random(5).nextBytes(levels);
        frame.pixels().copyFrom(java.lang.foreign.MemorySegment.ofArray(levels));
        OpenCvLibrary.require();
        int[] settings = switch (kind) {
            case BASELINE -> new int[0];
            case SCANS -> new int[] {PROGRESSIVE, 1};
            case RESTARTS -> new int[] {RESTART, 3};
        };
        return OpenCv.encode(frame.pixels(), 67, 45, ".jpg", "noise.jpg", settings);
    }

    private static byte[] pixels(Frame frame) {
        return frame.pixels().toArray(ValueLayout.JAVA_BYTE);
    }

    /** With all its data a JPEG is read without its end, to the bit as with it; with a byte less it is refused. */
    @ParameterizedTest
    @EnumSource(JpegKind.class)
    void aJpegMayLackItsEndMarkerAndNothingElse(JpegKind kind) {
        byte[] whole = noise(kind);
        byte[] expected = pixels(SampleImages.decode(whole, "whole"));
        for (int missing = 1; missing <= 2; missing++) {
            byte[] part = Arrays.copyOf(whole, whole.length - missing);
            assertArrayEquals(expected, pixels(SampleImages.decode(part, "part")), kind + " without " + missing);
        }
        for (int length = 2; length < whole.length - 2; length += length < whole.length - 40 ? 37 : 1) {
            byte[] part = Arrays.copyOf(whole, length);
            String message = assertThrows(SourceException.class, () -> SampleImages.decode(part, "bad"),
                    kind + " of " + length + " of " + whole.length).getMessage();
            assertTrue(message.startsWith("bad: ") && message.contains("truncated") || length < 4, message);
        }
    }

    /** A progressive JPEG that ends behind any scan but the last lacks detail, which no decoder tells. */
    @Test
    void aJpegThatLacksWholeScansIsTruncated() {
        byte[] whole = noise(JpegKind.SCANS);
        int scans = 0;
        for (int at = 2; at + 1 < whole.length - 2; at++) {
            if ((whole[at] & 255) == 0xff && ((whole[at + 1] & 255) == 0xc4 || (whole[at + 1] & 255) == 0xda)) {
                byte[] part = Arrays.copyOf(whole, at);
                assertThrows(SourceException.class, () -> SampleImages.decode(part, "bad"));
                scans++;
            }
        }
        assertTrue(scans > 10, "a progressive image has several scans: " + scans);
    }

    /** Space on a disk that was never written is full of zeros, which are valid data to a decoder. */
    @ParameterizedTest
    @EnumSource(JpegKind.class)
    void aJpegWhoseEndIsZerosIsTruncated(JpegKind kind) {
        byte[] whole = noise(kind);
        for (int from : new int[] {whole.length / 2, whole.length - 100, whole.length - 10}) {
            byte[] part = whole.clone();
            Arrays.fill(part, from, part.length, (byte) 0);
            assertThrows(SourceException.class, () -> SampleImages.decode(part, "bad"), kind + " from " + from);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 0", "2, 0, 0", "3, 0, 1", "4, 1, 1", "5, 0, 1", "6, 1, 1", "7, 1, 0", "8, 0, 0"})
    void everyFormatIsTurnedByItsOrientation(int orientation, int redX, int redY) {
        byte[] exif = SampleImages.exif(orientation);
        byte[] prefixed = SampleImages.spliced(exif, 0, new byte[] {'E', 'x', 'i', 'f', 0, 0});
        byte[] webp = SampleImages.encoded(".webp", 64, 32);
        byte[] png = SampleImages.encoded(".png", 64, 32);
        assertTurned(WebpFiles.withExif(webp, 64, 32, exif), orientation, redX, redY);
        assertTurned(WebpFiles.withExif(webp, 64, 32, prefixed), orientation, redX, redY);
        assertTurned(SampleImages.withChunk(png, "eXIf", exif), orientation, redX, redY);
        for (ByteOrder order : new ByteOrder[] {ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN}) {
            assertTurned(TiffFiles.gradient(order, 64, 32, orientation), orientation, redX, redY);
        }
    }

    private static void assertTurned(byte[] file, int orientation, int redX, int redY) {
        Frame frame = SampleImages.decode(file, "turned");
        assertEquals(orientation >= 5 ? 32 : 64, frame.width());
        assertEquals(orientation >= 5 ? 64 : 32, frame.height());
        int x = redX * (frame.width() - 1);
        int y = redY * (frame.height() - 1);
        assertEquals(255, SampleImages.level(frame, x, y, 2), "red at the corner");
        assertEquals(0, SampleImages.level(frame, x, y, 1), "no green at the corner");
    }

    @Test
    void metadataThatMakeNoSenseTurnNothing() {
        byte[] webp = SampleImages.encoded(".webp", 64, 32);
        for (byte[] exif : new byte[][] {{}, {1, 2, 3}, SampleImages.exif(0), SampleImages.exif(9),
                Arrays.copyOf(SampleImages.exif(6), 12), "MM\0*\377\377\377\377".getBytes(
                        java.nio.charset.StandardCharsets.ISO_8859_1)}) {
            assertEquals(64, SampleImages.decode(WebpFiles.withExif(webp, 64, 32, exif), "odd").width());
        }
    }

    @Test
    void ofAnAnimationTheFirstFrameIsRead() throws IOException {
        byte[] still = SampleImages.encoded(".webp", 20, 14);
        byte[] file = WebpFiles.animated(still, 40, 30, 4, 6, 3);
        Frame frame = SampleImages.decode(file, "animation");
        assertEquals(40, frame.width());
        assertEquals(30, frame.height());
        Frame expected = SampleImages.gradient(20, 14);
        for (int y = 0; y < 30; y++) {
            for (int x = 0; x < 40; x++) {
                boolean inside = x >= 4 && x < 24 && y >= 6 && y < 20;
                assertEquals(inside ? SampleImages.level(expected, x - 4, y - 6, 2) : 0,
                        SampleImages.level(frame, x, y, 2), x + ", " + y);
            }
        }
        assertEquals(3, Images.count(Files.write(folder.resolve("a.webp"), file)));
        byte[] lossy = WebpFiles.animated(SampleImages.lossyWebp(21, 13), 21, 13, 0, 0, 2);
        assertEquals(21, SampleImages.decode(lossy, "lossy").width());
        for (int length = 30; length < file.length; length++) {
            byte[] part = Arrays.copyOf(file, length);
            assertThrows(SourceException.class, () -> SampleImages.decode(part, "bad"));
        }
        byte[] outside = WebpFiles.animated(still, 40, 30, 30, 6, 1);
        assertTrue(message(outside).contains("beyond its canvas of 40x30"), message(outside));
    }

    @Test
    void ofAnAnimatedPngTheStillImageIsRead() throws IOException {
        byte[] control = ByteBuffer.allocate(8).putInt(5).putInt(0).array();
        byte[] file = SampleImages.withChunk(SampleImages.encoded(".png", 9, 8), "acTL", control);
        assertEquals(9, SampleImages.decode(file, "animated.png").width());
        assertEquals(5, Images.count(Files.write(folder.resolve("a.png"), file)));
        assertEquals(1, Images.count(Files.write(folder.resolve("b.jpg"), SampleImages.encoded(".jpg", 9, 8))));
    }

    @Test
    void ofSeveralPagesTheFirstIsRead() throws IOException {
        byte[] file = TiffFiles.pages(3);
        assertEquals(8, SampleImages.decode(file, "pages").width());
        assertEquals(3, Images.count(Files.write(folder.resolve("a.tif"), file)));
        // A chain that ends in itself.
        int next = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).getInt(4) + 2 + 11 * 12;
        ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN).putInt(next, next - 2 - 11 * 12);
        assertEquals(8, SampleImages.decode(file, "circle").width());
    }

    @Test
    void tiffsOfManyKindsAreRightOrRefused() {
        Frame deep = SampleImages.decode(TiffFiles.rgb16(9, 7), "deep");
        Frame expected = SampleImages.gradient(9, 7);
        for (int x = 0; x < 9; x++) {
            assertEquals(SampleImages.level(expected, x, 3, 2), SampleImages.level(deep, x, 3, 2), 1);
            assertEquals(40, SampleImages.level(deep, x, 3, 0), 1);
        }
        Frame grey = SampleImages.decode(TiffFiles.grey(6, 5, 99), "grey");
        Frame red = SampleImages.decode(TiffFiles.cmykRed(6, 5), "cmyk");
        for (int channel = 0; channel < 3; channel++) {
            assertEquals(99, SampleImages.level(grey, 5, 4, channel));
            assertEquals(channel == 2 ? 255 : 0, SampleImages.level(red, 3, 3, channel), 3);
        }
        assertTrue(message(TiffFiles.floats(6, 5)).contains("TIFF of 1 samples of 32 bits is not supported: save it"));
        assertTrue(message(new byte[] {'I', 'I', 43, 0, 8, 0, 0, 0}).contains("but a BigTIFF: convert it first"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"LZW", "Deflate", "PackBits", "ZLib", "JPEG", "CCITT T.6"})
    void compressedTiffs(String compression) throws IOException {
        boolean bits = compression.startsWith("CCITT");
        var image = new java.awt.image.BufferedImage(40, 30, bits ? java.awt.image.BufferedImage.TYPE_BYTE_BINARY
                : java.awt.image.BufferedImage.TYPE_3BYTE_BGR);
        for (int i = 0; i < 1200; i++) {
            image.setRGB(i % 40, i / 40, i % 40 < 20 ? 0xffffff : 0x102030);
        }
        ImageWriter writer = ImageIO.getImageWritersByFormatName("tiff").next();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ImageOutputStream out = ImageIO.createImageOutputStream(bytes)) {
            ImageWriteParam param = writer.getDefaultWriteParam();
            param.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            param.setCompressionType(compression);
            writer.setOutput(out);
            writer.write(null, new IIOImage(image, null, null), param);
        } finally {
            writer.dispose();
        }
        if (bits || compression.equals("JPEG")) {
            String message = message(bytes.toByteArray());
            assertTrue(message.contains("is not supported: save it with LZW"), message);
            return;
        }
        Frame frame = SampleImages.decode(bytes.toByteArray(), "compressed");
        assertEquals(255, SampleImages.level(frame, 5, 5, 0));
        assertEquals(0x30, SampleImages.level(frame, 35, 25, 0));
        assertEquals(0x10, SampleImages.level(frame, 35, 25, 2));
    }

    @Test
    void namesOfImages() {
        for (String name : new String[] {"a.jpg", "a.JPEG", "b/c.d.TIF", "x.tiff", "x.webp", "x.mpo"}) {
            assertTrue(Images.isNamedLikeOne(Path.of(name)), name);
        }
        for (String name : new String[] {"._a.jpg", ".jpg", "a.gif", "jpg", "a.jpg/b", "a.jpg.txt", "/"}) {
            assertFalse(Images.isNamedLikeOne(Path.of(name)), name);
        }
    }

    @Test
    void othersAreRefusedByName() {
        byte[] resource = ByteBuffer.allocate(120).putInt(0x00051607).putInt(0x00020000).array();
        assertTrue(message(resource).contains("but what macOS keeps beside a file"), message(resource));
        assertTrue(message("GIF89a______".getBytes()).endsWith("but a GIF: convert it first, to PNG or JPEG"));
        assertTrue(message(new byte[] {0, 0, 0, 12, 'j', 'P', ' ', ' '}).contains("a JPEG 2000 file"));
    }

    private static String message(byte[] bytes) {
        return assertThrows(SourceException.class, () -> SampleImages.decode(bytes, "bad")).getMessage();
    }
}
