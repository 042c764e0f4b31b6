package dev.shrike.graph.quantization;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.util.HashMap;
import java.util.Map;

/**
 * Quantisation by signed 8-bit codes with zero point 0. Activations get one scale: with a zero point that which covers
 * their larger side, which costs those of SiLU (-0.28 and up) nearly a bit. Weights keep their floats, with a coarser
 * rounding only where a zero point moved their range beyond -128 to 127. What is so already stays as it is.
 */
public final class SymmetricCodes implements GraphPass {
    private static final int LARGEST = 127;

    /** Codes times a smaller scale would not come out of a division by it again. */
    private static final float SMALLEST = Float.MIN_NORMAL;

    @Override
    public Graph apply(Graph graph) {
        Map<String, Quantization> quantization = new HashMap<>();
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        graph.quantization().forEach((name, how) -> {
            Tensor codes = constants.get(name);
            Quantization symmetric = symmetric(name, how);
            if (codes == null) {
                quantization.put(name, perTensor(symmetric));
            } else {
                quantization.put(name, symmetric);
                constants.put(name, recode(codes, how, symmetric));
            }
        });
        return graph.withNodes(graph.nodes(), constants, quantization);
    }

    private static Quantization symmetric(String name, Quantization how) {
        int count = Math.toIntExact(how.scale().elements());
        float[] scales = new float[count];
        for (int i = 0; i < count; i++) {
            long zero = how.zeroPoint().longAt(i);
            double factor = Math.max((double) (how.maxCode() - zero) / LARGEST,
                    (double) (zero - how.minCode()) / (LARGEST + 1));
            scales[i] = Math.max((float) (how.scale().floatAt(i) * Math.max(1, factor)), SMALLEST);
            if (!Float.isFinite(scales[i] * (LARGEST + 1))) {
                throw new UnsupportedModelException("value '" + name + "' has the scale " + scales[i]
                        + ", whose codes stand for no float32; quantise the network again");
            }
        }
        return of(Tensor.ofFloats(how.scale().shape(), scales), how.axis());
    }

    private static Quantization of(Tensor scales, int axis) {
        return new Quantization(scales,
                Tensor.of(DataType.INT32, scales.shape(), new long[Math.toIntExact(scales.elements())]), 8, true, false,
                axis);
    }

    private static Quantization perTensor(Quantization how) {
        float largest = 0;
        for (float scale : how.scale().toFloats()) {
            largest = Math.max(largest, scale);
        }
        return Quantization.perTensor(largest, 0, 8, true);
    }

    private static Tensor recode(Tensor codes, Quantization from, Quantization to) {
        Tensor floats = QuantizationMath.dequantize(codes, from);
        return QuantizationMath.codes(floats, to);
    }

    /** The same floats, nearly, with a scale for each index of the first dimension. */
    public static Quantization byFirstDimension(Tensor floats) {
        int rows = Math.toIntExact(floats.shape().dim(0));
        float[] scales = new float[rows];
        java.util.Arrays.fill(scales, SMALLEST);
        long row = floats.elements() / rows;
        for (long i = 0; i < floats.elements(); i++) {
            int at = (int) (i / row);
            scales[at] = Math.max(scales[at], Math.abs(floats.floatAt(i)) / LARGEST);
        }
        return of(Tensor.ofFloats(Shape.of(rows), scales), 0);
    }
}
