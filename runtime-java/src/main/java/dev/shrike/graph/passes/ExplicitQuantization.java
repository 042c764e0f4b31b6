package dev.shrike.graph.passes;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Links;
import dev.shrike.graph.NewNames;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.quantization.QuantizationMath;
import dev.shrike.graph.quantization.SymmetricCodes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Quantisation as TensorRT 8 takes it from QuantizeLinear and DequantizeLinear nodes ("explicit quantization" in its
 * documentation). The result is to be written as it is ({@link dev.shrike.onnx.OnnxModels}); a graph that is in this
 * form already keeps its codes.
 * <ul>
 * <li>Codes are signed, of 8 bits, with zero point 0; activations have one scale.
 * <li>Weights of convolutions that read codes are float32 constants, each its code times the scale, behind a
 * QuantizeLinear and a DequantizeLinear: before TensorRT 10 constants of codes are refused. Scales lie along the output
 * channels. Other weights are plain float32 constants.
 * <li>All inputs and the output of a Concat, MaxPool, Resize or another move have one scale, the largest of theirs:
 * else TensorRT translates between codes.
 * <li>What a convolution gives to its activation function is not rounded, nor what it gives to a sum with codes:
 * TensorRT takes both into the convolution.
 * <li>A copy of codes in other codes is gone.
 * </ul>
 */
public final class ExplicitQuantization implements GraphPass {
    @Override
    public Graph apply(Graph graph) {
        if (graph.quantization().isEmpty()) {
            return graph;
        }
        Graph single = withoutCopies(graph);
        Graph fused = withoutInnerRounding(single);
        return withRealWeights(withSharedScales(new SymmetricCodes().apply(fused)));
    }

    private static Graph withoutCopies(Graph graph) {
        Map<String, Quantization> quantization = new HashMap<>(graph.quantization());
        Map<String, String> renamed = new HashMap<>();
        List<Node> nodes = new ArrayList<>();
        Links links = new Links(graph);
        for (Node node : graph.nodes()) {
            Node read = node
                    .withInputs(node.inputs().stream().map(name -> renamed.getOrDefault(name, name)).toList());
            boolean copies = node.op() instanceof Op.Identity && quantization.containsKey(read.input(0))
                    && !graph.constants().containsKey(read.input(0)) && !links.isOutput(node.output());
            if (copies) {
                renamed.put(node.output(), read.input(0));
                quantization.remove(node.output());
            } else {
                nodes.add(read);
            }
        }
        return graph.withNodes(nodes, graph.constants(), quantization);
    }

    private static Graph withoutInnerRounding(Graph graph) {
        Map<String, Quantization> quantization = new HashMap<>(graph.quantization());
        Links links = new Links(graph);
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Conv && isOnlyActivated(node.output(), links)) {
                quantization.remove(node.output());
            }
        }
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Binary sum && sum.kind() == Op.Binary.Kind.ADD
                    && node.inputs().stream().allMatch(quantization::containsKey)
                    && !node.input(0).equals(node.input(1))) {
                node.inputs().reversed().stream()
                        .filter(name -> isOfConvolution(name, links) && links.readers(name).size() == 1
                                && !links.isOutput(name))
                        .findFirst().ifPresent(quantization::remove);
            }
        }
        return graph.withNodes(graph.nodes(), graph.constants(), quantization);
    }

    private static boolean isOnlyActivated(String value, Links links) {
        List<Node> readers = links.readers(value);
        return !readers.isEmpty() && !links.isOutput(value)
                && readers.stream().allMatch(reader -> isActivation(reader.op()) || isGate(reader, value, links));
    }

    private static boolean isActivation(Op op) {
        return op instanceof Op.Unary || op instanceof Op.Clip;
    }

    /** Whether the node multiplies the value by a function of it, as SiLU does. */
    private static boolean isGate(Node node, String value, Links links) {
        return node.op() instanceof Op.Binary product && product.kind() == Op.Binary.Kind.MUL
                && node.inputs().stream().filter(name -> !name.equals(value)).allMatch(name -> {
                    Node writer = links.writer(name);
                    return writer != null && isActivation(writer.op()) && writer.input(0).equals(value);
                });
    }

    private static boolean isOfConvolution(String value, Links links) {
        Node writer = links.writer(value);
        if (writer != null && isActivation(writer.op())) {
            writer = links.writer(writer.input(0));
        }
        return writer != null && writer.op() instanceof Op.Conv;
    }

    private static Graph withSharedScales(Graph graph) {
        Map<String, String> parents = new HashMap<>();
        for (Node node : graph.nodes()) {
            List<String> sharing = new ArrayList<>();
            if (node.op() instanceof Op.Concat || node.op() instanceof Op.Resize
                    || node.op().movesData()) {
                sharing.addAll(node.op() instanceof Op.Concat ? node.inputs() : List.of(node.input(0)));
                sharing.addAll(node.outputs());
                sharing.removeIf(name -> !graph.quantization().containsKey(name)
                        || graph.constants().containsKey(name));
            }
            for (int i = 1; i < sharing.size(); i++) {
                String one = root(parents, sharing.getFirst());
                String other = root(parents, sharing.get(i));
                if (!one.equals(other)) {
                    parents.put(other, one);
                }
            }
        }
        Map<String, Quantization> largest = new HashMap<>();
        graph.quantization().forEach((name, how) -> largest.merge(root(parents, name), how,
                (one, other) -> one.scale().floatAt(0) >= other.scale().floatAt(0) ? one : other));
        Map<String, Quantization> quantization = new HashMap<>(graph.quantization());
        quantization.replaceAll((name, _) -> largest.get(root(parents, name)));
        return graph.withNodes(graph.nodes(), graph.constants(), quantization);
    }

    private static String root(Map<String, String> parents, String name) {
        String at = name;
        while (parents.containsKey(at)) {
            at = parents.get(at);
        }
        return at;
    }

    private static Graph withRealWeights(Graph graph) {
        Links links = new Links(graph);
        NewNames names = new NewNames(graph);
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        Map<String, Quantization> quantization = new HashMap<>(graph.quantization());
        List<Node> nodes = new ArrayList<>();
        Map<String, String> real = new HashMap<>();
        for (String name : graph.quantization().keySet().stream().filter(constants::containsKey).sorted().toList()) {
            Quantization how = quantization.remove(name);
            Tensor floats = QuantizationMath.dequantize(constants.remove(name), how);
            real.put(name, names.next(name + ".real"));
            List<Node> readers = links.readers(name);
            if (readers.stream().anyMatch(reader -> readsCodes(reader, name, graph, links))) {
                if (how.axis() > 0 && readers.stream().anyMatch(reader -> reader.op() instanceof Op.Conv)) {
                    how = SymmetricCodes.byFirstDimension(floats);
                    floats = QuantizationMath.roundToCodes(floats, how);
                }
                round(name, real.get(name), how, names, constants, nodes);
            }
            constants.put(real.get(name), floats);
        }
        for (Node node : graph.nodes()) {
            nodes.add(node.withInputs(node.inputs().stream()
                    .map(name -> real.containsKey(name) && !readsCodes(node, name, graph, links)
                            ? real.get(name) : name)
                    .toList()));
        }
        return graph.withNodes(nodes, constants, quantization);
    }

    /** Whether the node multiplies codes by this constant. */
    private static boolean readsCodes(Node node, String weights, Graph graph, Links links) {
        boolean multiplies = switch (node.op()) {
            case Op.Conv _,Op.Gemm _,Op.MatMul _ -> true;
            default -> false;
        };
        return multiplies && node.inputs().size() > 1 && node.input(1).equals(weights)
                && isCoded(node.input(0), graph, links);
    }

    private static boolean isCoded(String value, Graph graph, Links links) {
        Set<String> seen = new HashSet<>();
        String at = value;
        while (seen.add(at) && !graph.quantization().containsKey(at)) {
            Node writer = links.writer(at);
            if (writer == null || !writer.op().movesData()) {
                return false;
            }
            at = writer.input(0);
        }
        return graph.quantization().containsKey(at);
    }

    private static void round(String name, String real, Quantization how, NewNames names,
            Map<String, Tensor> constants, List<Node> nodes) {
        String scale = names.next(name + ".scale");
        String zero = names.next(name + ".zero");
        String codes = names.next(name + ".codes");
        constants.put(scale, how.scale());
        constants.put(zero, Tensor.of(DataType.INT8, how.zeroPoint().shape(), how.zeroPoint().toLongs()));
        int axis = Math.max(0, how.axis());
        nodes.add(new Node(names.next(name + ".quantize"), new Op.QuantizeLinear(axis, DataType.INT8),
                List.of(real, scale, zero), List.of(codes)));
        nodes.add(new Node(names.next(name + ".dequantize"), new Op.DequantizeLinear(axis),
                List.of(codes, scale, zero), List.of(name)));
    }
}
