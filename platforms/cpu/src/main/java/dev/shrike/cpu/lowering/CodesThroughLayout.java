package dev.shrike.cpu.lowering;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Gives the results of operations that only move or compare values the quantisation of what they move: they are the
 * same floats, so they can stay codes.
 */
final class CodesThroughLayout {
    private CodesThroughLayout() {}

    static Map<String, Quantization> spread(Graph graph) {
        Map<String, Quantization> all = new HashMap<>(graph.quantization());
        for (Node node : graph.nodes()) {
            Quantization source = sourceOf(node, all);
            if (source != null && !graph.constants().containsKey(node.input(0))) {
                node.outputs().stream().filter(output -> !output.isEmpty()).forEach(o -> all.putIfAbsent(o, source));
            }
        }
        return all;
    }

    private static Quantization sourceOf(Node node, Map<String, Quantization> known) {
        Quantization first = known.get(node.input(0));
        if (first == null || !first.isPerTensor()) {
            return null;
        }
        return switch (node.op()) {
            case Op.MaxPool _,Op.DepthToSpace _ -> first;
            case Op.Resize resize -> resize.mode() == Op.Resize.Mode.NEAREST ? first : null;
            case Op.Concat _ -> allSame(node.inputs(), known) ? first : null;
            default -> ViewOps.isOne(node) ? first : null;
        };
    }

    private static boolean allSame(List<String> values, Map<String, Quantization> known) {
        Quantization first = known.get(values.getFirst());
        return values.stream().allMatch(v -> known.containsKey(v) && known.get(v).isSameAs(first));
    }
}
