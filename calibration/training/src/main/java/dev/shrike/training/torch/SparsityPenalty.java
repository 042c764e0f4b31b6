package dev.shrike.training.torch;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.training.SparseTraining;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** The gradient of {@link SparseTraining}'s penalty on the gammas of batch normalisation. */
final class SparsityPenalty implements Regularizer {
    /** Share of all gammas that a soft mask is on. */
    private static final double MASKED = 0.5;

    private final SparseTraining how;
    private final Map<String, Double> costs;

    /** @param graph of the network, whose shapes are known */
    SparsityPenalty(SparseTraining how, Graph graph) {
        this.how = how;
        this.costs = costs(graph);
    }

    /** Multiplications of one channel of the convolution before each gamma, relative to the mean of all layers. */
    static Map<String, Double> costs(Graph graph) {
        Map<String, ValueInfo> infos = ShapeInference.infer(graph);
        Map<String, Node> makers = new HashMap<>();
        graph.nodes().forEach(node -> node.outputs().forEach(name -> makers.put(name, node)));
        Map<String, Double> costs = new HashMap<>();
        for (Node node : graph.nodes()) {
            Node maker = makers.get(node.input(0));
            if (!(node.op() instanceof Op.BatchNormalization) || maker == null || !(maker.op() instanceof Op.Conv)) {
                continue;
            }
            Tensor weights = graph.constants().get(maker.input(1));
            var shape = infos.get(maker.output()).shape();
            costs.put(node.input(1),
                    (double) weights.elements() / weights.shape().dim(0) * shape.dim(2) * shape.dim(3));
        }
        double mean = costs.values().stream().mapToDouble(Double::doubleValue).average().orElse(1);
        costs.replaceAll((_, cost) -> cost / mean);
        return costs;
    }

    @Override
    public void addGradients(TorchNetwork network, double progress) {
        Map<String, float[]> gammas = new HashMap<>();
        network.gammas().forEach(name -> gammas.put(name, TensorMath.floats(network.parameters().get(name))));
        double threshold = how.method() == SparseTraining.Method.COSINE ? threshold(gammas) : 0;
        gammas.forEach((name, values) -> {
            org.bytedeco.pytorch.Tensor gradient = network.parameters().get(name).grad();
            if (gradient.defined()) {
                float[] penalty = penalty(how, values, costs.getOrDefault(name, 1.0), threshold, progress);
                gradient.add_(TensorMath.onto(TensorMath.ofFloats(penalty, penalty.length), gradient));
            }
        });
    }

    /** The size that the smaller half of all gammas stays below. */
    private static double threshold(Map<String, float[]> gammas) {
        double[] all = gammas.values().stream().flatMapToDouble(values -> {
            double[] sizes = new double[values.length];
            Arrays.setAll(sizes, i -> Math.abs(values[i]));
            return Arrays.stream(sizes);
        }).sorted().toArray();
        return all.length == 0 ? 0 : all[(int) Math.min(all.length - 1.0, MASKED * all.length)];
    }

    /**
     * The gradients of the penalty on the gammas of a layer.
     *
     * @param cost of a channel, relative to that of others
     * @param threshold below which a soft mask is
     * @param progress share of the run that is done
     */
    static float[] penalty(SparseTraining how, float[] gammas, double cost, double threshold, double progress) {
        double mean = 0;
        for (float gamma : gammas) {
            mean += Math.abs(gamma) / gammas.length;
        }
        float[] penalty = new float[gammas.length];
        for (int i = 0; i < penalty.length; i++) {
            double size = Math.abs(gammas[i]);
            double share = switch (how.method()) {
                case CONSTANT -> 1;
                case COSINE -> size < threshold ? 1 : (1 + Math.cos(Math.PI * progress)) / 2;
                case FILTER_WISE -> mean == 0 ? 1 : 2 * mean / (size + mean);
                case COMPUTE_WEIGHTED -> cost;
            };
            penalty[i] = (float) (how.factor() * share * Math.signum(gammas[i]));
        }
        return penalty;
    }
}
