package dev.shrike.training.qat;

import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;

/** Codes of another width for the same range: with each bit less a step doubles, and the last one is left out. */
final class CodeWidth {
    private CodeWidth() {}

    /**
     * These codes with so many bits, 2 to 8. Zero points are halved as often as steps are doubled and rounded to a
     * code, so that 0 stays exact.
     */
    static Quantization of(Quantization how, int bits) {
        double factor = Math.pow(2, how.bits() - bits);
        float[] scales = how.scale().toFloats();
        long[] zeros = how.zeroPoint().toLongs();
        int low = how.signed() ? -(1 << (bits - 1)) : 0;
        for (int i = 0; i < scales.length; i++) {
            scales[i] = (float) (scales[i] * factor);
            zeros[i] = Math.clamp((long) Math.rint(zeros[i] / factor), low, low + (1 << bits) - 1);
        }
        Shape shape = how.scale().shape();
        return new Quantization(Tensor.ofFloats(shape, scales), Tensor.of(how.zeroPoint().type(), shape, zeros), bits,
                how.signed(), false, how.axis());
    }
}
