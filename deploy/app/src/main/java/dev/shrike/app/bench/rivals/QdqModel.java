package dev.shrike.app.bench.rivals;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A float network with 8-bit codes in the way that ONNX Runtime's own static quantiser has them, which is the form that
 * it runs quickest: the graph as its file has it, a scale per output channel of the weights, and codes for every
 * activation up to the convolutions of the Detect head, whose outputs stay float.
 */
public final class QdqModel {
    private static final float LEAST = 1e-8f;
    private static final int LARGEST_CODE = 127;

    private QdqModel() {}

    /** The input and every activation that a convolution comes behind: what ranges are needed of. */
    public static Set<String> rangesNeeded(Graph graph) {
        Set<String> body = new HashSet<>();
        for (Node node : graph.nodes().reversed()) {
            if (node.op() instanceof Op.Conv || node.outputs().stream().anyMatch(body::contains)) {
                node.inputs().stream().filter(name -> !name.isEmpty() && !graph.constants().containsKey(name))
                        .forEach(body::add);
            }
        }
        return body;
    }

    /** The network with codes, given the smallest and largest value of each of {@link #rangesNeeded}. */
    public static Graph quantize(Graph graph, Map<String, float[]> ranges) {
        Map<String, Quantization> quantization = new HashMap<>();
        ranges.forEach((name, range) -> quantization.put(name, codes(range)));
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            Tensor weights = node.op() instanceof Op.Conv ? graph.constants().get(node.input(1)) : null;
            if (weights == null || !quantization.containsKey(node.input(0))) {
                nodes.add(node);
                continue;
            }
            String name = node.input(1) + "/codes";
            quantizeWeights(name, weights, constants, quantization);
            List<String> inputs = new ArrayList<>(node.inputs());
            inputs.set(1, name);
            nodes.add(node.withInputs(inputs));
        }
        // Float weights that nobody reads any more; two convolutions may share theirs.
        Set<String> used = new HashSet<>();
        nodes.forEach(node -> used.addAll(node.inputs()));
        constants.keySet().removeIf(name -> !used.contains(name));
        return new Graph(graph.name(), graph.inputs(), graph.outputs(), nodes, constants, quantization,
                graph.metadata());
    }

    private static Quantization codes(float[] range) {
        float low = Math.min(range[0], 0);
        float scale = Math.max((Math.max(range[1], 0) - low) / 255, LEAST);
        return Quantization.perTensor(scale, Math.round(-low / scale), 8, false);
    }

    private static void quantizeWeights(
            String name, Tensor weights, Map<String, Tensor> constants, Map<String, Quantization> quantization) {
        int rows = (int) weights.shape().dim(0);
        int depth = (int) (weights.elements() / rows);
        float[] scales = new float[rows];
        long[] codes = new long[rows * depth];
        for (int row = 0; row < rows; row++) {
            float largest = LEAST;
            for (int i = 0; i < depth; i++) {
                largest = Math.max(largest, Math.abs(weights.floatAt((long) row * depth + i)));
            }
            scales[row] = largest / LARGEST_CODE;
            for (int i = 0; i < depth; i++) {
                codes[row * depth + i] = Math.round(weights.floatAt((long) row * depth + i) / scales[row]);
            }
        }
        constants.put(name, Tensor.of(DataType.INT8, weights.shape(), codes));
        Tensor zeros = Tensor.of(DataType.INT8, Shape.of(rows), new long[rows]);
        quantization.put(name, new Quantization(Tensor.ofFloats(Shape.of(rows), scales), zeros, 8, true, false, 0));
    }
}
