package dev.shrike.calibration.prune;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which weights of convolutions become zero, by name of the layer and element of its weights {@code [outputs, inputs,
 * kernelHeight, kernelWidth]}: true where a weight goes.
 */
final class WeightMasks {
    private WeightMasks() {}

    /** Convolutions with constant weights. */
    static List<Node> layers(Graph graph) {
        return graph.nodes().stream().filter(node -> node.op() instanceof Op.Conv
                && graph.constants().containsKey(node.input(1))).toList();
    }

    /** The absolute weights of each layer. */
    static Map<String, float[]> magnitudes(Graph graph) {
        Map<String, float[]> scores = new LinkedHashMap<>();
        for (Node layer : layers(graph)) {
            float[] own = graph.constants().get(layer.input(1)).toFloats();
            for (int i = 0; i < own.length; i++) {
                own[i] = Math.abs(own[i]);
            }
            scores.put(layer.name(), own);
        }
        return scores;
    }

    /**
     * Exactly that share of all elements, those with the lowest scores.
     *
     * @param global whether all layers compete; else each layer loses that share of its own
     */
    static Map<String, boolean[]> lowest(Map<String, float[]> scores, double share, boolean global) {
        Map<String, boolean[]> masks = new LinkedHashMap<>();
        if (!global) {
            scores.forEach((layer, own) -> masks.putAll(lowest(Map.of(layer, own), share, true)));
            return masks;
        }
        int count = scores.values().stream().mapToInt(own -> own.length).sum();
        float[] all = new float[count];
        int at = 0;
        for (float[] own : scores.values()) {
            System.arraycopy(own, 0, all, at, own.length);
            at += own.length;
        }
        int gone = (int) Math.round(share * count);
        Arrays.sort(all);
        float threshold = gone == 0 ? Float.NEGATIVE_INFINITY : all[gone - 1];
        int below = 0;
        while (below < gone && all[below] < threshold) {
            below++;
        }
        int equal = gone - below;
        for (Map.Entry<String, float[]> layer : scores.entrySet()) {
            boolean[] mask = new boolean[layer.getValue().length];
            for (int i = 0; i < mask.length; i++) {
                float score = layer.getValue()[i];
                mask[i] = score < threshold || score == threshold && equal-- > 0;
            }
            masks.put(layer.getKey(), mask);
        }
        return masks;
    }

    /**
     * Whole kernels, the weights from one input channel to one output channel, by the mean of their scores.
     *
     * @param scores of single weights
     */
    static Map<String, boolean[]> kernels(Graph graph, Map<String, float[]> scores, double share, boolean global) {
        Map<String, float[]> sums = new LinkedHashMap<>();
        Map<String, Integer> areas = new HashMap<>();
        for (Node layer : layers(graph)) {
            Tensor weights = graph.constants().get(layer.input(1));
            int area = Math.toIntExact(weights.elements() / weights.shape().dim(0) / weights.shape().dim(1));
            float[] own = scores.get(layer.name());
            float[] sum = new float[own.length / area];
            for (int i = 0; i < own.length; i++) {
                sum[i / area] += own[i] / area;
            }
            sums.put(layer.name(), sum);
            areas.put(layer.name(), area);
        }
        Map<String, boolean[]> masks = new LinkedHashMap<>();
        lowest(sums, share, global).forEach((layer, kernels) -> {
            int area = areas.get(layer);
            boolean[] mask = new boolean[kernels.length * area];
            for (int i = 0; i < mask.length; i++) {
                mask[i] = kernels[i / area];
            }
            masks.put(layer, mask);
        });
        return masks;
    }

    /**
     * N of M: of each M weights in a row along the input channels at the same place of the kernel, N stay (Mishra et
     * al. 2021). A last part of fewer than M stays whole, and so do layers with fewer input channels than M.
     */
    static Map<String, boolean[]> ofEach(Graph graph, Map<String, float[]> scores, int stay, int of) {
        Map<String, boolean[]> masks = new LinkedHashMap<>();
        for (Node layer : layers(graph)) {
            Tensor weights = graph.constants().get(layer.input(1));
            int inputs = Math.toIntExact(weights.shape().dim(1));
            int area = Math.toIntExact(weights.elements() / weights.shape().dim(0) / inputs);
            float[] own = scores.get(layer.name());
            boolean[] mask = new boolean[own.length];
            for (int output = 0; output < weights.shape().dim(0); output++) {
                for (int place = 0; place < area; place++) {
                    for (int first = 0; first + of <= inputs; first += of) {
                        mask(own, mask, (output * inputs + first) * area + place, area, stay, of);
                    }
                }
            }
            masks.put(layer.name(), mask);
        }
        return masks;
    }

    private static void mask(float[] scores, boolean[] mask, int first, int step, int stay, int of) {
        for (int gone = 0; gone < of - stay; gone++) {
            int lowest = -1;
            for (int i = 0; i < of; i++) {
                int at = first + i * step;
                if (!mask[at] && (lowest < 0 || scores[at] < scores[lowest])) {
                    lowest = at;
                }
            }
            mask[lowest] = true;
        }
    }

    /** The graph with these weights zero. */
    static Graph apply(Graph graph, Map<String, boolean[]> masks) {
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        for (Node layer : layers(graph)) {
            boolean[] mask = masks.get(layer.name());
            if (mask != null) {
                // From what is there by now: layers may share weights.
                Tensor given = constants.get(layer.input(1));
                float[] weights = given.toFloats();
                for (int i = 0; i < weights.length; i++) {
                    weights[i] = mask[i] ? 0 : weights[i];
                }
                constants.put(layer.input(1), Tensor.ofFloats(given.shape(), weights));
            }
        }
        return graph.withNodes(graph.nodes(), constants);
    }
}
