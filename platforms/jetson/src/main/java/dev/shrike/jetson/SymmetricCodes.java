package dev.shrike.jetson;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.util.HashMap;
import java.util.Map;

/**
 * Quantisation as TensorRT takes it: signed 8-bit codes with zero point 0. Activations with a zero point get the scale
 * that covers their larger side, which costs those of SiLU (-0.28 and up) nearly a bit; weights keep their reals, with
 * a coarser rounding only where a zero point moved their range beyond -127 to 127.
 */
final class SymmetricCodes implements GraphPass {
    private static final int LARGEST = 127;

    @Override
    public Graph apply(Graph graph) {
        if (graph.quantization().isEmpty()) {
            return graph;
        }
        Map<String, Quantization> quantization = new HashMap<>();
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        graph.quantization().forEach((name, how) -> {
            Quantization symmetric = symmetric(how);
            quantization.put(name, symmetric);
            constants.computeIfPresent(name, (_, codes) -> recode(codes, how, symmetric));
        });
        return graph.withNodes(graph.nodes(), constants, quantization);
    }

    private static Quantization symmetric(Quantization how) {
        int count = Math.toIntExact(how.scale().elements());
        float[] scales = new float[count];
        for (int i = 0; i < count; i++) {
            long zero = how.zeroPoint().longAt(i);
            long reach = Math.max(Math.abs(how.minCode() - zero), Math.abs(how.maxCode() - zero));
            scales[i] = (float) (how.scale().floatAt(i) * Math.max(1.0, (double) reach / LARGEST));
        }
        Shape shape = how.scale().shape();
        return new Quantization(Tensor.ofFloats(shape, scales), Tensor.of(DataType.INT32, shape, new long[count]), 8,
                true,
                false, how.axis());
    }

    private static Tensor recode(Tensor codes, Quantization from, Quantization to) {
        long[] recoded = new long[Math.toIntExact(codes.elements())];
        long inner = 1;
        for (int d = from.axis() + 1; from.axis() >= 0 && d < codes.shape().rank(); d++) {
            inner *= codes.shape().dim(d);
        }
        long channels = from.isPerTensor() ? 1 : codes.shape().dim(from.axis());
        for (int i = 0; i < recoded.length; i++) {
            long channel = from.isPerTensor() ? 0 : i / inner % channels;
            double real = (double) from.scale().floatAt(channel)
                    * (codes.longAt(i) - from.zeroPoint().longAt(channel));
            recoded[i] = (long) Math.clamp(Math.rint(real / to.scale().floatAt(channel)), -LARGEST - 1, LARGEST);
        }
        return Tensor.of(DataType.INT8, codes.shape(), recoded);
    }
}
