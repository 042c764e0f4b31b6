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
import java.util.stream.IntStream;

/**
 * Images as a network wants them, one at a time: letterboxed to its input, and a window of that at a random place if
 * a smaller one is asked for. Confined to one thread; the owner closes it.
 */
public final class CalibrationImages implements AutoCloseable {
    /** Spreads seeds that follow each other: the golden ratio in 64 bits, as in SplitMix64. */
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;

    private final List<Path> files;
    private final ValueInfo input;
    private final int crop;
    private final long seed;
    private final int cropHeight;
    private final int cropWidth;
    private final int height;
    private final int width;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment memory;
    private final Letterbox letterbox;
    /** For images that come as a whole, or null. */
    private final Letterbox small;

    /**
     * Images for an input, with the windows of seed 0.
     *
     * @param input {@code [1, 3, height, width]}
     * @param crop largest side of the window in pixels, 0 for the whole input
     * @throws UnsupportedModelException if the input is no image
     */
    public CalibrationImages(List<Path> files, ValueInfo input, int crop) {
        this(files, input, crop, 0);
    }

    /**
     * Images for an input.
     *
     * @param input {@code [1, 3, height, width]}
     * @param crop largest side of the window in pixels, 0 for the whole input
     * @param seed decides where in the images the windows lie
     * @throws UnsupportedModelException if the input is no image
     */
    public CalibrationImages(List<Path> files, ValueInfo input, int crop, long seed) {
        this(files, input, crop, seed, false);
    }

    /**
     * Images of which every other one comes as a whole, letterboxed to the size of the window: large objects do not
     * fit into windows.
     */
    public static CalibrationImages withWholes(List<Path> files, ValueInfo input, int crop) {
        return new CalibrationImages(files, input, crop, 0, true);
    }

    private CalibrationImages(List<Path> files, ValueInfo input, int crop, long seed, boolean whole) {
        Shape shape = input.shape();
        if (shape.rank() != 4 || !shape.isKnown() || shape.dim(0) != 1 || shape.dim(1) != 3) {
            throw new UnsupportedModelException("networks are calibrated on images, but the input '" + input.name()
                    + "' has the shape " + shape + " instead of 1x3xHxW");
        }
        this.files = List.copyOf(files);
        this.input = input;
        this.crop = crop;
        this.seed = seed;
        height = Math.toIntExact(shape.dim(2));
        width = Math.toIntExact(shape.dim(3));
        cropHeight = crop == 0 ? height : Math.min(crop, height);
        cropWidth = crop == 0 ? width : Math.min(crop, width);
        memory = arena.allocate(3L * height * width * Float.BYTES, 64);
        letterbox = letterbox(input.name(), height, width);
        small = whole && (cropHeight < height || cropWidth < width) ? letterbox(input.name(), cropHeight, cropWidth)
                : null;
    }

    private Letterbox letterbox(String name, int rows, int columns) {
        return new Letterbox(new Binding(name, List.of(1, 3, rows, columns),
                List.of(3 * rows * columns, 1, 3 * columns, 3), memory));
    }

    /**
     * Some of these images, to be closed by the caller like these.
     *
     * @param first number of the first one
     * @param step from one to the next
     * @param most of them
     */
    public CalibrationImages part(int first, int step, int most) {
        List<Path> some = IntStream.iterate(first, i -> i < files.size(), i -> i + step).limit(most)
                .mapToObj(files::get).toList();
        return new CalibrationImages(some, input, crop, seed, small != null);
    }

    /** Number of images. */
    public int size() {
        return files.size();
    }

    /** The file of an image. */
    public Path file(int index) {
        return files.get(index);
    }

    /** The shape of what {@link #read} gives. */
    public Shape shape() {
        return Shape.of(1, 3, cropHeight, cropWidth);
    }

    /**
     * An image, row by row, pixel by pixel, RGB from 0 to 1. The window is the same at every call.
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
            throw new IllegalArgumentException(to.length + " elements for an image of " + shape());
        }
        if (small != null && index % 2 == 1) {
            small.apply(Frame.read(files.get(index)));
            MemorySegment.copy(memory, ValueLayout.JAVA_FLOAT, 0, to, 0, 3 * cropHeight * cropWidth);
            return;
        }
        var transform = letterbox.apply(Frame.read(files.get(index)));
        SplittableRandom random = new SplittableRandom(window + seed * GOLDEN);
        // Within the image itself where it is large enough, so that little grey is learned.
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
        if (small != null) {
            small.close();
        }
        arena.close();
    }
}
