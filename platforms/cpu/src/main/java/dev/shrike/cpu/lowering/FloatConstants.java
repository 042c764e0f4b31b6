package dev.shrike.cpu.lowering;

import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;

/** Integer constants as the floats they stand for. */
final class FloatConstants {
    private FloatConstants() {}

    /** {@code scale * (code - zero)} of every element, as float32. */
    static Tensor of(Tensor codes, Quantization quantization) {
        Shape shape = codes.shape();
        long inner = 1;
        for (int d = quantization.axis() + 1; d < shape.rank() && quantization.axis() >= 0; d++) {
            inner *= shape.dim(d);
        }
        long size = quantization.isPerTensor() ? 1 : shape.dim(quantization.axis());
        float[] values = new float[Math.toIntExact(codes.elements())];
        for (int i = 0; i < values.length; i++) {
            long index = quantization.isPerTensor() ? 0 : i / inner % size;
            values[i] = quantization.scale().floatAt(index)
                    * (codes.longAt(i) - quantization.zeroPoint().longAt(index));
        }
        return Tensor.ofFloats(shape, values);
    }
}
