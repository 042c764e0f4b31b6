package dev.shrike.training.data;

import dev.shrike.ModelException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Decoded images in a file, which is mapped: the system keeps as much of it in memory as there is room for. Made by
 * {@link ImageStoreWriter}.
 *
 * <p>The file is little-endian: magic (8 bytes), version, number of images, position of the index (8 bytes each),
 * pixels,
 * index. For each image the index has the position of its pixels, width, height and number of boxes (8 bytes each),
 * then
 * follow five floats for each box of each image.
 */
public final class ImageStore implements TrainingImages {
    static final long MAGIC = 0x3147_4d49_4b52_4853L;
    static final long VERSION = 1;
    static final long HEADER = 32;
    static final long ENTRY = 32;
    static final int BOX_VALUES = 5;
    static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Arena arena = Arena.ofShared();
    private final MemorySegment[] pixels;
    private final int[] widths;
    private final int[] heights;
    private final float[][] boxes;

    /**
     * The images of a file.
     *
     * @throws ModelException if it is no such file, or cut off
     */
    public ImageStore(Path file) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            MemorySegment data = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
            if (data.byteSize() < HEADER || data.get(LONG, 0) != MAGIC || data.get(LONG, 8) != VERSION) {
                throw broken(file, "is no file of decoded images");
            }
            long count = data.get(LONG, 16);
            long index = data.get(LONG, 24);
            if (count < 1 || count > data.byteSize() / ENTRY || index < HEADER
                    || index > data.byteSize() - count * ENTRY) {
                throw broken(file, "is cut off");
            }
            pixels = new MemorySegment[(int) count];
            widths = new int[pixels.length];
            heights = new int[pixels.length];
            boxes = new float[pixels.length][];
            read(file, data, index);
        } catch (IOException e) {
            arena.close();
            throw new ModelException(file + ": cannot be read: " + e, e);
        } catch (RuntimeException e) {
            arena.close();
            throw e;
        }
    }

    private void read(Path file, MemorySegment data, long index) {
        long box = index + ENTRY * pixels.length;
        for (int i = 0; i < pixels.length; i++) {
            long at = index + ENTRY * i;
            long position = data.get(LONG, at);
            long width = data.get(LONG, at + 8);
            long height = data.get(LONG, at + 16);
            long count = data.get(LONG, at + 24);
            boolean sized = width >= 1 && width <= 1 << 15 && height >= 1 && height <= 1 << 15;
            if (!sized || position < HEADER || position > index - 3 * width * height || count < 0
                    || count > (data.byteSize() - box) / (BOX_VALUES * Float.BYTES)) {
                throw broken(file, "is cut off or damaged at image " + i);
            }
            pixels[i] = data.asSlice(position, 3 * width * height);
            widths[i] = (int) width;
            heights[i] = (int) height;
            boxes[i] = new float[(int) count * BOX_VALUES];
            for (int j = 0; j < boxes[i].length; j++, box += Float.BYTES) {
                boxes[i][j] = data.get(FLOAT, box);
            }
        }
    }

    private static ModelException broken(Path file, String how) {
        return new ModelException(file + ": " + how + "; delete it, and it is made anew");
    }

    @Override
    public int size() {
        return pixels.length;
    }

    @Override
    public int width(int index) {
        return widths[index];
    }

    @Override
    public int height(int index) {
        return heights[index];
    }

    @Override
    public MemorySegment pixels(int index) {
        return pixels[index];
    }

    @Override
    public float[] boxes(int index) {
        return boxes[index].clone();
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
