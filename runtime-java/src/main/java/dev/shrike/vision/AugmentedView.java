package dev.shrike.vision;

import dev.shrike.Frame;
import java.lang.foreign.MemorySegment;

/**
 * One of the views that YOLOv5 looks at a letterboxed image in when it augments (v6.1, {@code _forward_augment}): the
 * image, perhaps mirrored, resized by a scale and padded with grey at the right and below to a multiple of the
 * stride.
 *
 * @param scale size of the image in the view, 0 to 1
 * @param mirrored whether left and right are swapped
 * @param width width of the letterboxed image in pixels
 * @param height height of the letterboxed image in pixels
 * @param stride largest stride of the network
 */
public record AugmentedView(double scale, boolean mirrored, int width, int height, int stride) {
    private static final byte GREY = 114;
    private static final int PIXEL_BYTES = 3;

    public AugmentedView {
        if (!(scale > 0 && scale <= 1) || width < 1 || height < 1 || stride < 1) {
            throw new IllegalArgumentException("view of " + width + "x" + height + " by " + scale);
        }
    }

    /** Width of the view in pixels. */
    public int viewWidth() {
        return padded(width);
    }

    /** Height of the view in pixels. */
    public int viewHeight() {
        return padded(height);
    }

    private int padded(int side) {
        return scale == 1 ? side : (int) Math.ceil(side * scale / stride) * stride;
    }

    /** The frame fitted into {@code width x height} as {@link Letterbox} does, as bytes. */
    public static Frame letterboxed(Frame frame, int width, int height) {
        OpenCvLibrary.require();
        LetterboxTransform transform = LetterboxTransform.of(frame.width(), frame.height(), width, height);
        int innerWidth = Preprocessing.YOLO.inner(frame.width(), transform.ratio(), width);
        int innerHeight = Preprocessing.YOLO.inner(frame.height(), transform.ratio(), height);
        Frame inner = resized(frame, innerWidth, innerHeight);
        Frame whole = grey(width, height);
        place(inner, whole, transform.padX(), transform.padY());
        return whole;
    }

    /** The view of a letterboxed image. */
    public Frame of(Frame letterboxed) {
        if (scale == 1 && !mirrored) {
            return letterboxed;
        }
        Frame given = mirrored ? mirror(letterboxed) : letterboxed;
        Frame view = grey(viewWidth(), viewHeight());
        place(resized(given, Math.max(1, (int) (width * scale)), Math.max(1, (int) (height * scale))), view, 0, 0);
        return view;
    }

    private static Frame resized(Frame frame, int width, int height) {
        if (frame.width() == width && frame.height() == height) {
            return frame;
        }
        Frame resized = Frame.allocate(width, height);
        OpenCv.resize(Images.live(frame), frame.width(), frame.height(), resized.pixels(), width, height);
        return resized;
    }

    private static Frame grey(int width, int height) {
        Frame frame = Frame.allocate(width, height);
        frame.pixels().fill(GREY);
        return frame;
    }

    private static void place(Frame inner, Frame whole, int left, int top) {
        long row = (long) PIXEL_BYTES * inner.width();
        for (int y = 0; y < inner.height(); y++) {
            long to = PIXEL_BYTES * ((long) (top + y) * whole.width() + left);
            MemorySegment.copy(inner.pixels(), y * row, whole.pixels(), to, row);
        }
    }

    private static Frame mirror(Frame frame) {
        Frame mirrored = Frame.allocate(frame.width(), frame.height());
        OpenCv.mirror(frame.pixels(), mirrored.pixels(), frame.width(), frame.height());
        return mirrored;
    }
}
