package dev.shrike.vision;

import dev.shrike.Frame;
import java.lang.foreign.MemorySegment;

/**
 * Draws lines, areas and text into a frame: what charts are made of. Positions are in pixels from the upper left
 * corner, colours are 0xRRGGBB; what lies outside the frame is cut off. Text is in any script that the
 * system has a font for (see {@link Lettering}). Confined to one thread; closing it leaves the frame.
 */
public final class Canvas implements AutoCloseable {
    private static final double SUB_PIXELS = 16;
    /** Beyond this many pixels a position would overflow OpenCV's fixed-point numbers. */
    private static final double FARTHEST = 1 << 20;
    private static final int PIXEL_BYTES = 3;
    /** Room around turned text, as letters such as g reach below the line. */
    private static final int MARGIN = 8;

    private final Frame frame;
    private final OpenCv.Canvas canvas;

    /**
     * A canvas over the frame's own pixels.
     *
     * @throws dev.shrike.BackendUnavailableException if OpenCV cannot be loaded
     */
    public Canvas(Frame frame) {
        OpenCvLibrary.require();
        this.frame = frame;
        this.canvas = new OpenCv.Canvas(Images.live(frame), frame.width(), frame.height());
    }

    /** Fills the rectangle with these corners, both included. */
    public void fill(int x1, int y1, int x2, int y2, int colour) {
        canvas.rectangle(x1, y1, x2, y2, colour, -1);
    }

    /** Draws a straight line. */
    public void line(double x1, double y1, double x2, double y2, int colour, int thickness) {
        canvas.line(fixed(x1), fixed(y1), fixed(x2), fixed(y2), colour, thickness);
    }

    /** Writes text to the right of {@code x}, on the line {@code y}. */
    public void text(String text, int x, int y, double scale, int colour, int thickness) {
        Lettering.write(canvas, frame, text, x, y, scale, colour, thickness);
    }

    /**
     * Writes text from the bottom to the top, starting at {@code y}, with its line at {@code x} on the right.
     *
     * @param ground colour of the ground below the text, which its edges blend with
     */
    public void textUpwards(String text, int x, int y, double scale, int colour, int thickness, int ground) {
        int[] size = Lettering.size(text, scale, thickness);
        Frame flat = Frame.allocate(size[0] + 2 * MARGIN, size[1] + 2 * MARGIN);
        try (OpenCv.Canvas strip = new OpenCv.Canvas(flat.pixels(), flat.width(), flat.height())) {
            strip.rectangle(0, 0, flat.width(), flat.height(), ground, -1);
            Lettering.write(strip, flat, text, MARGIN, MARGIN + size[1], scale, colour, thickness);
        }
        for (int row = 0; row < flat.height(); row++) {
            for (int column = 0; column < flat.width(); column++) {
                copyInk(flat, column, row, x - size[1] - MARGIN + row, y + MARGIN - column);
            }
        }
    }

    /** Copies a pixel unless it is of the ground, which the pixel at the corner is. */
    private void copyInk(Frame from, int fromX, int fromY, int x, int y) {
        long source = PIXEL_BYTES * ((long) fromY * from.width() + fromX);
        MemorySegment ground = from.pixels().asSlice(0, PIXEL_BYTES);
        boolean outside = x < 0 || y < 0 || x >= frame.width() || y >= frame.height();
        if (outside || from.pixels().asSlice(source, PIXEL_BYTES).mismatch(ground) < 0) {
            return;
        }
        long target = PIXEL_BYTES * ((long) y * frame.width() + x);
        MemorySegment.copy(from.pixels(), source, frame.pixels(), target, PIXEL_BYTES);
    }

    /** Width of a text in pixels. */
    public static int textWidth(String text, double scale, int thickness) {
        OpenCvLibrary.require();
        return Lettering.size(text, scale, thickness)[0];
    }

    /** Colour of a class, the one its boxes are drawn in. */
    public static int classColour(int classId) {
        return Drawing.colour(classId);
    }

    private static int fixed(double position) {
        return (int) Math.rint(Math.clamp(position, -FARTHEST, FARTHEST) * SUB_PIXELS);
    }

    @Override
    public void close() {
        canvas.close();
    }
}
