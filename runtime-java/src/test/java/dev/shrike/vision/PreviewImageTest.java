package dev.shrike.vision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PreviewImageTest {
    /** An image of one colour has it in any format, but for what rounding may move. */
    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "MJPEG")
    void colourStaysInAnyFormat(PixelFormat format) {
        for (int[] size : new int[][] {{64, 48}, {65, 47}, {2, 1}, {640, 3}}) {
            int width = format == PixelFormat.YUYV || format == PixelFormat.UYVY ? size[0] & ~1 : size[0];
            Frame frame = Frame.allocate(format, width, size[1], "");
            fill(frame);
            Frame small = new PreviewImage(32).of(frame);
            assertEquals(Math.min(32, width), small.width());
            Frame whole = Images.bgr(frame);
            for (int channel = 0; channel < 3; channel++) {
                int wanted = whole.pixels().get(ValueLayout.JAVA_BYTE, channel) & 0xff;
                long last = 3L * small.width() * small.height() - 3 + channel;
                assertTrue(Math.abs(wanted - (small.pixels().get(ValueLayout.JAVA_BYTE, last) & 0xff)) <= 2,
                        format + ", channel " + channel);
            }
        }
    }

    /** Luminance 120, blue-difference 90, red-difference 200; 40, 90, 200 in the formats of three colours. */
    private static void fill(Frame frame) {
        long bytes = frame.pixels().byteSize();
        long luma = (long) frame.stride() * frame.height();
        for (long i = 0; i < bytes; i++) {
            int value = switch (frame.format()) {
                case BGR, RGB -> new int[] {40, 90, 200}[(int) (i % frame.stride() % 3)];
                case GREY -> 120;
                case YUYV -> new int[] {120, 90, 120, 200}[(int) (i % 4)];
                case UYVY -> new int[] {90, 120, 200, 120}[(int) (i % 4)];
                case NV12 -> i < luma ? 120 : (i - luma) % frame.stride() % 2 == 0 ? 90 : 200;
                case I420 -> i < luma ? 120 : i - luma < (bytes - luma) / 2 ? 90 : 200;
                case MJPEG -> 0;
            };
            frame.pixels().set(ValueLayout.JAVA_BYTE, i, (byte) value);
        }
    }

    @Test
    void theSameMemoryIsFilledAgain() {
        PreviewImage preview = new PreviewImage(100);
        Frame first = preview.of(Frame.allocate(200, 100));
        assertSame(first, preview.of(Frame.allocate(200, 100)));
        assertEquals(50, first.height());
        assertEquals(80, preview.of(Frame.allocate(80, 20)).width(), "a narrow frame is not made wider");
    }

    @Test
    void aJpegComesOut() {
        byte[] jpeg = PreviewImage.jpeg(new PreviewImage(64).of(Frame.allocate(640, 480)), 70);
        assertEquals(0xff, jpeg[0] & 0xff);
        assertEquals(0xd8, jpeg[1] & 0xff);
        assertThrows(IllegalArgumentException.class, () -> new PreviewImage(0));
    }
}
