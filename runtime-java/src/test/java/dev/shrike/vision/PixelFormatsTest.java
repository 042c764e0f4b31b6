package dev.shrike.vision;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.SourceException;
import dev.shrike.StageTimes;
import dev.shrike.spi.YuvPlanes;
import java.awt.image.BufferedImage;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_imgproc;
import org.bytedeco.opencv.opencv_core.Mat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Frames of every format as BGR, against OpenCV's own conversions. */
class PixelFormatsTest {
    private static final int[][] SIZES =
            {{64, 48}, {2, 2}, {1, 1}, {7, 5}, {6, 5}, {5, 6}, {641, 3}, {3, 201}, {322, 96}};

    @TempDir
    private Path folder;

    /**
     * Byte for byte. OpenCV converts even sides only: a frame with an odd one is compared with the even frame that has
     * its last column and row twice, which has the same chrominance.
     */
    @ParameterizedTest
    @EnumSource(names = "MJPEG", mode = EnumSource.Mode.EXCLUDE)
    void equalsOpenCv(PixelFormat format) {
        OpenCvLibrary.require();
        Random random = new Random(format.ordinal());
        for (int[] size : SIZES) {
            for (int padding : new int[] {0, 1, 6, 64}) {
                Frame frame = noise(format, size[0], size[1], padding, random);
                Frame bgr = Images.copy(frame);
                assertEquals(PixelFormat.BGR, bgr.format());
                byte[] found = bgr.pixels().toArray(ValueLayout.JAVA_BYTE);
                assertArrayEquals(openCv(frame), found, format + " " + size[0] + "x" + size[1] + " + " + padding);
            }
        }
    }

    /** Every Y with every U and V in steps; 256 x 52 x 52 colours. */
    @Test
    void everyColourEqualsOpenCv() {
        OpenCvLibrary.require();
        for (int u = 0; u < 256; u += 5) {
            Frame frame = Frame.allocate(PixelFormat.NV12, 256, 2 * 52, "");
            for (int y = 0; y < frame.height(); y++) {
                for (int x = 0; x < 256; x++) {
                    frame.pixels().set(ValueLayout.JAVA_BYTE, y * 256L + x, (byte) x);
                }
            }
            for (int v = 0; v < 52; v++) {
                for (int x = 0; x < 128; x++) {
                    long at = 256L * frame.height() + v * 256L + 2 * x;
                    frame.pixels().set(ValueLayout.JAVA_BYTE, at, (byte) u);
                    frame.pixels().set(ValueLayout.JAVA_BYTE, at + 1, (byte) (5 * v));
                }
            }
            assertArrayEquals(openCv(frame), Images.bgr(frame).pixels().toArray(ValueLayout.JAVA_BYTE), "u " + u);
        }
    }

    @Test
    void whatEveryReaderOfPixelsSeesIsTheSame() {
        Random random = new Random(77);
        for (PixelFormat format : PixelFormat.values()) {
            if (format == PixelFormat.MJPEG) {
                continue;
            }
            Frame frame = noise(format, 61, 47, 5, random);
            Frame bgr = Images.bgr(frame);
            requireSame(Images.crop(bgr, 3, 4, 40, 41), Images.crop(frame, 3, 4, 40, 41));
            requireSame(AugmentedView.letterboxed(bgr, 64, 64), AugmentedView.letterboxed(frame, 64, 64));
            Detections found = new Detections(frame, new StageTimes(0, 0, 0),
                    List.of(new Detection(0, "cat", 0.5f, 10, 20, 40, 44)));
            requireSame(Images.annotate(bgr, found), Images.annotate(frame, found));
            Path one = folder.resolve(format + "-bgr.png");
            Path two = folder.resolve(format + ".png");
            Images.write(bgr, one);
            Images.write(frame, two);
            requireSame(bgr, Images.read(two));
            BufferedImage image = BufferedImages.toImage(frame);
            requireSame(bgr, BufferedImages.toFrame(image));
        }
    }

    @Test
    void drawsIntoRowsThatArePadded() {
        Random random = new Random(78);
        Frame padded = noise(PixelFormat.BGR, 50, 40, 7, random);
        Frame plain = Images.copy(padded);
        byte[] before = padded.pixels().toArray(ValueLayout.JAVA_BYTE);
        Detections found = new Detections(padded, new StageTimes(0, 0, 0),
                List.of(new Detection(3, "dog", 0.9f, 5, 15, 45, 38)));
        Images.draw(padded, found);
        Images.draw(plain, found);
        requireSame(plain, Images.bgr(padded));
        byte[] after = padded.pixels().toArray(ValueLayout.JAVA_BYTE);
        for (int y = 0; y < 39; y++) {
            for (int x = 150; x < 157; x++) {
                assertEquals(before[157 * y + x], after[157 * y + x], "padding was written");
            }
        }
        Frame grey = Frame.allocate(PixelFormat.GREY, 8, 8, "");
        assertTrue(assertThrows(IllegalArgumentException.class, () -> Images.draw(grey, found)).getMessage()
                .contains("GREY"));
        assertThrows(IllegalArgumentException.class, () -> new Canvas(padded));
    }

    @Test
    void copiesCarryTheStamps() {
        Frame frame = Frame.allocate(PixelFormat.YUYV, 4, 4, "front");
        frame.stamp(123, Instant.ofEpochSecond(5, 7_000), true, 99);
        for (Frame copy : List.of(Images.bgr(frame), Images.copy(frame), Images.crop(frame, 0, 0, 2, 2))) {
            assertEquals(123, copy.capturedNanos());
            assertEquals(Instant.ofEpochSecond(5, 7_000), copy.captured());
            assertTrue(copy.clockSynchronized());
            assertEquals(99, copy.sequence());
        }
        assertEquals("front", Images.bgr(frame).camera());
        Frame plain = Frame.allocate(3, 3);
        assertSame(plain, Images.bgr(plain));
        assertNotSame(plain, Images.copy(plain));
    }

    @Test
    void decodesJpegFrames() {
        byte[] file = SampleImages.encoded(".jpg", 64, 48);
        Frame frame = jpeg(file, 64, 48);
        MemorySegment bytes = Arena.ofAuto().allocate(file.length);
        MemorySegment.copy(file, 0, bytes, ValueLayout.JAVA_BYTE, 0, file.length);
        requireSame(Images.decode(bytes, "x"), Images.bgr(frame));
        assertTrue(assertThrows(SourceException.class, () -> Images.bgr(jpeg(file, 64, 50))).getMessage()
                .contains("64x48"));
        byte[] half = java.util.Arrays.copyOf(file, file.length / 2);
        assertThrows(SourceException.class, () -> Images.bgr(jpeg(half, 64, 48)));
    }

    /** Cameras leave the usual Huffman tables out and hand on buffers that are larger than their JPEG. */
    @Test
    void decodesJpegFramesAsCamerasSendThem() {
        byte[] file = SampleImages.encoded(".jpg", 64, 48);
        java.io.ByteArrayOutputStream bare = new java.io.ByteArrayOutputStream();
        int at = 2;
        bare.write(file, 0, at);
        int tables = 0;
        while ((file[at + 1] & 0xff) != 0xda) {
            int length = 2 + ((file[at + 2] & 0xff) << 8 | file[at + 3] & 0xff);
            if ((file[at + 1] & 0xff) == 0xc4) {
                tables++;
            } else {
                bare.write(file, at, length);
            }
            at += length;
        }
        assertTrue(tables > 0);
        bare.write(file, at, file.length - at);
        bare.writeBytes(new byte[333]);
        requireSame(Images.bgr(jpeg(file, 64, 48)), Images.bgr(jpeg(bare.toByteArray(), 64, 48)));
    }

    private static Frame jpeg(byte[] file, int width, int height) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(file.length).put(file).flip();
        return new Frame(PixelFormat.MJPEG, width, height, 0, buffer, "front");
    }

    @Test
    void takesImagesOfJavaOfAnyType() {
        Random random = new Random(4);
        for (int type = BufferedImage.TYPE_INT_RGB; type <= BufferedImage.TYPE_BYTE_INDEXED; type++) {
            BufferedImage image = new BufferedImage(13, 9, type);
            for (int i = 0; i < 13 * 9; i++) {
                image.setRGB(i % 13, i / 13, 0xff000000 | random.nextInt(1 << 24));
            }
            Frame frame = BufferedImages.toFrame(image);
            for (int i = 0; i < 13 * 9; i++) {
                int colour = image.getRGB(i % 13, i / 13);
                for (int channel = 0; channel < 3; channel++) {
                    assertEquals(colour >> 8 * channel & 255,
                            frame.pixels().get(ValueLayout.JAVA_BYTE, 3L * i + channel) & 255, "type " + type);
                }
            }
        }
    }

    @Test
    void wrapsMatricesOfOpenCv() {
        OpenCvLibrary.require();
        try (Mat whole = new Mat(20, 30, opencv_core.CV_8UC3)) {
            byte[] bytes = new byte[20 * 30 * 3];
            new Random(6).nextBytes(bytes);
            whole.data().put(bytes);
            try (Mat part = new Mat(whole, new org.bytedeco.opencv.opencv_core.Rect(4, 5, 11, 9));
                    Mat copy = part.clone(); Mat floats = new Mat(3, 3, opencv_core.CV_32F); Mat none = new Mat()) {
                Frame frame = MatFrames.of(part);
                assertEquals(90, frame.stride());
                assertEquals(part.data().address(), frame.pixels().address(), "was copied");
                requireSame(MatFrames.of(copy), Images.bgr(frame));
                assertThrows(IllegalArgumentException.class, () -> MatFrames.of(floats));
                assertThrows(IllegalArgumentException.class, () -> MatFrames.of(none));
            }
        }
        try (Mat yuyv = new Mat(6, 8, opencv_core.CV_8UC2)) {
            Frame frame = MatFrames.of(yuyv, PixelFormat.YUYV, 8, 6);
            assertArrayEquals(openCv(frame), Images.bgr(frame).pixels().toArray(ValueLayout.JAVA_BYTE));
            assertThrows(IllegalArgumentException.class, () -> MatFrames.of(yuyv, PixelFormat.YUYV, 8, 7));
        }
    }

    private static void requireSame(Frame expected, Frame actual) {
        assertEquals(expected.width() + "x" + expected.height(), actual.width() + "x" + actual.height());
        assertEquals(-1, expected.pixels().asSlice(0, 3L * expected.width() * expected.height())
                .mismatch(actual.pixels().asSlice(0, 3L * actual.width() * actual.height())));
    }

    /** A frame of random bytes whose rows have so many bytes of padding, its last row none. */
    static Frame noise(PixelFormat format, int width, int height, int padding, Random random) {
        int stride = Frame.allocate(format, width, height, "").stride() + padding;
        MemorySegment large = Arena.ofAuto().allocate(2L * (stride + 1) * (height + 2));
        byte[] bytes = new byte[Math.toIntExact(large.byteSize())];
        random.nextBytes(bytes);
        MemorySegment.copy(bytes, 0, large, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return new Frame(format, width, height, stride, large, "");
    }

    /** What OpenCV makes of the same samples, brought to an even size and the order that it wants. */
    private static byte[] openCv(Frame frame) {
        int width = frame.width();
        int height = frame.height();
        return switch (frame.format()) {
            case BGR -> packed(frame, 3, -1);
            case RGB -> packed(frame, 3, opencv_imgproc.COLOR_RGB2BGR);
            case GREY -> packed(frame, 1, opencv_imgproc.COLOR_GRAY2BGR);
            case YUYV, UYVY, NV12, I420 -> cropped(even(frame), frame.format(), width, height);
            case MJPEG -> throw new IllegalArgumentException();
        };
    }

    private static byte[] packed(Frame frame, int channels, int code) {
        int row = channels * frame.width();
        byte[] bytes = new byte[row * frame.height()];
        for (int y = 0; y < frame.height(); y++) {
            MemorySegment.copy(frame.pixels(), ValueLayout.JAVA_BYTE, (long) y * frame.stride(), bytes, y * row, row);
        }
        return code < 0 ? bytes : converted(bytes, frame.width(), frame.height(), channels, code, frame.width());
    }

    /** Rows of Y, then of U, then of V in one array, of an even size. */
    private record Even(int width, int height, byte[] lumas, byte[] us, byte[] vs, int chromaRows) {}

    private static Even even(Frame frame) {
        YuvPlanes planes = YuvPlanes.of(frame);
        int width = frame.width() + 1 & ~1;
        int height = frame.height() + 1 & ~1;
        int chromaRows = planes.rowShift() == 1 ? height / 2 : height;
        byte[] lumas = new byte[width * height];
        byte[] us = new byte[width / 2 * chromaRows];
        byte[] vs = new byte[us.length];
        for (int i = 0; i < lumas.length; i++) {
            long x = Math.min(i % width, frame.width() - 1);
            long y = Math.min(i / width, frame.height() - 1);
            lumas[i] = at(frame, planes.luma() + y * planes.stride() + x * planes.lumaStep());
        }
        int lastRow = planes.rowShift() == 1 ? (frame.height() + 1) / 2 - 1 : frame.height() - 1;
        for (int i = 0; i < us.length; i++) {
            long offset = (long) Math.min(i / (width / 2), lastRow) * planes.chromaStride()
                    + (long) (i % (width / 2)) * planes.chromaStep();
            us[i] = at(frame, planes.u() + offset);
            vs[i] = at(frame, planes.v() + offset);
        }
        return new Even(width, height, lumas, us, vs, chromaRows);
    }

    private static byte at(Frame frame, long offset) {
        return frame.pixels().get(ValueLayout.JAVA_BYTE, offset);
    }

    private static byte[] cropped(Even even, PixelFormat format, int width, int height) {
        byte[] whole = switch (format) {
            case NV12 -> {
                byte[] bytes = java.util.Arrays.copyOf(even.lumas(), even.lumas().length * 3 / 2);
                for (int i = 0; i < even.us().length; i++) {
                    bytes[even.lumas().length + 2 * i] = even.us()[i];
                    bytes[even.lumas().length + 2 * i + 1] = even.vs()[i];
                }
                yield converted(bytes, even.width(), even.height() * 3 / 2, 1, opencv_imgproc.COLOR_YUV2BGR_NV12,
                        even.width());
            }
            case I420 -> {
                byte[] bytes = java.util.Arrays.copyOf(even.lumas(), even.lumas().length * 3 / 2);
                System.arraycopy(even.us(), 0, bytes, even.lumas().length, even.us().length);
                System.arraycopy(even.vs(), 0, bytes, even.lumas().length * 5 / 4, even.vs().length);
                yield converted(bytes, even.width(), even.height() * 3 / 2, 1, opencv_imgproc.COLOR_YUV2BGR_I420,
                        even.width());
            }
            default -> {
                byte[] bytes = new byte[2 * even.lumas().length];
                boolean lumaFirst = format == PixelFormat.YUYV;
                for (int i = 0; i < even.lumas().length; i++) {
                    bytes[2 * i + (lumaFirst ? 0 : 1)] = even.lumas()[i];
                    bytes[2 * i + (lumaFirst ? 1 : 0)] = (i % 2 == 0 ? even.us() : even.vs())[i / 2];
                }
                yield converted(bytes, even.width(), even.height(), 2,
                        lumaFirst ? opencv_imgproc.COLOR_YUV2BGR_YUY2 : opencv_imgproc.COLOR_YUV2BGR_UYVY,
                        even.width());
            }
        };
        byte[] part = new byte[3 * width * height];
        for (int y = 0; y < height; y++) {
            System.arraycopy(whole, 3 * y * even.width(), part, 3 * y * width, 3 * width);
        }
        return part;
    }

    private static byte[] converted(byte[] bytes, int columns, int rows, int channels, int code, int width) {
        try (BytePointer pointer = new BytePointer(bytes);
                Mat from = new Mat(rows, columns, opencv_core.CV_MAKETYPE(opencv_core.CV_8U, channels), pointer);
                Mat to = new Mat()) {
            opencv_imgproc.cvtColor(from, to, code);
            byte[] bgr = new byte[3 * to.rows() * to.cols()];
            to.data().get(bgr);
            return bgr;
        }
    }
}
