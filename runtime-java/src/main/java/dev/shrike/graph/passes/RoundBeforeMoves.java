package dev.shrike.graph.passes;

import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Links;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Rounds values before they are moved about instead of after it, which gives the same: where all that a node makes of a
 * real value by moving or comparing its elements is quantised alike, and nobody else reads that value, the value itself
 * becomes quantised. A product in front can then give codes, and the move is one of bytes.
 */
public final class RoundBeforeMoves implements GraphPass {
    @Override
    public Graph apply(Graph graph) {
        Map<String, Quantization> quantization = new HashMap<>(graph.quantization());
        Links links = new Links(graph);
        for (Node node : graph.nodes().reversed()) {
            Quantization how = quantization.get(node.output());
            if (how == null || !how.isPerTensor() || !isMove(node.op()) || !node.outputs().stream()
                    .allMatch(name -> quantization.containsKey(name) && quantization.get(name).isSameAs(how))) {
                continue;
            }
            List<String> moved = node.op() instanceof Op.Concat ? node.inputs() : List.of(node.input(0));
            if (moved.stream().allMatch(name -> mayRound(graph, links, quantization, name, how))) {
                moved.forEach(name -> quantization.put(name, how));
            }
        }
        return quantization.size() == graph.quantization().size()
                ? graph : graph.withNodes(graph.nodes(), graph.constants(), quantization);
    }

    /** Whether the value has these codes already, or is real and only the node at hand sees it. */
    private static boolean mayRound(Graph graph, Links links, Map<String, Quantization> quantization, String name,
            Quantization how) {
        Quantization own = quantization.get(name);
        if (own != null) {
            return own.isSameAs(how) && !graph.constants().containsKey(name);
        }
        return links.hasSingleReader(name) && !graph.constants().containsKey(name);
    }

    /** Moves that read every element at least once as it is; those that repeat elements gain nothing. */
    private static boolean isMove(Op op) {
        return switch (op) {
            case Op.Gather _,Op.Expand _,Op.Tile _ -> false;
            case Op.Concat _ -> true;
            default -> op.movesData();
        };
    }
}
