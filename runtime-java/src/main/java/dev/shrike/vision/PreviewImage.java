package dev.shrike.vision;

import dev.shrike.Frame;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A small BGR image of frames of any raw format, for a live view: no full-size copy is made, and the same memory is
 * filled again each time. Confined to one thread at a time.
 */
public final class PreviewImage {
    private static final int CHANNELS = 3;

    private final int widest;
    private Frame image;
    private byte[] row = new byte[0];

    /**
     * For images of at most that width.
     *
     * @param widest in pixels; frames that are narrower keep their size
     */
    public PreviewImage(int widest) {
        if (widest <= 0) {
            throw new IllegalArgumentException("width " + widest + " is not positive");
        }
        this.widest = widest;
    }

    /**
     * The frame in small, of the same proportions; valid until the next call. Of BGR frames it is interpolated
     * bilinearly, JPEG frames are decoded first, and of other formats each pixel is the nearest one, by BT.601.
     *
     * @throws dev.shrike.SourceException if the frame is a JPEG that cannot be decoded
     */
    public Frame of(Frame frame) {
        int width = Math.min(widest, frame.width());
        int height = Math.max(1, (int) Math.round((double) frame.height() * width / frame.width()));
        if (image == null || image.width() != width || image.height() != height) {
            image = Frame.allocate(width, height);
            row = new byte[CHANNELS * width];
        }
        MemorySegment pixels = Images.live(frame);
        switch (frame.format()) {
            case BGR -> shrink(frame, pixels);
            case MJPEG -> {
                Frame decoded = Images.bgr(frame);
                shrink(decoded, Images.live(decoded));
            }
            case RGB, GREY, YUYV, UYVY, NV12, I420 -> sample(frame, pixels);
        }
        image.stamp(frame.capturedNanos(), frame.capturedMicros(), frame.clockSynchronized(), frame.sequence());
        return image;
    }

    /**
     * An image that {@link #of} gave, as a JPEG file.
     *
     * @param quality 1 to 100
     * @throws dev.shrike.SourceException if it cannot be encoded
     */
    public static byte[] jpeg(Frame image, int quality) {
        OpenCvLibrary.require();
        return OpenCv.encode(Images.live(image), image.width(), image.height(), ".jpg", "preview",
                OpenCv.JPEG_QUALITY, quality);
    }

    private void shrink(Frame frame, MemorySegment pixels) {
        if (frame.stride() == CHANNELS * frame.width()) {
            OpenCvLibrary.require();
            OpenCv.resize(pixels, frame.width(), frame.height(), image.pixels(), image.width(), image.height());
        } else {
            sample(frame, pixels);
        }
    }

    private void sample(Frame frame, MemorySegment pixels) {
        for (int y = 0; y < image.height(); y++) {
            int fromY = (int) ((long) y * frame.height() / image.height());
            for (int x = 0; x < image.width(); x++) {
                int fromX = (int) ((long) x * frame.width() / image.width());
                sample(frame, pixels, fromX, fromY, CHANNELS * x);
            }
            MemorySegment.copy(row, 0, image.pixels(), ValueLayout.JAVA_BYTE, (long) CHANNELS * image.width() * y,
                    row.length);
        }
    }

    private void sample(Frame frame, MemorySegment pixels, int x, int y, int to) {
        long line = (long) y * frame.stride();
        switch (frame.format()) {
            case BGR ->
                put(to, at(pixels, line + 3L * x), at(pixels, line + 3L * x + 1), at(pixels, line + 3L * x + 2));
            case RGB ->
                put(to, at(pixels, line + 3L * x + 2), at(pixels, line + 3L * x + 1), at(pixels, line + 3L * x));
            case GREY -> put(to, at(pixels, line + x), at(pixels, line + x), at(pixels, line + x));
            case YUYV -> yuv(to, at(pixels, line + 2L * x), at(pixels, line + 4L * (x / 2) + 1),
                    at(pixels, line + 4L * (x / 2) + 3));
            case UYVY -> yuv(to, at(pixels, line + 2L * x + 1), at(pixels, line + 4L * (x / 2)),
                    at(pixels, line + 4L * (x / 2) + 2));
            case NV12 -> {
                long chroma = (long) frame.stride() * (frame.height() + y / 2) + 2L * (x / 2);
                yuv(to, at(pixels, line + x), at(pixels, chroma), at(pixels, chroma + 1));
            }
            case I420 -> {
                long half = (frame.stride() + 1) / 2;
                long first = (long) frame.stride() * frame.height();
                long chroma = first + half * (y / 2) + x / 2;
                long second = chroma + half * ((frame.height() + 1) / 2);
                yuv(to, at(pixels, line + x), at(pixels, chroma), at(pixels, second));
            }
            case MJPEG -> throw new IllegalArgumentException("a JPEG is decoded, not sampled");
        }
    }

    private static int at(MemorySegment pixels, long offset) {
        return pixels.get(ValueLayout.JAVA_BYTE, offset) & 0xff;
    }

    private void put(int to, int blue, int green, int red) {
        row[to] = (byte) blue;
        row[to + 1] = (byte) green;
        row[to + 2] = (byte) red;
    }

    /** BT.601, limited range, in 1/256. */
    private void yuv(int to, int luma, int u, int v) {
        int y = 298 * Math.max(0, luma - 16) + 128;
        int blue = y + 516 * (u - 128) >> 8;
        int green = y - 100 * (u - 128) - 208 * (v - 128) >> 8;
        int red = y + 409 * (v - 128) >> 8;
        put(to, Math.clamp(blue, 0, 255), Math.clamp(green, 0, 255), Math.clamp(red, 0, 255));
    }
}
