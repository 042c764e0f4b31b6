package dev.shrike.cpu;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * Gives batch normalisation the statistics with which the ONNX project's Python reference evaluator computes it (opsets
 * 9 to 13, {@code momentum} 0.9): the stored mean and variance mixed with those of the batch at hand. For one input
 * these are constants, so the network stays one for inference and folds as any other.
 */
final class BatchStatistics {
    private static final float KEPT = 0.9f;

    private BatchStatistics() {}

    /** The graph with the statistics that it has on these inputs. */
    static Graph mixed(Graph graph, Map<String, Tensor> inputs) {
        Graph current = graph;
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.BatchNormalization) {
                String x = node.input(0);
                current = withStatistics(current, node, ReferenceEvaluator.run(current, inputs, Set.of(x)).get(x));
            }
        }
        return current;
    }

    private static Graph withStatistics(Graph graph, Node norm, Tensor x) {
        int channels = (int) x.shape().dim(1);
        int inner = (int) (x.elements() / x.shape().dim(0) / channels);
        int count = (int) x.elements() / channels;
        float[] mean = new float[channels];
        float[] variance = new float[channels];
        for (int c = 0; c < channels; c++) {
            double sum = 0;
            for (int i = 0; i < count; i++) {
                sum += x.doubleAt(at(i, c, channels, inner));
            }
            double squares = 0;
            for (int i = 0; i < count; i++) {
                double off = x.doubleAt(at(i, c, channels, inner)) - sum / count;
                squares += off * off;
            }
            mean[c] = (float) mix(graph.constants().get(norm.input(3)).floatAt(c), sum / count);
            variance[c] = (float) mix(graph.constants().get(norm.input(4)).floatAt(c), squares / count);
        }
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        constants.put(norm.input(3), Tensor.ofFloats(Shape.of(channels), mean));
        constants.put(norm.input(4), Tensor.ofFloats(Shape.of(channels), variance));
        return graph.withNodes(graph.nodes(), constants);
    }

    private static double mix(double stored, double batch) {
        return stored * KEPT + batch * (1 - KEPT);
    }

    /** Index of the i-th element of a channel. */
    private static long at(int i, int channel, int channels, int inner) {
        return ((long) (i / inner) * channels + channel) * inner + i % inner;
    }
}
