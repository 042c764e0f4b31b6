package dev.shrike;

/**
 * How the pixels of a {@link Frame} lie in memory. The names are those of V4L2 and FFmpeg.
 *
 * <p>Networks are fed BGR or RGB of 8 bits. Luminance and chrominance become that by ITU-R BT.601 in limited range, in
 * fixed point with 20 bits as in OpenCV's {@code cvtColor}, whose bytes it gives:
 *
 * <pre>
 * y = max(0, Y - 16) * 1220542     u = U - 128     v = V - 128
 * R = clamp((y + 1673527 v + 2^19) >> 20, 0, 255)
 * G = clamp((y - 852492 v - 409993 u + 2^19) >> 20, 0, 255)
 * B = clamp((y + 2116026 u + 2^19) >> 20, 0, 255)
 * </pre>
 *
 * The pixel in column x and row y takes the U and V of column x / 2, and where there is half the number of rows of row
 * y / 2, both rounded down: chrominance is repeated, not interpolated. An odd side, which OpenCV does not convert, has
 * a last column or row of chrominance for a single one of luminance. {@link #GREY} becomes three equal channels.
 */
public enum PixelFormat {
    /** 8-bit blue, green, red, interleaved: 3 bytes a pixel. */
    BGR,
    /** 8-bit red, green, blue, interleaved: 3 bytes a pixel. */
    RGB,
    /** 8-bit luminance: 1 byte a pixel, full range. */
    GREY,
    /** Y0 U Y1 V, 4:2:2, 2 bytes a pixel, BT.601 limited range; an odd width leaves the last Y unused. */
    YUYV,
    /** U Y0 V Y1, 4:2:2, 2 bytes a pixel, BT.601 limited range; an odd width leaves the last Y unused. */
    UYVY,
    /**
     * A plane of Y, then one of U and V interleaved at half the width and height, BT.601 limited range. Rows of both
     * planes are equally far apart, so an odd width takes a stride above it.
     */
    NV12,
    /** Planes of Y, U and V, the last two at half the width and height, BT.601 limited range. */
    I420,
    /** One JPEG file a frame, as cameras send it. */
    MJPEG;

    /** Least bytes from one row of the first plane to the next; 0 for {@link #MJPEG}. */
    long rowBytes(int width) {
        return switch (this) {
            case BGR, RGB -> 3L * width;
            case YUYV, UYVY -> 4L * half(width);
            case NV12 -> 2L * half(width);
            case GREY, I420 -> width;
            case MJPEG -> 0;
        };
    }

    /** Bytes of a frame whose first plane has rows so far apart; 0 for {@link #MJPEG}. */
    long frameBytes(int width, int height, long stride) {
        return switch (this) {
            case BGR, RGB, GREY, YUYV, UYVY -> stride * (height - 1) + rowBytes(width);
            case NV12 -> stride * (height + half(height) - 1) + rowBytes(width);
            case I420 -> stride * height + half(stride) * (2 * half(height) - 1) + half(width);
            case MJPEG -> 0;
        };
    }

    /** Half of a number, rounded up. */
    private static long half(long number) {
        return (number + 1) / 2;
    }
}
