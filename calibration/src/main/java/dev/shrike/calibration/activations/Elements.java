package dev.shrike.calibration.activations;

import dev.shrike.spi.Binding;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The elements of a value of a network as an array, whatever their order in the memory of an engine: of an image
 * ({@code [1, C, H, W]}) row by row, pixel by pixel, channel by channel; of any other value row-major.
 */
public final class Elements {
    private Elements() {}

    /** How many channels lie one after another in the array. */
    public static int channels(Binding binding) {
        return binding.dims().size() == 4 ? binding.dims().get(1) : 1;
    }

    /** The elements of each of these values by name, in their order. */
    public static Map<String, float[]> all(List<Binding> bindings) {
        Map<String, float[]> elements = new LinkedHashMap<>();
        for (Binding binding : bindings) {
            float[] values = new float[binding.elements()];
            read(binding, values);
            elements.put(binding.name(), values);
        }
        return elements;
    }

    /** Copies the elements into the array, from its start. */
    public static void read(Binding binding, float[] to) {
        copy(binding, to, true);
    }

    /** Copies the array into the elements. */
    public static void write(float[] from, Binding binding) {
        copy(binding, from, false);
    }

    private static void copy(Binding binding, float[] array, boolean reads) {
        int count = binding.elements();
        if (array.length < count) {
            throw new IllegalArgumentException(array.length + " elements of an array for " + count);
        }
        boolean image = binding.dims().size() == 4;
        if (image ? binding.isChannelsLast() : binding.isContiguous()) {
            move(binding.memory(), 0, array, 0, count, reads);
            return;
        }
        int rank = binding.dims().size();
        int[] order = new int[rank];
        for (int i = 0; i < rank; i++) {
            order[i] = image ? new int[] {0, 2, 3, 1}[i] : i;
        }
        walk(binding, order, 0, 0, array, new int[1], reads);
    }

    private static void walk(Binding binding, int[] order, int depth, long offset, float[] array, int[] at,
            boolean reads) {
        if (depth == order.length) {
            element(binding.memory(), offset, array, at[0]++, reads);
            return;
        }
        int size = binding.dims().get(order[depth]);
        int stride = binding.strides().get(order[depth]);
        if (depth == order.length - 1) {
            if (stride == 1) {
                move(binding.memory(), offset, array, at[0], size, reads);
            } else {
                for (int i = 0; i < size; i++) {
                    element(binding.memory(), offset + (long) i * stride, array, at[0] + i, reads);
                }
            }
            at[0] += size;
            return;
        }
        for (int i = 0; i < size; i++) {
            walk(binding, order, depth + 1, offset + (long) i * stride, array, at, reads);
        }
    }

    private static void element(MemorySegment memory, long index, float[] array, int at, boolean reads) {
        if (reads) {
            array[at] = memory.getAtIndex(ValueLayout.JAVA_FLOAT, index);
        } else {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, index, array[at]);
        }
    }

    private static void move(MemorySegment memory, long index, float[] array, int at, int count, boolean reads) {
        if (reads) {
            MemorySegment.copy(memory, ValueLayout.JAVA_FLOAT, index * Float.BYTES, array, at, count);
        } else {
            MemorySegment.copy(array, at, memory, ValueLayout.JAVA_FLOAT, index * Float.BYTES, count);
        }
    }
}
