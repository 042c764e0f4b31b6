package dev.shrike.graph.passes;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Links;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;

/** What of TensorRT's rules of explicit quantisation a network as a file has it breaks. */
final class ExplicitQuantizationRules {
    private final Graph graph;
    private final Links links;
    private final List<String> broken = new ArrayList<>();

    private ExplicitQuantizationRules(Graph graph) {
        this.graph = graph;
        this.links = new Links(graph);
    }

    /** A line for each breach. */
    static List<String> broken(Graph file) {
        ExplicitQuantizationRules rules = new ExplicitQuantizationRules(file);
        file.nodes().forEach(rules::check);
        file.constants().forEach(rules::checkConstant);
        return rules.broken;
    }

    private void require(boolean kept, String rule, Node node) {
        if (!kept) {
            broken.add(node.name() + ": " + rule);
        }
    }

    private void checkConstant(String name, Tensor tensor) {
        boolean zeros = tensor.type().bits() > 8 || LongStream.of(tensor.toLongs()).allMatch(value -> value == 0)
                && links.readers(name).stream().allMatch(node -> node.inputs().indexOf(name) == 2);
        if (!zeros) {
            broken.add(name + ": a constant of " + tensor.type());
        }
    }

    private void check(Node node) {
        switch (node.op()) {
            case Op.Quant _,Op.BipolarQuant _,Op.DynamicQuantizeLinear _ -> require(false, "not of ONNX", node);
            case Op.QuantizeLinear op -> quantizer(node, op.axis());
            case Op.DequantizeLinear op -> {
                quantizer(node, op.axis());
                Node writer = links.writer(node.input(0));
                require(writer != null && writer.op() instanceof Op.QuantizeLinear
                        && writer.inputs().subList(1, 3).equals(node.inputs().subList(1, 3)), "not of a pair", node);
            }
            case Op.Concat _,Op.MaxPool _,Op.Resize _ -> oneScale(node);
            case Op.Conv _ -> convolution(node);
            case Op.Binary sum when sum.kind() == Op.Binary.Kind.ADD -> sum(node);
            default -> {
                // Free.
            }
        }
    }

    private void quantizer(Node node, int axis) {
        Map<String, Tensor> constants = graph.constants();
        Tensor scale = constants.get(node.input(1));
        Tensor zero = constants.get(node.input(2));
        require(scale != null && scale.type() == DataType.FLOAT32, "scale is no float32 constant", node);
        require(zero != null && zero.type() == DataType.INT8, "zero point is not int8", node);
        Node quantizer = node.op() instanceof Op.QuantizeLinear ? node : links.writer(node.input(0));
        Tensor weights = quantizer == null ? null : constants.get(quantizer.input(0));
        require(weights != null || scale.elements() == 1, "an activation with several scales", node);
        require(weights == null || scale.elements() == 1 || axis == 0 && weights.shape().dim(0) == scale.elements(),
                "weights with scales of another axis than the output channels'", node);
        require(weights == null || weights.type() == DataType.FLOAT32, "weights that are not float32", node);
    }

    /** Scale of the pair that wrote the value, or else of one that reads it; NaN if there is neither. */
    private float scale(String value) {
        Node writer = links.writer(value);
        if (isDequantizer(value)) {
            return graph.constants().get(writer.input(1)).floatAt(0);
        }
        return links.readers(value).stream().filter(node -> node.op() instanceof Op.QuantizeLinear)
                .map(node -> graph.constants().get(node.input(1)).floatAt(0)).findFirst().orElse(Float.NaN);
    }

    private boolean isDequantizer(String value) {
        Node writer = links.writer(value);
        return writer != null && writer.op() instanceof Op.DequantizeLinear;
    }

    private void oneScale(Node node) {
        float result = scale(node.output());
        List<String> inputs = node.op() instanceof Op.Concat ? node.inputs() : List.of(node.input(0));
        require(Float.isNaN(result) || inputs.stream().allMatch(name -> scale(name) == result),
                "scales differ", node);
    }

    private void convolution(Node node) {
        require(!isDequantizer(node.input(1)) || isDequantizer(node.input(0)), "codes of weights only", node);
        for (Node reader : links.readers(node.output())) {
            boolean rounds = reader.op() instanceof Op.QuantizeLinear;
            List<Node> behind = rounds ? links.readers(links.readers(reader.output()).getFirst().output()) : List.of();
            require(behind.stream().noneMatch(next -> next.op() instanceof Op.Unary), "rounded before its activation",
                    node);
        }
    }

    private void sum(Node node) {
        boolean both = node.inputs().stream().allMatch(this::isDequantizer);
        boolean computed = node.inputs().stream().filter(this::isDequantizer).anyMatch(name -> {
            String real = links.writer(links.writer(name).input(0)).input(0);
            Node writer = links.writer(real);
            boolean convolves = writer != null && (writer.op() instanceof Op.Conv || writer.op() instanceof Op.Binary);
            return convolves && links.readers(name).size() == 1;
        });
        require(!both || !computed, "both summands are rounded", node);
    }
}
