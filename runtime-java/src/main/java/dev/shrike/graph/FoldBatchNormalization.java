package dev.shrike.graph;

import dev.shrike.ModelException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Folds inference batch normalisation into the weights and bias of the convolution before it; one that follows
 * something else becomes a Mul and an Add (Ioffe and Szegedy 2015, algorithm 2: {@code y = (x - mean) * s + beta} with
 * {@code s = gamma / sqrt(variance + epsilon)}).
 */
public final class FoldBatchNormalization implements GraphPass {
    @Override
    public Graph apply(Graph graph) {
        return graph.nodes().stream().anyMatch(node -> node.op() instanceof Op.BatchNormalization)
                ? new Rewrite(graph).apply() : graph;
    }

    private static final class Rewrite {
        private final Graph graph;
        private final Links links;
        private final Map<String, ValueInfo> infos;
        private final NewNames names;
        private final Map<String, Tensor> constants;

        Rewrite(Graph graph) {
            this.graph = graph;
            this.links = new Links(graph);
            this.infos = ShapeInference.infer(graph);
            this.names = new NewNames(graph);
            this.constants = new HashMap<>(graph.constants());
        }

        Graph apply() {
            List<Node> nodes = new ArrayList<>();
            for (Node node : graph.nodes()) {
                if (!(node.op() instanceof Op.BatchNormalization norm) || !isConstant(node)) {
                    nodes.add(node);
                    continue;
                }
                Affine affine = Affine.of(node, norm, links);
                Node conv = links.writer(node.input(0));
                if (conv != null && isFoldable(conv)) {
                    nodes.set(nodes.indexOf(conv), fold(conv, node, affine));
                } else {
                    addMulAndAdd(nodes, node, affine);
                }
            }
            boolean changed = constants.size() != graph.constants().size();
            return changed ? graph.withNodes(nodes, constants) : graph;
        }

        private boolean isConstant(Node node) {
            for (int i = 1; i < 5; i++) {
                if (links.constant(node.input(i)) == null) {
                    return false;
                }
            }
            return !graph.quantization().containsKey(node.input(0));
        }

        private boolean isFoldable(Node node) {
            return node.op() instanceof Op.Conv conv && conv.activation().kind() == Activation.Kind.NONE
                    && !node.hasInput(3) && links.hasSingleReader(node.output())
                    && links.constant(node.input(1)) != null
                    && (!node.hasInput(2) || links.constant(node.input(2)) != null);
        }

        private Node fold(Node conv, Node norm, Affine affine) {
            Tensor weights = links.constant(conv.input(1));
            double[] w = Numbers.reals(weights);
            double[] bias = conv.hasInput(2)
                    ? Numbers.reals(links.constant(conv.input(2))) : new double[affine.scale.length];
            int perChannel = w.length / Math.max(1, affine.scale.length);
            for (int i = 0; i < w.length; i++) {
                w[i] *= affine.scale[i / perChannel];
            }
            for (int i = 0; i < bias.length; i++) {
                bias[i] = bias[i] * affine.scale[i] + affine.shift[i];
            }
            String weightName = names.next(conv.input(1) + ".folded");
            String biasName = names.next(norm.input(2) + ".folded");
            constants.put(weightName, Numbers.real(weights.type(), weights.shape(), w));
            constants.put(biasName, Numbers.real(weights.type(), Shape.of(bias.length), bias));
            return new Node(conv.name(), conv.op(), List.of(conv.input(0), weightName, biasName),
                    List.of(norm.output()));
        }

        private void addMulAndAdd(List<Node> nodes, Node norm, Affine affine) {
            ValueInfo x = infos.get(norm.input(0));
            long[] dims = new long[x.shape().rank() - 1];
            java.util.Arrays.fill(dims, 1);
            dims[0] = affine.scale.length;
            String scale = names.next(norm.input(1) + ".scale");
            String shift = names.next(norm.input(2) + ".shift");
            String scaled = names.next(norm.output() + ".scaled");
            constants.put(scale, Numbers.real(x.type(), Shape.of(dims), affine.scale));
            constants.put(shift, Numbers.real(x.type(), Shape.of(dims), affine.shift));
            nodes.add(new Node(names.next(norm.name() + ".mul"), new Op.Binary(Op.Binary.Kind.MUL),
                    List.of(norm.input(0), scale), List.of(scaled)));
            nodes.add(new Node(norm.name(), new Op.Binary(Op.Binary.Kind.ADD), List.of(scaled, shift),
                    List.of(norm.output())));
        }
    }

    /** {@code y = scale * x + shift} for each channel. */
    private record Affine(double[] scale, double[] shift) {
        static Affine of(Node node, Op.BatchNormalization norm, Links links) {
            double[] gamma = Numbers.reals(links.constant(node.input(1)));
            double[] beta = Numbers.reals(links.constant(node.input(2)));
            double[] mean = Numbers.reals(links.constant(node.input(3)));
            double[] variance = Numbers.reals(links.constant(node.input(4)));
            double[] scale = new double[gamma.length];
            double[] shift = new double[gamma.length];
            for (int i = 0; i < scale.length; i++) {
                double spread = variance[i] + norm.epsilon();
                if (!(spread > 0)) {
                    throw new ModelException(NodeView.describe(node) + ": variance " + variance[i] + " of channel "
                            + i + ", expected one above " + -norm.epsilon());
                }
                scale[i] = gamma[i] / Math.sqrt(spread);
                shift[i] = beta[i] - mean[i] * scale[i];
            }
            return new Affine(scale, shift);
        }
    }
}
