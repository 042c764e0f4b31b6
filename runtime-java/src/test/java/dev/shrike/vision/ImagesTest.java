package dev.shrike.vision;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.Frame;
import dev.shrike.SourceException;
import dev.shrike.StageTimes;
import java.awt.Transparency;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ImagesTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({".jpg, 12", ".png, 0", ".bmp, 0", ".webp, 0", ".tif, 0"})
    void readsEveryFormat(String extension, int tolerance) throws IOException {
        Path file = Files.write(folder.resolve("a" + extension), SampleImages.encoded(extension, 61, 43));
        assertGradient(Frame.read(file), 61, 43, tolerance);
    }

    @ParameterizedTest
    @ValueSource(strings = {".jpg", ".png", ".bmp", ".webp"})
    void readsOnePixel(String extension) {
        Frame frame = SampleImages.decode(SampleImages.encoded(extension, 1, 1), "one" + extension);
        assertEquals(1, frame.width());
        assertEquals(1, frame.height());
        assertEquals(40, SampleImages.level(frame, 0, 0, 0), 12);
    }

    @Test
    void readsLossyWebp() {
        assertGradient(SampleImages.decode(SampleImages.lossyWebp(61, 43), "lossy.webp"), 61, 43, 24);
    }

    /** Where the red corner of the stored image, its upper right one, is to be seen after turning it. */
    @ParameterizedTest
    @CsvSource({"1, 1, 0", "2, 0, 0", "3, 0, 1", "4, 1, 1", "5, 0, 1", "6, 1, 1", "7, 1, 0", "8, 0, 0"})
    void turnsByItsExifOrientation(int orientation, int redX, int redY) {
        byte[] jpeg = SampleImages.withOrientation(SampleImages.encoded(".jpg", 64, 32), orientation);
        Frame frame = SampleImages.decode(jpeg, "turned.jpg");
        boolean swapped = orientation >= 5;
        assertEquals(swapped ? 32 : 64, frame.width());
        assertEquals(swapped ? 64 : 32, frame.height());
        int x = redX * (frame.width() - 1);
        int y = redY * (frame.height() - 1);
        assertTrue(SampleImages.level(frame, x, y, 2) > 220, "red at the corner");
        assertTrue(SampleImages.level(frame, x, y, 1) < 40, "no green at the corner");
    }

    @Test
    void readsGreyscaleJpeg() throws IOException {
        BufferedImage grey = new BufferedImage(16, 8, BufferedImage.TYPE_BYTE_GRAY);
        grey.getRaster().setSamples(0, 0, 16, 8, 0, filled(16 * 8, 99));
        Frame frame = SampleImages.decode(imageIo(grey, "jpg"), "grey.jpg");
        for (int channel = 0; channel < 3; channel++) {
            assertEquals(99, SampleImages.level(frame, 5, 5, channel), 2);
        }
    }

    @Test
    void readsCmykJpeg() throws IOException {
        WritableRaster inks = Raster.createInterleavedRaster(DataBuffer.TYPE_BYTE, 16, 16, 4, null);
        int[] stored = {255, 0, 0, 255}; // inverted, as Adobe stores them: no cyan, full magenta and yellow, no black
        for (int band = 0; band < 4; band++) {
            inks.setSamples(0, 0, 16, 16, band, filled(256, stored[band]));
        }
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ImageOutputStream out = ImageIO.createImageOutputStream(bytes)) {
            writer.setOutput(out);
            writer.write(null, new IIOImage(inks, null, null), null);
        } finally {
            writer.dispose();
        }
        Frame frame = SampleImages.decode(bytes.toByteArray(), "cmyk.jpg");
        assertTrue(SampleImages.level(frame, 8, 8, 2) > 240, "red");
        assertTrue(SampleImages.level(frame, 8, 8, 1) < 15 && SampleImages.level(frame, 8, 8, 0) < 15, "only red");
        assertEquals(16, frame.width());
    }

    @Test
    void dropsTransparency() throws IOException {
        BufferedImage image = new BufferedImage(4, 4, BufferedImage.TYPE_INT_ARGB);
        image.setRGB(1, 2, 0x80112233);
        Frame frame = SampleImages.decode(imageIo(image, "png"), "alpha.png");
        assertEquals(0x33, SampleImages.level(frame, 1, 2, 0));
        assertEquals(0x22, SampleImages.level(frame, 1, 2, 1));
        assertEquals(0x11, SampleImages.level(frame, 1, 2, 2));
    }

    @Test
    void readsSixteenBitsAsEight() throws IOException {
        ComponentColorModel model = new ComponentColorModel(ColorSpace.getInstance(ColorSpace.CS_sRGB), false, false,
                Transparency.OPAQUE, DataBuffer.TYPE_USHORT);
        WritableRaster raster = model.createCompatibleWritableRaster(4, 4);
        raster.setPixel(2, 1, new int[] {0xabcd, 0x1234, 0xff00});
        Frame frame = SampleImages.decode(imageIo(new BufferedImage(model, raster, false, null), "png"), "deep.png");
        assertEquals(0xff, SampleImages.level(frame, 2, 1, 0), 1);
        assertEquals(0x12, SampleImages.level(frame, 2, 1, 1), 1);
        assertEquals(0xab, SampleImages.level(frame, 2, 1, 2), 1);
    }

    @ParameterizedTest
    @CsvSource({"a.png, 0", "a.PNG, 0", "a.jpg, 12", "a.JPEG, 12"})
    void writesWhatItReads(String name, int tolerance) throws IOException {
        Path file = folder.resolve(name);
        Files.writeString(file, "something older");
        Images.write(SampleImages.gradient(61, 43), file);
        assertGradient(Frame.read(file), 61, 43, tolerance);
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList(), "nothing else is left behind");
        }
    }

    @Test
    void refusesToWriteWhereItCannot() throws IOException {
        Frame frame = SampleImages.gradient(4, 4);
        assertMessage("images are written as .jpg", () -> Images.write(frame, folder.resolve("a.gif")));
        assertMessage("no such file or folder", () -> Images.write(frame, folder.resolve("none/a.png")));
        Path directory = Files.createDirectory(folder.resolve("taken.png"));
        Files.createFile(directory.resolve("full"));
        assertMessage("taken.png: cannot be written", () -> Images.write(frame, directory));
        assertMessage("wide.jpg: OpenCV refuses it: ",
                () -> Images.write(Frame.allocate(70_000, 1), folder.resolve("wide.jpg")));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(directory), files.toList(), "nothing else is left behind");
        }
    }

    @Test
    void drawsBoxesAndLabelsOnACopy() {
        Frame plain = Frame.allocate(200, 160);
        Detection box = new Detection(3, "bird", 0.9f, 40, 60, 150, 140);
        Frame drawn = Images.annotate(plain, detections(plain, box));
        assertArrayEquals(new byte[3 * 200 * 160], plain.pixels().toArray(ValueLayout.JAVA_BYTE), "the frame itself");
        int colour = Drawing.colour(3);
        for (int[] point : new int[][] {{40, 100}, {150, 100}, {100, 60}, {100, 140}}) {
            assertEquals(colour & 255, SampleImages.level(drawn, point[0], point[1], 0), 8);
            assertEquals(colour >> 8 & 255, SampleImages.level(drawn, point[0], point[1], 1), 8);
            assertEquals(colour >> 16 & 255, SampleImages.level(drawn, point[0], point[1], 2), 8);
        }
        assertEquals(0, SampleImages.level(drawn, 100, 100, 1), "inside stays as it was");
        assertTrue(SampleImages.level(drawn, 42, 57, 0) + SampleImages.level(drawn, 42, 57, 1)
                + SampleImages.level(drawn, 42, 57, 2) > 0, "a label above the box");
    }

    @Test
    void drawsAtEveryEdgeAndSize() {
        for (int side : new int[] {1, 2, 7, 40, 300}) {
            Frame frame = Frame.allocate(side, side);
            String label = "ein sehr langes Wort ".repeat(50) + "\u00fc\u4e16\0";
            Images.draw(frame, detections(frame, new Detection(0, label, 1f, 0, 0, side, side),
                    new Detection(999_999, "", 0.5f, side, side, side, side),
                    new Detection(7, "x", 0.5f, 0, 0, 0, 0)));
            assertTrue(SampleImages.level(frame, 0, 0, 0) + SampleImages.level(frame, 0, 0, 1)
                    + SampleImages.level(frame, 0, 0, 2) > 0, side + ": the corner is drawn");
        }
    }

    @Test
    void givesNeighbouringClassesColoursApart() {
        for (int id = 0; id < 80; id++) {
            int a = Drawing.colour(id);
            int b = Drawing.colour(id + 1);
            int apart = Math.abs((a & 255) - (b & 255)) + Math.abs((a >> 8 & 255) - (b >> 8 & 255))
                    + Math.abs((a >> 16 & 255) - (b >> 16 & 255));
            assertTrue(apart > 120, "classes " + id + " and " + (id + 1) + " differ by " + apart);
        }
    }

    private static Detections detections(Frame frame, Detection... list) {
        return new Detections(frame.width(), frame.height(), frame.captured(), new StageTimes(0, 0, 0), List.of(list));
    }

    private static void assertMessage(String part, Executable action) {
        String message = assertThrows(SourceException.class, action).getMessage();
        assertTrue(message.contains(part), message);
    }

    private static void assertGradient(Frame frame, int width, int height, int tolerance) {
        assertEquals(width, frame.width());
        assertEquals(height, frame.height());
        Frame expected = SampleImages.gradient(width, height);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                for (int channel = 0; channel < 3; channel++) {
                    assertEquals(SampleImages.level(expected, x, y, channel),
                            SampleImages.level(frame, x, y, channel), tolerance);
                }
            }
        }
    }

    private static int[] filled(int count, int value) {
        int[] values = new int[count];
        Arrays.fill(values, value);
        return values;
    }

    private static byte[] imageIo(BufferedImage image, String format) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        assertTrue(ImageIO.write(image, format, bytes), "the JDK writes " + format);
        return bytes.toByteArray();
    }
}
