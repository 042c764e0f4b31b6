package dev.shrike.graph;

import dev.shrike.graph.inference.ShapeInference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Rewrites batch normalisation as the ONNX project's Python reference evaluator computes the operator of opsets 9 to 13
 * when its {@code momentum} is given, even where the standard (and every runtime) says inference: the stored mean and
 * variance are first mixed with those of the batch, {@code stored * momentum + batch * (1 - momentum)}.
 */
public final class MixedStatistics implements GraphPass {
    private static final float MOMENTUM = 0.9f;

    @Override
    public Graph apply(Graph graph) {
        Map<String, ValueInfo> infos = ShapeInference.infer(graph);
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.BatchNormalization norm) {
                nodes.addAll(mixed(node, norm, infos.get(node.input(0)).shape().rank(), constants));
            } else {
                nodes.add(node);
            }
        }
        return graph.withNodes(nodes, constants);
    }

    private static List<Node> mixed(Node node, Op.BatchNormalization norm, int rank, Map<String, Tensor> constants) {
        String p = node.name() + ".mixed.";
        constants.put(p + "axes", rank == 4 ? Tensor.vector(0, 2, 3) : Tensor.vector(0));
        constants.put(p + "batchPart", Tensor.scalar(1 - MOMENTUM));
        constants.put(p + "epsilon", Tensor.scalar(norm.epsilon()));
        String[] names = {"gamma", "beta", "mean", "variance"};
        for (int i = 0; i < 4; i++) {
            double[] values = Numbers.floats(constants.get(node.input(i + 1)));
            for (int c = 0; c < values.length && i >= 2; c++) {
                values[c] *= MOMENTUM;
            }
            long[] dims = new long[rank];
            java.util.Arrays.fill(dims, 1);
            dims[1] = values.length;
            constants.put(p + names[i], Numbers.real(DataType.FLOAT32, Shape.of(dims), values));
        }
        String x = node.input(0);
        Op.Reduce mean = new Op.Reduce(Op.Reduce.Kind.MEAN, true);
        return List.of(node(p + "m", mean, x, p + "axes"), binary(p + "d", "SUB", x, p + "m"),
                binary(p + "dd", "MUL", p + "d", p + "d"), node(p + "v", mean, p + "dd", p + "axes"),
                binary(p + "m1", "MUL", p + "m", p + "batchPart"), binary(p + "m2", "ADD", p + "m1", p + "mean"),
                binary(p + "v1", "MUL", p + "v", p + "batchPart"), binary(p + "v2", "ADD", p + "v1", p + "variance"),
                binary(p + "v3", "ADD", p + "v2", p + "epsilon"),
                node(p + "s", Op.Unary.of(Op.Unary.Kind.SQRT), p + "v3"), binary(p + "c", "SUB", x, p + "m2"),
                binary(p + "n", "DIV", p + "c", p + "s"), binary(p + "g", "MUL", p + "n", p + "gamma"),
                binary(node.output(), "ADD", p + "g", p + "beta"));
    }

    private static Node binary(String output, String kind, String a, String b) {
        return node(output, new Op.Binary(Op.Binary.Kind.valueOf(kind)), a, b);
    }

    private static Node node(String output, Op op, String... inputs) {
        return new Node(output, op, List.of(inputs), List.of(output));
    }
}
