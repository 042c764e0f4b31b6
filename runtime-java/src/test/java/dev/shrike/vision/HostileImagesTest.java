package dev.shrike.vision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.SourceException;
import java.io.File;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Bad images, each with the message that tells what is wrong with it. */
class HostileImagesTest {
    @TempDir
    Path folder;

    @Test
    void missing() {
        assertMessage(folder.resolve("none.jpg"), "none.jpg: cannot be read: no such file or folder");
    }

    @Test
    void directory() {
        assertMessage(folder, ": is a directory, not an image");
    }

    @Test
    void belowAFile() throws IOException {
        Path file = Files.write(folder.resolve("a.jpg"), SampleImages.encoded(".jpg", 4, 4));
        assertMessage(file.resolve("b.jpg"), "b.jpg: cannot be read: ");
    }

    @Test
    void unreadable() throws IOException {
        Path file = Files.write(folder.resolve("a.jpg"), SampleImages.encoded(".jpg", 4, 4));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("---------"));
        Assumptions.assumeFalse(Files.isReadable(file), "skipped: this user may read every file");
        assertMessage(file, "a.jpg: cannot be read: permission denied");
    }

    @Test
    void noRegularFile() {
        Path zeros = Path.of("/dev/zero");
        Assumptions.assumeTrue(Files.exists(zeros), "skipped: no /dev/zero");
        assertMessage(zeros, "/dev/zero: is no regular file");
    }

    @Test
    void zeroLength() throws IOException {
        assertMessage(Files.createFile(folder.resolve("a.png")), "a.png: is empty (0 bytes)");
    }

    @Test
    void renamedText() {
        assertMessage("Dear robot,\nthis is no image.".getBytes(),
                "bad: is not a JPEG, PNG, BMP, WebP or TIFF image (it starts with the text \"Dear robot, this\")");
    }

    @Test
    void otherFormats() {
        assertMessage("GIF89a______".getBytes(), "but a GIF: convert it first");
        assertMessage("%PDF-1.7".getBytes(), "but a PDF: convert it first");
        assertMessage(new byte[] {0, 1, 2, 3}, "starts with the bytes 00 01 02 03");
    }

    @ParameterizedTest
    @ValueSource(strings = {".jpg", ".png", ".bmp", ".webp", ".tif"})
    void truncatedAnywhere(String extension) {
        byte[] whole = SampleImages.encoded(extension, 24, 16);
        // A JPEG may lack its end marker of two bytes, the last page of a TIFF the four that would name another one.
        int spare = switch (extension) {
            case ".jpg" -> 2;
            case ".tif" -> 4;
            default -> 0;
        };
        int needed = whole.length - spare;
        for (int length = 1; length < needed; length++) {
            byte[] part = Arrays.copyOf(whole, length);
            String message = assertThrows(SourceException.class, () -> SampleImages.decode(part, "bad"),
                    extension + " of " + length + " bytes").getMessage();
            boolean beginning = length < 12 && message.contains("bad: is not a JPEG, PNG");
            assertTrue(beginning || message.startsWith("bad: truncated image: "), length + ": " + message);
        }
    }

    @Test
    void hugeHeaders() {
        String limit = "bad: %s of 20000x20000 has 400000000 pixels, the limit is 64000000: make the image smaller, "
                + "or raise the limit with --max-pixels 400000000 (in Java -Dshrike.maxPixels=400000000)";
        assertMessage(SampleImages.pngOfSize(20_000, 20_000), limit.formatted("PNG"));
        assertMessage(SampleImages.pngOfSize(2_000_000_000, 2_000_000_000),
                "bad: PNG of 2000000000x2000000000 has 4000000000000000000 pixels, more than the 715827882 that can be"
                        + " read at all: make the image smaller");

        byte[] bmp = SampleImages.encoded(".bmp", 2, 2);
        ByteBuffer.wrap(bmp).order(ByteOrder.LITTLE_ENDIAN).putInt(18, 20_000).putInt(22, -20_000);
        assertMessage(bmp, limit.formatted("BMP"));

        byte[] jpeg = SampleImages.encoded(".jpg", 2, 2);
        int frame = SampleImages.indexOf(jpeg, 0xff, 0xc0);
        ByteBuffer.wrap(jpeg).putShort(frame + 5, (short) 20_000).putShort(frame + 7, (short) 20_000);
        assertMessage(jpeg, limit.formatted("JPEG"));

        // A WebP side has 14 bits: 16383 is the largest.
        byte[] webp = SampleImages.lossyWebp(2, 2);
        int start = SampleImages.indexOf(webp, 0x9d, 0x01, 0x2a);
        ByteBuffer.wrap(webp).order(ByteOrder.LITTLE_ENDIAN).putShort(start + 3, (short) 16383)
                .putShort(start + 5, (short) 16383);
        assertMessage(webp, "WebP of 16383x16383 has 268402689 pixels, the limit is");
        assertMessage(SampleImages.pngOfSize(Integer.MAX_VALUE, Integer.MAX_VALUE), "that can be read at all");
        assertMessage(SampleImages.pngOfSize(-1, 5), "PNG says its size is 4294967295x5");
        assertMessage(SampleImages.pngOfSize(0, 5), "PNG says its size is 0x5");
    }

    @Test
    @ResourceLock(Resources.SYSTEM_PROPERTIES)
    void theLimitCanBeSet() {
        byte[] png = SampleImages.encoded(".png", 30, 20);
        try {
            System.setProperty(Images.MAX_PIXELS_PROPERTY, "599");
            assertMessage(png, "PNG of 30x20 has 600 pixels, the limit is 599");
            System.setProperty(Images.MAX_PIXELS_PROPERTY, "600");
            assertEquals(30, SampleImages.decode(png, "good").width());
            System.setProperty(Images.MAX_PIXELS_PROPERTY, "many");
            assertThrows(IllegalArgumentException.class, () -> SampleImages.decode(png, "good"));
        } finally {
            System.clearProperty(Images.MAX_PIXELS_PROPERTY);
        }
    }

    @Test
    void fileTooLarge() throws IOException {
        Path file = folder.resolve("sparse.png");
        try (var channel = new RandomAccessFile(file.toFile(), "rw")) {
            channel.setLength(5L << 30);
        }
        assertMessage(file, "sparse.png: 5368709120 bytes are too many for an image");
    }

    @Test
    void damaged() {
        byte[] png = SampleImages.encoded(".png", 8, 8);
        png[png.length - 20] ^= 1;
        assertMessage(png, "damaged image: PNG chunk IDAT at byte 33 fails its checksum");

        byte[] lying = SampleImages.pngOfSize(7, 9000);
        assertThrows(SourceException.class, () -> SampleImages.decode(lying, "bad"));

        byte[] jpeg = SampleImages.encoded(".jpg", 8, 8);
        assertMessage(new byte[] {(byte) 0xff, (byte) 0xd8, (byte) 0xff, (byte) 0xd9}, "JPEG holds no image");
        int tables = SampleImages.indexOf(jpeg, 0xff, 0xdb);
        jpeg[tables + 2] = 0;
        jpeg[tables + 3] = 1;
        assertMessage(jpeg, "JPEG segment at byte " + (tables + 2) + " has the length 1");

        byte[] bmp = SampleImages.encoded(".bmp", 8, 8);
        bmp[28] = 13;
        assertMessage(bmp, "BMP with 13 bits a pixel");
    }

    /** The data of a camera frame that broke off, closed by an end marker as drivers do. */
    @Test
    void brokenOffInside() {
        byte[] whole = SampleImages.encoded(".jpg", 200, 200);
        byte[] part = Arrays.copyOf(whole, whole.length * 2 / 3);
        part[part.length - 2] = (byte) 0xff;
        part[part.length - 1] = (byte) 0xd9;
        assertMessage(part, "bad: truncated image: JPEG of 200x200 lacks a part of its data");
    }

    @Test
    void codecsStayQuiet() throws Exception {
        byte[] broken = SampleImages.encoded(".jpg", 64, 64);
        broken[broken.length - 40] = (byte) 0xff;
        broken[broken.length - 39] = (byte) 0xd9;
        Path jpeg = Files.write(folder.resolve("a.jpg"), broken);
        byte[] lying = SampleImages.encoded(".png", 64, 64);
        lying[SampleImages.indexOf(lying, 'I', 'D', 'A', 'T') + 30] ^= 0x55;
        Path png = Files.write(folder.resolve("a.png"), SampleImages.repairChecksum(lying, 33));
        Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED", "-cp", System.getProperty("java.class.path"),
                ReadImages.class.getName(), jpeg.toString(), png.toString()).start();
        process.getOutputStream().close();
        String out = new String(process.getInputStream().readAllBytes());
        String errors = new String(process.getErrorStream().readAllBytes());
        assertEquals(0, process.waitFor(), errors);
        assertEquals("", errors);
        assertTrue(out.contains("a.jpg: truncated image") && out.contains("a.png: damaged"), out);
    }

    @Test
    void bytesAfterTheEndAreNoHarm() {
        for (String extension : List.of(".jpg", ".png", ".bmp", ".webp")) {
            byte[] whole = SampleImages.encoded(extension, 9, 7);
            assertEquals(9, SampleImages.decode(Arrays.copyOf(whole, whole.length + 100), "good").width());
        }
    }

    @Test
    void withoutOpenCvTheArtifactIsNamed() throws Exception {
        List<URL> path = new ArrayList<>();
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (!entry.contains("bytedeco")) {
                path.add(Path.of(entry).toUri().toURL());
            }
        }
        Path file = Files.write(folder.resolve("a.jpg"), SampleImages.encoded(".jpg", 4, 4));
        try (URLClassLoader bare = new URLClassLoader(path.toArray(URL[]::new), ClassLoader.getPlatformClassLoader())) {
            Class<?> images = bare.loadClass(Images.class.getName());
            var read = images.getMethod("read", Path.class);
            Throwable error = assertThrows(InvocationTargetException.class, () -> read.invoke(null, file)).getCause();
            assertEquals("dev.shrike.BackendUnavailableException", error.getClass().getName(), error.toString());
            assertTrue(error.getMessage().contains("add the artifact dev.shrike:shrike-linux-"), error.getMessage());
        }
    }

    private void assertMessage(byte[] bytes, String part) {
        String message = assertThrows(SourceException.class, () -> SampleImages.decode(bytes, "bad")).getMessage();
        assertTrue(message.contains(part), message);
        assertFalse(message.contains("\n"), message);
    }

    private void assertMessage(Path file, String part) {
        String message = assertThrows(SourceException.class, () -> Frame.read(file)).getMessage();
        assertTrue(message.contains(part), message);
    }
}
