package dev.shrike.calibration.prune;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What a layer with weights takes.
 *
 * @param layer name of the node
 * @param inputs channels read
 * @param outputs channels made
 * @param weights elements of its weights
 * @param zeros of these
 * @param parameters weights, bias, and scale and shift of a batch normalisation right behind it
 * @param macs multiplications with additions for one image
 */
public record LayerCost(String layer, int inputs, int outputs, long weights, long zeros, long parameters, long macs) {

    /** The costs of all convolutions and products with constant matrices, in the order of the graph. */
    public static List<LayerCost> of(Graph graph) {
        Map<String, ValueInfo> infos = ShapeInference.infer(graph);
        List<LayerCost> costs = new ArrayList<>();
        for (Node node : graph.nodes()) {
            Tensor weights = node.inputs().size() < 2 ? null : graph.constants().get(node.input(1));
            if (weights == null) {
                continue;
            }
            Shape out = infos.get(node.output()).shape();
            Shape shape = weights.shape();
            long positions = switch (node.op()) {
                case Op.Conv _ -> out.elements() / out.dim(1);
                case Op.Gemm _,Op.MatMul _ -> out.elements() / out.dim(-1);
                default -> -1;
            };
            if (positions < 0) {
                continue;
            }
            boolean conv = node.op() instanceof Op.Conv;
            Shape in = infos.get(node.input(0)).shape();
            costs.add(new LayerCost(node.name(), Math.toIntExact(in.dim(conv ? 1 : -1)),
                    Math.toIntExact(out.dim(conv ? 1 : -1)), weights.elements(), zeros(weights),
                    weights.elements() + extra(graph, node), positions * weights.elements()
                            / (conv ? 1 : batch(shape))));
        }
        return costs;
    }

    private static long batch(Shape matrix) {
        long matrices = 1;
        for (int axis = 0; axis < matrix.rank() - 2; axis++) {
            matrices *= matrix.dim(axis);
        }
        return matrices;
    }

    private static long zeros(Tensor weights) {
        long zeros = 0;
        for (long i = 0; i < weights.elements(); i++) {
            zeros += weights.doubleAt(i) == 0 ? 1 : 0;
        }
        return zeros;
    }

    private static long extra(Graph graph, Node node) {
        long parameters = node.hasInput(2) && graph.constants().containsKey(node.input(2))
                ? graph.constants().get(node.input(2)).elements() : 0;
        for (Node other : graph.nodes()) {
            if (other.op() instanceof Op.BatchNormalization && other.input(0).equals(node.output())) {
                parameters += 2 * graph.constants().get(other.input(1)).elements();
            }
        }
        return parameters;
    }

    /** The multiplications of all of them. */
    public static long macs(List<LayerCost> costs) {
        return costs.stream().mapToLong(LayerCost::macs).sum();
    }

    /** The parameters of all of them. */
    public static long parameters(List<LayerCost> costs) {
        return costs.stream().mapToLong(LayerCost::parameters).sum();
    }
}
