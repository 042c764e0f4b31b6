package dev.shrike.graph.passes;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Indices;
import dev.shrike.graph.Links;
import dev.shrike.graph.NewNames;
import dev.shrike.graph.Node;
import dev.shrike.graph.Numbers;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Gives products of codes the scales that come behind them. ConvInteger and MatMulInteger are read as products of codes
 * whose scale is 1, the sums of which are then made floats and multiplied:
 *
 * <pre>{@code
 * y = Cast(Conv(DequantizeLinear(x, 1, xZero), DequantizeLinear(w, 1, wZero))) * (xScale * wScale) [+ bias]
 *   = Conv(DequantizeLinear(x, xScale, xZero), DequantizeLinear(w, wScale, wZero)[, bias])
 * }</pre>
 *
 * where x and its scale and zero point come from one DynamicQuantizeLinear, or from a QuantizeLinear of constant scale,
 * and w and its scale are constants. The scales may be multiplied in any order. Products that are something else stay.
 */
final class IntegerProductScales implements GraphPass {
    @Override
    public Graph apply(Graph graph) {
        boolean any = graph.nodes().stream().anyMatch(node -> node.op() instanceof Op.Cast cast
                && cast.to() == DataType.INT32);
        return any ? new Rewrite(graph).apply() : graph;
    }

    private static final class Rewrite {
        private final Graph graph;
        private final Links links;
        private final NewNames names;
        private final Map<String, Tensor> constants;
        private final Map<Node, List<Node>> replacements = new HashMap<>();
        private final Set<Node> dropped = new HashSet<>();

        Rewrite(Graph graph) {
            this.graph = graph;
            this.links = new Links(graph);
            this.names = new NewNames(graph);
            this.constants = new HashMap<>(graph.constants());
        }

        Graph apply() {
            for (Node node : graph.nodes()) {
                if (node.op() instanceof Op.Cast cast && cast.to() == DataType.INT32) {
                    sums(node).ifPresent(this::replace);
                }
            }
            if (replacements.isEmpty()) {
                return graph;
            }
            List<Node> nodes = new ArrayList<>();
            for (Node node : graph.nodes()) {
                if (replacements.containsKey(node)) {
                    nodes.addAll(replacements.get(node));
                } else if (!dropped.contains(node)) {
                    nodes.add(node);
                }
            }
            return new EliminateDeadNodes().apply(graph.withNodes(nodes, constants));
        }

        /** A product of codes of scale 1 and all that is done to its sums up to {@code last}. */
        private record Sums(Node product, Node x, Node weights, List<String> factors, Node last) {}

        private Optional<Sums> sums(Node cast) {
            Node product = links.writer(cast.input(0));
            if (product == null || !(product.op() instanceof Op.Conv || product.op() instanceof Op.MatMul)
                    || product.inputs().size() != 2) {
                return Optional.empty();
            }
            Node x = links.writer(product.input(0));
            Node weights = links.writer(product.input(1));
            if (!isOfOnes(x) || !isOfOnes(weights) || !graph.constants().containsKey(weights.input(0))) {
                return Optional.empty();
            }
            List<String> factors = new ArrayList<>();
            Node at = cast;
            while (true) {
                Node reader = onlyReader(at);
                if (reader != null && reader.op() instanceof Op.Cast to && to.to() == DataType.FLOAT32) {
                    at = reader;
                } else if (reader != null && isProduct(reader) && addFactors(other(reader, at), factors, 0)) {
                    at = reader;
                } else {
                    break;
                }
            }
            return factors.isEmpty() ? Optional.empty() : Optional.of(new Sums(product, x, weights, factors, at));
        }

        private boolean isOfOnes(Node node) {
            if (node == null || !(node.op() instanceof Op.DequantizeLinear)) {
                return false;
            }
            Tensor scale = links.constant(node.input(1));
            for (long i = 0; scale != null && i < scale.elements(); i++) {
                if (scale.floatAt(i) != 1) {
                    return false;
                }
            }
            return scale != null;
        }

        private Node onlyReader(Node node) {
            return links.hasSingleReader(node.output()) ? links.readers(node.output()).getFirst() : null;
        }

        private static boolean isProduct(Node node) {
            return node.op() instanceof Op.Binary binary && binary.kind() == Op.Binary.Kind.MUL;
        }

        private static String other(Node node, Node operand) {
            return node.input(0).equals(operand.output()) ? node.input(1) : node.input(0);
        }

        /** Constants and scales that are measured, which the value is the product of; false if it is another. */
        private boolean addFactors(String value, List<String> factors, int depth) {
            Node writer = links.writer(value);
            if (links.constant(value) != null || isMeasured(writer, value)) {
                factors.add(value);
                return true;
            }
            return writer != null && depth < 4 && isProduct(writer)
                    && addFactors(writer.input(0), factors, depth + 1)
                    && addFactors(writer.input(1), factors, depth + 1);
        }

        private static boolean isMeasured(Node writer, String value) {
            return writer != null && writer.op() instanceof Op.DynamicQuantizeLinear
                    && value.equals(writer.outputs().get(1));
        }

        private void replace(Sums sums) {
            Node quantizer = links.writer(sums.x().input(0));
            List<String> measured = sums.factors().stream().filter(name -> links.constant(name) == null).toList();
            List<Tensor> known = sums.factors().stream().map(links::constant).filter(tensor -> tensor != null).toList();
            double[] scales = channelScales(sums, known);
            if (quantizer == null || scales == null) {
                return;
            }
            List<String> x = new ArrayList<>(sums.x().inputs());
            if (quantizer.op() instanceof Op.DynamicQuantizeLinear && measured.size() == 1
                    && measured.getFirst().equals(quantizer.outputs().get(1))) {
                x.set(1, measured.getFirst());
            } else if (quantizer.op() instanceof Op.QuantizeLinear && measured.isEmpty()
                    && links.scalar(quantizer.input(1)) > 0) {
                double scale = links.scalar(quantizer.input(1));
                scales = Arrays.stream(scales).map(value -> value / scale).toArray();
                x.set(1, quantizer.input(1));
            } else {
                return;
            }
            put(sums, x, scales);
        }

        private void put(Sums sums, List<String> x, double[] scales) {
            Node product = sums.product();
            String real = names.next(product.output() + ".input");
            String weights = names.next(product.output() + ".weights");
            List<Node> pieces = new ArrayList<>();
            pieces.add(new Node(real, sums.x().op(), x, List.of(real)));
            pieces.add(weights(sums, scales, weights));
            List<String> inputs = new ArrayList<>(List.of(real, weights));
            Node last = sums.last();
            Node bias = onlyReader(last);
            if (product.op() instanceof Op.Conv && bias != null && bias.op() instanceof Op.Binary binary
                    && binary.kind() == Op.Binary.Kind.ADD) {
                double[] values = perChannel(links.constant(other(bias, last)), product, channels(sums));
                if (values != null) {
                    inputs.add(constant(product.output() + ".bias",
                            Numbers.real(DataType.FLOAT32, Shape.of(values.length), values)));
                    dropped.add(last);
                    last = bias;
                }
            }
            pieces.add(new Node(product.name(), product.op(), inputs, List.of(last.output())));
            // Where the last node was, all that the pieces read is known. The old product keeps no reader.
            dropped.add(product);
            for (Node node = links.readers(product.output()).getFirst(); node != last; node = onlyReader(node)) {
                dropped.add(node);
            }
            replacements.put(last, pieces);
        }

        /** The weights with their scales; those of channels with scale 0 become zero points. */
        private Node weights(Sums sums, double[] scales, String output) {
            Node old = sums.weights();
            Tensor codes = graph.constants().get(old.input(0));
            int axis = axis(sums.product());
            Tensor zero = links.constant(old.input(2));
            int count = scales.length;
            long[] zeros = new long[count];
            for (int i = 0; zero != null && i < count; i++) {
                zeros[i] = zero.longAt(zero.elements() == 1 ? 0 : i);
            }
            long[] values = codes.toLongs();
            int inner = Indices.product(codes.shape(), axis + 1, codes.shape().rank());
            for (int i = 0; i < values.length; i++) {
                int channel = i / inner % count;
                values[i] = scales[channel] == 0 ? zeros[channel] : values[i];
            }
            double[] positive = Arrays.stream(scales).map(scale -> scale == 0 ? 1 : scale).toArray();
            List<String> inputs = List.of(
                    constant(output + ".codes", Tensor.of(codes.type(), codes.shape(), values)),
                    constant(output + ".scale", Numbers.real(DataType.FLOAT32, Shape.of(count), positive)),
                    constant(output + ".zero", Tensor.of(codes.type(), Shape.of(count), zeros)));
            return new Node(output, new Op.DequantizeLinear(axis), inputs, List.of(output));
        }

        private String constant(String wish, Tensor tensor) {
            String name = names.next(wish);
            constants.put(name, tensor);
            return name;
        }

        private static int axis(Node product) {
            return product.op() instanceof Op.Conv ? 0 : 1;
        }

        private int channels(Sums sums) {
            Shape shape = graph.constants().get(sums.weights().input(0)).shape();
            return Math.toIntExact(shape.dim(axis(sums.product())));
        }

        /** The product of all known factors for each output channel, or null if one is no such factor. */
        private double[] channelScales(Sums sums, List<Tensor> known) {
            Tensor codes = graph.constants().get(sums.weights().input(0));
            if (codes.shape().rank() != (sums.product().op() instanceof Op.Conv ? 4 : 2)) {
                return null;
            }
            double[] product = new double[channels(sums)];
            Arrays.fill(product, 1);
            for (Tensor factor : known) {
                double[] values = perChannel(factor, sums.product(), product.length);
                if (values == null) {
                    return null;
                }
                for (int i = 0; i < product.length; i++) {
                    product[i] *= values[i];
                    if (!(product[i] >= 0) || Double.isInfinite(product[i])) {
                        return null;
                    }
                }
            }
            return product;
        }

        /** A constant that has one element, or one for each channel along the dimension of the channels; else null. */
        private static double[] perChannel(Tensor tensor, Node product, int channels) {
            if (tensor == null || tensor.type() != DataType.FLOAT32) {
                return null;
            }
            double[] values = new double[channels];
            if (tensor.elements() == 1) {
                Arrays.fill(values, tensor.doubleAt(0));
                return tensor.shape().rank() <= 4 ? values : null;
            }
            int behind = product.op() instanceof Op.Conv ? 2 : 0;
            int at = tensor.shape().rank() - 1 - behind;
            if (tensor.elements() != channels || at < 0 || tensor.shape().rank() > 4
                    || tensor.shape().dim(at) != channels) {
                return null;
            }
            return Numbers.floats(tensor);
        }
    }
}
