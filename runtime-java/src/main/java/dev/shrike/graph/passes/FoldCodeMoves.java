package dev.shrike.graph.passes;

import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Node;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.TensorType;
import dev.shrike.graph.kernels.Evaluation;
import dev.shrike.graph.shapes.ShapeRules;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Replaces nodes that only move the codes of a constant (Transpose, and with one scale Reshape and its kin) by a
 * constant of the moved codes, so that a product reads its weights directly.
 */
public final class FoldCodeMoves implements GraphPass {
    @Override
    public Graph apply(Graph graph) {
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        Map<String, Quantization> quantization = new HashMap<>(graph.quantization());
        List<Node> kept = new ArrayList<>();
        for (Node node : graph.nodes()) {
            Quantization how = quantization.get(node.input(0));
            Tensor codes = constants.get(node.input(0));
            boolean moves = how != null && codes != null && !quantization.containsKey(node.output())
                    && isMove(node.op(), how)
                    && node.inputs().stream().allMatch(name -> name.isEmpty() || constants.containsKey(name));
            if (!moves) {
                kept.add(node);
                continue;
            }
            NodeView view = new NodeView(node, name -> new TensorType(constants.get(name).type(),
                    constants.get(name).shape()), constants::get);
            constants.put(node.output(), Evaluation.evaluate(view, ShapeRules.outputs(view)).getFirst());
            quantization.put(node.output(), moved(node.op(), how, codes.shape().rank()));
        }
        return kept.size() == graph.nodes().size() ? graph : graph.withNodes(kept, constants, quantization);
    }

    private static boolean isMove(Op op, Quantization how) {
        return switch (op) {
            case Op.Transpose _,Op.Identity _ -> true;
            case Op.Reshape _,Op.Flatten _,Op.Squeeze _,Op.Unsqueeze _ -> how.isPerTensor();
            default -> false;
        };
    }

    private static Quantization moved(Op op, Quantization how, int rank) {
        if (how.isPerTensor() || !(op instanceof Op.Transpose transpose)) {
            return how;
        }
        int axis = transpose.permutation().isEmpty()
                ? rank - 1 - how.axis() : transpose.permutation().indexOf(how.axis());
        return new Quantization(how.scale(), how.zeroPoint(), how.bits(), how.signed(), how.narrow(), axis,
                how.bipolar());
    }
}
