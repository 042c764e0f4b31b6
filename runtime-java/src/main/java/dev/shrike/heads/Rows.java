package dev.shrike.heads;

import dev.shrike.UnsupportedModelException;
import dev.shrike.spi.Binding;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * An output that holds so many values for each of many boxes, in either order.
 *
 * @param output the output
 * @param memory its memory
 * @param boxes number of boxes
 * @param values number of values of one box
 * @param boxStride distance between neighbouring boxes, in elements
 * @param valueStride distance between neighbouring values of one box, in elements
 */
record Rows(Binding output, MemorySegment memory, int boxes, int values, int boxStride, int valueStride) {
    /** What rounding adds to a score: in half precision nothing to speak of, of a network with few bits half a step. */
    private static final float TOLERANCE = 0.1f;

    /** Boxes whose scores are looked at, evenly spaced, since the check must not cost what a frame costs. */
    private static final int SAMPLE = 512;

    /** Smallest and largest of some values. */
    record Range(float low, float high) {
        @Override
        public String toString() {
            return low + " to " + high;
        }
    }

    /**
     * The rows of {@code [1, N, values]}, or of {@code [1, values, N]} if transposed.
     *
     * @param output of three dimensions, the first 1
     */
    static Rows of(Binding output, boolean transposed) {
        int boxAxis = transposed ? 2 : 1;
        int valueAxis = transposed ? 1 : 2;
        return new Rows(output, output.memory(), output.dims().get(boxAxis), output.dims().get(valueAxis),
                output.strides().get(boxAxis), output.strides().get(valueAxis));
    }

    /** The rows of some boxes, of an output {@code [1, N, values]}. */
    Rows part(int first, int end) {
        MemorySegment part = memory.asSlice((long) Float.BYTES * boxStride * first);
        Binding some =
                new Binding(output.name(), List.of(1, end - first, output.dims().get(2)), output.strides(), part);
        return new Rows(some, part, end - first, values, boxStride, valueStride);
    }

    float value(int box, int index) {
        return memory.getAtIndex(ValueLayout.JAVA_FLOAT, (long) box * boxStride + (long) index * valueStride);
    }

    /** The range of some values over boxes evenly spaced; not finite as soon as a value is not. */
    Range range(int from, int to, int sample) {
        float low = Float.POSITIVE_INFINITY;
        float high = Float.NEGATIVE_INFINITY;
        float finite = 0;
        int step = Math.max(1, boxes / sample);
        boolean alongBoxes = boxStride == 1;
        // Whole lines are copied, since this runs once, before anything of it is compiled.
        float[] line = new float[alongBoxes ? boxes : to - from];
        for (int i = alongBoxes ? from : 0; i < (alongBoxes ? to : boxes); i += alongBoxes ? 1 : step) {
            read(i, from, alongBoxes, line);
            for (int j = 0; j < line.length; j += alongBoxes ? step : 1) {
                float value = line[j];
                finite += value * 0;
                low = Math.min(low, value);
                high = Math.max(high, value);
            }
        }
        return finite == 0 ? new Range(low, high) : new Range(Float.NaN, Float.NaN);
    }

    /** A value of all boxes, or values of one box. */
    private void read(int index, int from, boolean alongBoxes, float[] line) {
        long at = alongBoxes ? (long) index * valueStride : (long) index * boxStride + (long) from * valueStride;
        if (alongBoxes || valueStride == 1) {
            MemorySegment.copy(memory, ValueLayout.JAVA_FLOAT, at * Float.BYTES, line, 0, line.length);
            return;
        }
        for (int i = 0; i < line.length; i++) {
            line[i] = value(index, from + i);
        }
    }

    /**
     * Returns if values can be scores, within 0 to 1.
     *
     * @param what what they should be: {@code "class scores"}
     * @param otherwise what to do if they are not
     * @throws UnsupportedModelException otherwise; gives their range
     */
    void requireScores(int from, int to, String what, String otherwise) {
        Range range = range(from, to, SAMPLE);
        if (range.low() < -TOLERANCE || range.high() > 1 + TOLERANCE) {
            throw noScores(output, what, range, otherwise);
        }
    }

    /** Whether a value can be a score. */
    static boolean isScore(float value) {
        return value >= -TOLERANCE && value <= 1 + TOLERANCE;
    }

    static UnsupportedModelException noScores(Binding output, String what, Range range, String otherwise) {
        return new UnsupportedModelException("the output " + output.name() + " " + output.dims()
                + " holds values from " + range + " where " + what + " from 0 to 1 should be: " + otherwise);
    }
}
