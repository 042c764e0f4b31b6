package dev.shrike.graph.passes;

import dev.shrike.ModelException;
import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Links;
import dev.shrike.graph.NewNames;
import dev.shrike.graph.Node;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Numbers;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.quantization.IntegerWeights;
import dev.shrike.graph.quantization.ScaledCodes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Folds inference batch normalisation into the weights and bias of the convolution before it, into the scales of
 * weights that are codes (also of a MatMul, which becomes a Gemm); one that follows something else becomes a Mul and
 * an Add (Ioffe and Szegedy 2015, algorithm 2: {@code y = (x - mean) * s + beta} with
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
        private final Map<String, Quantization> quantization;

        Rewrite(Graph graph) {
            this.graph = graph;
            this.links = new Links(graph);
            this.infos = ShapeInference.infer(graph);
            this.names = new NewNames(graph);
            this.constants = new HashMap<>(graph.constants());
            this.quantization = new HashMap<>(graph.quantization());
        }

        Graph apply() {
            List<Node> nodes = new ArrayList<>();
            Map<String, Integer> places = new HashMap<>();
            for (Node node : graph.nodes()) {
                places.put(node.output(), nodes.size());
                if (!(node.op() instanceof Op.BatchNormalization norm) || !isConstant(node)) {
                    nodes.add(node);
                    continue;
                }
                Affine affine = Affine.of(node, norm, links);
                Node writer = links.writer(node.input(0));
                Optional<Node> folded = writer == null ? Optional.empty() : folded(writer, node, affine);
                if (folded.isPresent()) {
                    nodes.set(places.get(writer.output()), folded.get());
                } else {
                    addMulAndAdd(nodes, node, affine);
                }
            }
            boolean changed = constants.size() != graph.constants().size();
            return changed ? graph.withNodes(nodes, constants, quantization) : graph;
        }

        private boolean isConstant(Node node) {
            for (int i = 1; i < 5; i++) {
                if (links.constant(node.input(i)) == null) {
                    return false;
                }
            }
            return !graph.quantization().containsKey(node.input(0));
        }

        private Optional<Node> folded(Node writer, Node norm, Affine affine) {
            if (!isFoldable(writer)) {
                return Optional.empty();
            }
            return links.constant(writer.input(1)) != null && writer.op() instanceof Op.Conv
                    ? Optional.of(fold(writer, norm, affine)) : foldIntoCodes(writer, norm, affine);
        }

        private boolean isFoldable(Node node) {
            boolean plain = switch (node.op()) {
                case Op.Conv conv -> conv.activation().kind() == Activation.Kind.NONE && !node.hasInput(3);
                case Op.MatMul _ -> infos.get(node.input(0)).shape().rank() == 2
                        && infos.get(node.input(1)).shape().rank() == 2;
                default -> false;
            };
            return plain && links.hasSingleReader(node.output()) && graph.constants().containsKey(node.input(1))
                    && (!node.hasInput(2) || links.constant(node.input(2)) != null);
        }

        /** Codes stay, their scales change; a MatMul of codes becomes a Gemm, which has a bias. */
        private Optional<Node> foldIntoCodes(Node writer, Node norm, Affine affine) {
            Quantization how = graph.quantization().get(writer.input(1));
            if (how == null) {
                return Optional.empty();
            }
            Tensor codes = graph.constants().get(writer.input(1));
            int axis = IntegerWeights.rowAxis(writer);
            return ScaledCodes.of(codes, how, axis, affine.scale).map(scaled -> {
                String weights = names.next(writer.input(1) + ".folded");
                constants.put(weights, scaled.codes());
                quantization.put(weights, scaled.how());
                DataType real = infos.get(norm.output()).type();
                String bias = names.next(norm.input(2) + ".folded");
                constants.put(bias, Numbers.real(real, Shape.of(affine.scale.length), bias(writer, affine)));
                Op op = writer.op() instanceof Op.MatMul ? new Op.Gemm(1, 1, false, false) : writer.op();
                return new Node(writer.name(), op, List.of(writer.input(0), weights, bias), List.of(norm.output()));
            });
        }

        private double[] bias(Node writer, Affine affine) {
            double[] bias = writer.hasInput(2)
                    ? Numbers.floats(links.constant(writer.input(2))) : new double[affine.scale.length];
            for (int i = 0; i < bias.length; i++) {
                bias[i] = bias[i] * affine.scale[i] + affine.shift[i];
            }
            return bias;
        }

        private Node fold(Node conv, Node norm, Affine affine) {
            Tensor weights = links.constant(conv.input(1));
            double[] w = Numbers.floats(weights);
            double[] bias = bias(conv, affine);
            int perChannel = w.length / Math.max(1, affine.scale.length);
            for (int i = 0; i < w.length; i++) {
                w[i] *= affine.scale[i / perChannel];
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
            double[] gamma = Numbers.floats(links.constant(node.input(1)));
            double[] beta = Numbers.floats(links.constant(node.input(2)));
            double[] mean = Numbers.floats(links.constant(node.input(3)));
            double[] variance = Numbers.floats(links.constant(node.input(4)));
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
