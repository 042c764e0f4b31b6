package dev.shrike;

/** How the pixels of a {@link Frame} lie in memory. The names are those of V4L2 and FFmpeg. */
public enum PixelFormat {
    /** 8-bit blue, green, red, interleaved: 3 bytes a pixel. */
    BGR,
    /** 8-bit red, green, blue, interleaved: 3 bytes a pixel. */
    RGB,
    /** 8-bit luminance: 1 byte a pixel, full range. */
    GREY,
    /** Y0 U Y1 V, 4:2:2, 2 bytes a pixel, BT.601 limited range; the width is even. */
    YUYV,
    /** U Y0 V Y1, 4:2:2, 2 bytes a pixel, BT.601 limited range; the width is even. */
    UYVY,
    /** A plane of Y, then one of U and V interleaved at half the width and height, BT.601 limited range. */
    NV12,
    /** Planes of Y, U and V, the last two at half the width and height, BT.601 limited range. */
    I420,
    /** One JPEG file a frame, as cameras send it. */
    MJPEG;

    /** Bytes of one row of the first plane without padding; 0 for {@link #MJPEG}. */
    long rowBytes(int width) {
        return switch (this) {
            case BGR, RGB -> 3L * width;
            case YUYV, UYVY -> 4L * ((width + 1) / 2);
            case GREY, NV12, I420 -> width;
            case MJPEG -> 0;
        };
    }

    /** Bytes of a frame whose first plane has rows so far apart; 0 for {@link #MJPEG}. */
    long frameBytes(int width, int height, long stride) {
        long half = (height + 1) / 2;
        return switch (this) {
            case BGR, RGB, GREY, YUYV, UYVY -> stride * (height - 1) + rowBytes(width);
            case NV12 -> stride * (height + half - 1) + 2L * ((width + 1) / 2);
            case I420 -> stride * height + (stride + 1) / 2 * (2 * half - 1) + (width + 1) / 2;
            case MJPEG -> 0;
        };
    }
}
