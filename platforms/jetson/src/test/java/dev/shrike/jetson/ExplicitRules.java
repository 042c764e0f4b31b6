package dev.shrike.jetson;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import dev.shrike.jetson.binding.TensorRt.ParserError;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;

/** What the parser of TensorRT 8 refuses in networks with QuantizeLinear and DequantizeLinear. */
final class ExplicitRules {
    private ExplicitRules() {}

    /** Its errors, of a network as the file has it. */
    static List<ParserError> of(Graph graph) {
        List<ParserError> errors = new ArrayList<>();
        Set<String> codes = new HashSet<>();
        for (int i = 0; i < graph.nodes().size(); i++) {
            Node node = graph.nodes().get(i);
            String refused = switch (node.op()) {
                case Op.QuantizeLinear op -> {
                    codes.add(node.output());
                    yield quantizer(graph, node, op.axis(), graph.constants().get(node.input(0)));
                }
                case Op.DequantizeLinear _ when !codes.contains(node.input(0)) ->
                    "TensorRT does not support INT8 weights for explicit quantization";
                case Op.Quant _,Op.BipolarQuant _,Op.Trunc _,Op.DynamicQuantizeLinear _ ->
                    "No importer registered for op: " + node.op().getClass().getSimpleName();
                default -> "";
            };
            if (!refused.isEmpty()) {
                errors.add(new ParserError(i, "kUNSUPPORTED_NODE", refused));
            }
        }
        return errors;
    }

    private static String quantizer(Graph graph, Node node, int axis, Tensor weights) {
        Tensor scale = graph.constants().get(node.input(1));
        Tensor zero = graph.constants().get(node.input(2));
        if (scale == null) {
            return "The scale must be an initializer";
        }
        if (zero == null || zero.type() != DataType.INT8) {
            return "Only INT8 is supported for the zero point";
        }
        if (!LongStream.of(zero.toLongs()).allMatch(value -> value == 0)) {
            return "Non-zero zero point is not supported. Only zero zero-points are";
        }
        if (scale.elements() > 1 && (weights == null || axis != 0)) {
            return "Per-channel quantization is of the output channels of weights only";
        }
        return "";
    }
}
