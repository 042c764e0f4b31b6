package dev.shrike.sources;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Turns frames clockwise by quarters and mirrors them, plane by plane, in the format that they have. YUYV and UYVY
 * become I420 by quarter turns, which their pairs of pixels do not survive: the two chroma samples of a turned block
 * are averaged, rounded up. Has no state, so any thread may use it.
 */
final class Turning {
    private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

    private final int rotation;
    private final boolean mirror;

    Turning(int rotation, boolean mirror) {
        this.rotation = rotation;
        this.mirror = mirror;
    }

    /** Whether width and height change places. */
    boolean quarter() {
        return rotation == 90 || rotation == 270;
    }

    /** Format of the turned frame. */
    PixelFormat target(PixelFormat format) {
        boolean pairs = format == PixelFormat.YUYV || format == PixelFormat.UYVY;
        return pairs && quarter() ? PixelFormat.I420 : format;
    }

    /** Fills a frame of the turned size and {@link #target} format without padding; does not stamp it. */
    void turn(Frame from, Frame to) {
        MemorySegment source = from.pixels();
        MemorySegment target = to.pixels();
        switch (from.format()) {
            case BGR, RGB -> plane(source, 0, from.stride(), from.width(), from.height(), target, 0, to.stride(), 3);
            case GREY -> plane(source, 0, from.stride(), from.width(), from.height(), target, 0, to.stride(), 1);
            case NV12, I420 -> planes(from, to);
            case YUYV, UYVY -> pairs(from, to);
            case MJPEG -> throw new IllegalArgumentException("a JPEG cannot be turned without decoding it");
        }
    }

    private void planes(Frame from, Frame to) {
        plane(from.pixels(), 0, from.stride(), from.width(), from.height(), to.pixels(), 0, to.stride(), 1);
        int width = (from.width() + 1) / 2;
        int height = (from.height() + 1) / 2;
        long read = (long) from.stride() * from.height();
        long write = (long) to.stride() * to.height();
        if (from.format() == PixelFormat.NV12) {
            plane(from.pixels(), read, from.stride(), width, height, to.pixels(), write, to.stride(), 2);
            return;
        }
        int readStride = (from.stride() + 1) / 2;
        int writeStride = (to.stride() + 1) / 2;
        int turnedHeight = (to.height() + 1) / 2;
        for (int i = 0; i < 2; i++) {
            plane(from.pixels(), read + (long) i * readStride * height, readStride, width, height, to.pixels(),
                    write + (long) i * writeStride * turnedHeight, writeStride, 1);
        }
    }

    /** One plane whose elements have so many bytes. */
    private void plane(MemorySegment source, long sourceAt, int sourceStride, int width, int height,
            MemorySegment target, long targetAt, int targetStride, int bytes) {
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                long from = sourceAt + (long) y * sourceStride + (long) x * bytes;
                long to = targetAt + (long) row(x, y, width, height) * targetStride
                        + (long) column(x, y, width, height) * bytes;
                for (int i = 0; i < bytes; i++) {
                    target.set(BYTE, to + i, source.get(BYTE, from + i));
                }
            }
        }
    }

    /** Where a pixel goes, before it is mirrored: 90 degrees clockwise brings the left column to the top. */
    private int column(int x, int y, int width, int height) {
        int turnedWidth = quarter() ? height : width;
        int column = switch (rotation) {
            case 90 -> height - 1 - y;
            case 180 -> width - 1 - x;
            case 270 -> y;
            default -> x;
        };
        return mirror ? turnedWidth - 1 - column : column;
    }

    private int row(int x, int y, int width, int height) {
        return switch (rotation) {
            case 90 -> x;
            case 180 -> height - 1 - y;
            case 270 -> width - 1 - x;
            default -> y;
        };
    }

    private void pairs(Frame from, Frame to) {
        int luminance = from.format() == PixelFormat.YUYV ? 0 : 1;
        int width = from.width() / 2;
        for (int y = 0; y < from.height(); y++) {
            for (int x = 0; x < from.width(); x++) {
                byte value = from.pixels().get(BYTE, (long) y * from.stride() + 2L * x + luminance);
                long at = (long) row(x, y, from.width(), from.height()) * to.stride()
                        + (quarter() ? 1L : 2L) * column(x, y, from.width(), from.height());
                to.pixels().set(BYTE, quarter() ? at : at + luminance, value);
            }
        }
        for (int i = 0; i < 2; i++) {
            int chroma = 1 - luminance + 2 * i;
            if (quarter()) {
                averaged(from, chroma, to, i);
                continue;
            }
            for (int y = 0; y < from.height(); y++) {
                for (int x = 0; x < width; x++) {
                    to.pixels().set(BYTE,
                            (long) row(x, y, width, from.height()) * to.stride()
                                    + 4L * column(x, y, width, from.height()) + chroma,
                            from.pixels().get(BYTE, (long) y * from.stride() + 4L * x + chroma));
                }
            }
        }
    }

    /** Chroma of pairs of rows as a plane of I420. */
    private void averaged(Frame from, int chroma, Frame to, int plane) {
        int width = from.width() / 2;
        int height = (from.height() + 1) / 2;
        int stride = (to.stride() + 1) / 2;
        long target = (long) to.stride() * to.height() + (long) plane * stride * ((to.height() + 1) / 2);
        for (int y = 0; y < height; y++) {
            int below = Math.min(2 * y + 1, from.height() - 1);
            for (int x = 0; x < width; x++) {
                int sum = (from.pixels().get(BYTE, 2L * y * from.stride() + 4L * x + chroma) & 0xff)
                        + (from.pixels().get(BYTE, (long) below * from.stride() + 4L * x + chroma) & 0xff);
                to.pixels().set(BYTE,
                        target + (long) row(x, y, width, height) * stride + column(x, y, width, height),
                        (byte) ((sum + 1) / 2));
            }
        }
    }
}
