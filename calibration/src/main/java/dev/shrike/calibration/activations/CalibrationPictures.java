package dev.shrike.calibration.activations;

import dev.shrike.Frame;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.spi.Binding;
import dev.shrike.vision.Letterbox;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Pictures as a network wants them, one at a time: letterboxed to its input, and a window of that at a random place if
 * a smaller one is asked for. Confined to one thread; the owner closes it.
 */
public final class CalibrationPictures implements AutoCloseable {
    /** Spreads seeds that follow each other: the golden ratio in 64 bits, as in SplitMix64. */
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;

    private final List<Path> files;
    private final long seed;
    private final int cropHeight;
    private final int cropWidth;
    private final int height;
    private final int width;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private final Letterbox letterbox;

    /**
     * Pictures for an input, with the windows of seed 0.
     *
     * @param input {@code [1, 3, height, width]}
     * @param crop largest side of the window in pixels, 0 for the whole input
     * @throws UnsupportedModelException if the input is no picture
     */
    public CalibrationPictures(List<Path> files, ValueInfo input, int crop) {
        this(files, input, crop, 0);
    }

    /**
     * Pictures for an input.
     *
     * @param input {@code [1, 3, height, width]}
     * @param crop largest side of the window in pixels, 0 for the whole input
     * @param seed decides where in the pictures the windows lie
     * @throws UnsupportedModelException if the input is no picture
     */
    public CalibrationPictures(List<Path> files, ValueInfo input, int crop, long seed) {
        Shape shape = input.shape();
        if (shape.rank() != 4 || !shape.isKnown() || shape.dim(0) != 1 || shape.dim(1) != 3) {
            throw new UnsupportedModelException("networks are calibrated on pictures, but the input '" + input.name()
                    + "' has the shape " + shape + " instead of 1x3xHxW");
        }
        this.files = List.copyOf(files);
        this.seed = seed;
        height = Math.toIntExact(shape.dim(2));
        width = Math.toIntExact(shape.dim(3));
        cropHeight = crop == 0 ? height : Math.min(crop, height);
        cropWidth = crop == 0 ? width : Math.min(crop, width);
        memory = arena.allocate(3L * height * width * Float.BYTES, 64);
        letterbox = new Letterbox(new Binding(input.name(), List.of(1, 3, height, width),
                List.of(3 * height * width, 1, 3 * width, 3), memory));
    }

    /** Number of pictures. */
    public int size() {
        return files.size();
    }

    /** The file of a picture. */
    public Path file(int index) {
        return files.get(index);
    }

    /** The shape of what {@link #read} gives. */
    public Shape shape() {
        return Shape.of(1, 3, cropHeight, cropWidth);
    }

    /**
     * A picture, row by row, pixel by pixel, RGB from 0 to 1. The window is the same at every call.
     *
     * @throws dev.shrike.SourceException if the file cannot be read
     */
    public void read(int index, float[] to) {
        read(index, 0x5eed + index, to);
    }

    /**
     * As {@link #read(int, float[])}, but with the window of this number.
     *
     * @throws dev.shrike.SourceException if the file cannot be read
     */
    public void read(int index, long window, float[] to) {
        if (to.length < 3 * cropHeight * cropWidth) {
            throw new IllegalArgumentException(to.length + " elements for a picture of " + shape());
        }
        var transform = letterbox.apply(Frame.read(files.get(index)));
        SplittableRandom random = new SplittableRandom(window + seed * GOLDEN);
        // Within the picture itself where it is large enough, so that little grey is learned.
        int top = place(random, height, cropHeight, transform.padY());
        int left = place(random, width, cropWidth, transform.padX());
        for (int y = 0; y < cropHeight; y++) {
            long from = 3L * ((long) (top + y) * width + left) * Float.BYTES;
            MemorySegment.copy(memory, ValueLayout.JAVA_FLOAT, from, to, 3 * y * cropWidth, 3 * cropWidth);
        }
    }

    private static int place(SplittableRandom random, int whole, int part, double border) {
        int low = (int) Math.min(border, (whole - part) / 2.0);
        int high = whole - part - low;
        return low + (high > low ? random.nextInt(high - low + 1) : 0);
    }

    @Override
    public void close() {
        letterbox.close();
        arena.close();
    }
}
