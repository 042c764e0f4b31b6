package dev.shrike.vision;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.spi.YuvPlanes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Frames of any format as BGR, by the formula of {@link PixelFormat}. Needs no library. */
final class BgrConversion {
    private static final int CHANNELS = 3;
    /** ITU-R BT.601, limited range, with 20 bits. */
    private static final int SHIFT = 20;
    private static final int Y = 1_220_542;
    private static final int BLUE_U = 2_116_026;
    private static final int GREEN_U = -409_993;
    private static final int GREEN_V = -852_492;
    private static final int RED_V = 1_673_527;

    private BgrConversion() {}

    /** Whether the frame is BGR already, rows without padding. */
    static boolean isPlain(Frame frame) {
        return frame.format() == PixelFormat.BGR && frame.stride() == CHANNELS * frame.width();
    }

    /**
     * Writes the frame as BGR, rows without padding.
     *
     * @param frame of any format but {@link PixelFormat#MJPEG}
     */
    static void convert(Frame frame, MemorySegment to) {
        MemorySegment from = Images.live(frame);
        switch (frame.format()) {
            case BGR -> copyRows(from, frame.stride(), to, (long) CHANNELS * frame.width(), frame.height());
            case RGB -> swapRows(frame, from, to);
            case GREY -> spreadRows(frame, from, to);
            case YUYV, UYVY, NV12, I420 -> convertRows(frame, from, to);
            case MJPEG -> throw new IllegalArgumentException("a JPEG is decoded, not converted");
        }
    }

    /** Copies rows that lie a stride apart to rows without padding. */
    static void copyRows(MemorySegment from, long stride, MemorySegment to, long row, int rows) {
        for (long y = 0; y < rows; y++) {
            MemorySegment.copy(from, y * stride, to, y * row, row);
        }
    }

    private static void swapRows(Frame frame, MemorySegment from, MemorySegment to) {
        byte[] row = new byte[CHANNELS * frame.width()];
        for (int y = 0; y < frame.height(); y++) {
            read(from, (long) y * frame.stride(), row);
            for (int i = 0; i < row.length; i += CHANNELS) {
                byte red = row[i];
                row[i] = row[i + 2];
                row[i + 2] = red;
            }
            write(row, to, y);
        }
    }

    private static void spreadRows(Frame frame, MemorySegment from, MemorySegment to) {
        byte[] greys = new byte[frame.width()];
        byte[] row = new byte[CHANNELS * frame.width()];
        for (int y = 0; y < frame.height(); y++) {
            read(from, (long) y * frame.stride(), greys);
            for (int x = 0; x < greys.length; x++) {
                row[CHANNELS * x] = greys[x];
                row[CHANNELS * x + 1] = greys[x];
                row[CHANNELS * x + 2] = greys[x];
            }
            write(row, to, y);
        }
    }

    private static void convertRows(Frame frame, MemorySegment from, MemorySegment to) {
        YuvPlanes planes = YuvPlanes.of(frame);
        int width = frame.width();
        int half = (width + 1) / 2;
        byte[] lumas = new byte[(width - 1) * planes.lumaStep() + 1];
        byte[] us = new byte[(half - 1) * planes.chromaStep() + 1];
        byte[] vs = new byte[us.length];
        byte[] row = new byte[CHANNELS * width];
        for (int y = 0; y < frame.height(); y++) {
            long chroma = (long) (y >> planes.rowShift()) * planes.chromaStride();
            read(from, planes.luma() + (long) y * planes.stride(), lumas);
            read(from, planes.u() + chroma, us);
            read(from, planes.v() + chroma, vs);
            for (int x = 0; x < width; x++) {
                int at = (x >> 1) * planes.chromaStep();
                put(lumas[x * planes.lumaStep()] & 0xff, (us[at] & 0xff) - 128, (vs[at] & 0xff) - 128, row,
                        CHANNELS * x);
            }
            write(row, to, y);
        }
    }

    private static void put(int luma, int u, int v, byte[] row, int at) {
        int y = Math.max(0, luma - 16) * Y + (1 << SHIFT - 1);
        row[at] = clamp(y + BLUE_U * u >> SHIFT);
        row[at + 1] = clamp(y + GREEN_U * u + GREEN_V * v >> SHIFT);
        row[at + 2] = clamp(y + RED_V * v >> SHIFT);
    }

    private static byte clamp(int level) {
        return (byte) Math.clamp(level, 0, 255);
    }

    private static void read(MemorySegment from, long offset, byte[] row) {
        MemorySegment.copy(from, ValueLayout.JAVA_BYTE, offset, row, 0, row.length);
    }

    private static void write(byte[] row, MemorySegment to, int y) {
        MemorySegment.copy(row, 0, to, ValueLayout.JAVA_BYTE, (long) y * row.length, row.length);
    }
}
