package dev.shrike.calibration.prune.channels;

import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.lang.foreign.MemorySegment;

/** Tensors of parts of others, or of numbers of more precision. */
public final class TensorSlices {
    private TensorSlices() {}

    /** These numbers, rounded to single precision, as a vector. */
    public static Tensor vector(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
        }
        return Tensor.ofFloats(Shape.of(floats.length), floats);
    }

    /**
     * These positions along an axis, in that order.
     *
     * @param tensor of a type whose elements have whole bytes
     */
    public static Tensor take(Tensor tensor, int axis, int[] positions) {
        long[] dims = tensor.shape().toArray();
        long inner = tensor.type().bytes(1);
        for (int i = axis + 1; i < dims.length; i++) {
            inner *= dims[i];
        }
        long outer = 1;
        for (int i = 0; i < axis; i++) {
            outer *= dims[i];
        }
        long length = dims[axis];
        dims[axis] = positions.length;
        Shape shape = Shape.of(dims);
        MemorySegment to = MemorySegment.ofArray(new byte[Math.toIntExact(tensor.type().bytes(shape.elements()))]);
        long at = 0;
        for (long row = 0; row < outer; row++) {
            for (int position : positions) {
                MemorySegment.copy(tensor.data(), (row * length + position) * inner, to, at, inner);
                at += inner;
            }
        }
        return new Tensor(tensor.type(), shape, to);
    }
}
