package dev.shrike.sources;

import dev.shrike.PixelFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Optional;

/**
 * Requests and structures of {@code linux/videodev2.h} as they lie in memory on 64-bit Linux. Numbers behind structures
 * are their sizes and offsets in bytes.
 */
final class V4l2 {
    static final long QUERYCAP = 0x80685600L;
    static final long ENUM_FMT = 0xC0405602L;
    static final long G_FMT = 0xC0D05604L;
    static final long S_FMT = 0xC0D05605L;
    static final long REQBUFS = 0xC0145608L;
    static final long QUERYBUF = 0xC0585609L;
    static final long QBUF = 0xC058560FL;
    static final long DQBUF = 0xC0585611L;
    static final long STREAMON = 0x40045612L;
    static final long STREAMOFF = 0x40045613L;
    static final long S_PARM = 0xC0CC5616L;
    static final long ENUM_FRAMESIZES = 0xC02C564AL;

    static final int CAPABILITY_BYTES = 104;
    static final int CARD_AT = 16;
    static final int BUS_AT = 48;
    static final int NAME_BYTES = 32;
    static final int CAPABILITIES_AT = 84;
    static final int DEVICE_CAPABILITIES_AT = 88;

    static final int FORMAT_DESCRIPTION_BYTES = 64;
    static final int DESCRIPTION_PIXELS_AT = 44;

    static final int FORMAT_BYTES = 208;
    static final int WIDTH_AT = 8;
    static final int HEIGHT_AT = 12;
    static final int PIXELS_AT = 16;
    static final int FIELD_AT = 20;
    static final int STRIDE_AT = 24;
    static final int SIZE_AT = 28;

    static final int REQUEST_BYTES = 20;

    static final int BUFFER_BYTES = 88;
    static final int USED_AT = 8;
    static final int FLAGS_AT = 12;
    static final int SECONDS_AT = 24;
    static final int MICROSECONDS_AT = 32;
    static final int SEQUENCE_AT = 56;
    static final int MEMORY_AT = 60;
    static final int OFFSET_AT = 64;
    static final int LENGTH_AT = 72;

    static final int PARAMETERS_BYTES = 204;
    static final int PERIOD_AT = 12;
    static final int PERIOD_DENOMINATOR_AT = 16;

    static final int FRAME_SIZE_BYTES = 44;
    static final int FRAME_SIZE_PIXELS_AT = 4;
    static final int FRAME_SIZE_TYPE_AT = 8;
    static final int FRAME_SIZE_WIDTH_AT = 12;
    static final int FRAME_SIZE_HEIGHT_AT = 16;

    static final int TYPE_VIDEO_CAPTURE = 1;
    static final int MEMORY_MAPPED = 1;
    static final int FIELD_NONE = 1;
    static final int DISCRETE = 1;
    static final int CAN_CAPTURE = 1;
    static final int CAN_CAPTURE_PLANES = 0x1000;
    static final int CAN_STREAM = 0x4000000;
    static final int HAS_DEVICE_CAPABILITIES = 0x80000000;
    static final int FLAG_ERROR = 0x40;
    static final int FLAG_TIMESTAMP_MASK = 0xe000;
    static final int FLAG_TIMESTAMP_MONOTONIC = 0x2000;

    static final int E_NOENT = 2;
    static final int E_INTR = 4;
    static final int E_IO = 5;
    static final int E_NXIO = 6;
    static final int E_AGAIN = 11;
    static final int E_ACCES = 13;
    static final int E_BUSY = 16;
    static final int E_NODEV = 19;
    static final int E_INVAL = 22;
    static final int E_NOTTY = 25;
    static final int E_NOSPC = 28;

    /** Pixel formats in the order of preference: what needs least work before it can be resized. */
    enum Pixels {
        YUYV("YUYV", PixelFormat.YUYV),
        NV12("NV12", PixelFormat.NV12),
        I420("YU12", PixelFormat.I420),
        UYVY("UYVY", PixelFormat.UYVY),
        BGR("BGR3", PixelFormat.BGR),
        RGB("RGB3", PixelFormat.RGB),
        GREY("GREY", PixelFormat.GREY),
        MJPEG("MJPG", PixelFormat.MJPEG),
        JPEG("JPEG", PixelFormat.MJPEG);

        final int code;
        final PixelFormat format;

        Pixels(String name, PixelFormat format) {
            code = name.charAt(0) | name.charAt(1) << 8 | name.charAt(2) << 16 | name.charAt(3) << 24;
            this.format = format;
        }

        static Optional<Pixels> of(int code) {
            for (Pixels one : values()) {
                if (one.code == code) {
                    return Optional.of(one);
                }
            }
            return Optional.empty();
        }
    }

    private V4l2() {}

    /** The text of a field that ends at a zero byte or at its end. */
    static String text(MemorySegment memory, long at, int length) {
        byte[] bytes = memory.asSlice(at, length).toArray(ValueLayout.JAVA_BYTE);
        int end = 0;
        while (end < length && bytes[end] != 0) {
            end++;
        }
        return new String(bytes, 0, end, StandardCharsets.UTF_8);
    }

    /** What an error number means for people. */
    static String error(int negated) {
        return switch (-negated) {
            case E_NOENT, E_NODEV, E_NXIO -> "it is not there";
            case E_ACCES -> "permission denied: add the user to the group video";
            case E_BUSY -> "it is in use by another program";
            case E_IO -> "input/output error";
            case E_INVAL -> "it refuses (EINVAL)";
            case E_NOTTY -> "it is no V4L2 device";
            case E_NOSPC -> "the USB bus has no room for it: use MJPEG, a smaller size, or another port";
            default -> "error " + -negated;
        };
    }
}
