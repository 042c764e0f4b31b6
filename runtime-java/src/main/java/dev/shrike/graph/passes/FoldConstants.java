package dev.shrike.graph.passes;

import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Node;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.TensorType;
import dev.shrike.graph.inference.KnownValues;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.shapes.ShapeRules;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Replaces nodes that do not depend on the inputs by their results: nodes that read only constants, and ShapeOf of a
 * known shape. What folding may cost and how large results may become is bounded; nodes beyond the bounds stay.
 */
public final class FoldConstants implements GraphPass {
    /** Elements of the largest result. Repeating a number is cheaper done at run time than stored. */
    private static final long MAX_ELEMENTS = 1 << 24;
    /** Elements of all results together. */
    private static final long MAX_TOTAL = 1 << 26;
    private static final double MAX_WORK = 1L << 31;

    private final boolean foldsQuantizers;
    /** What all uses together may cost, or null where each has a budget of its own. */
    private final KnownValues budget;
    private long room = MAX_TOTAL;

    /** Folds every node that it can. */
    public FoldConstants() {
        this(true, null);
    }

    /** Budget of passes that run again and again over the growing constants of one graph. */
    static KnownValues budget() {
        return new KnownValues(MAX_ELEMENTS, MAX_WORK);
    }

    /** As told, folds or leaves nodes that round to codes, as long as {@link ImportQuantization} is to see them. */
    FoldConstants(boolean foldsQuantizers, KnownValues budget) {
        this.foldsQuantizers = foldsQuantizers;
        this.budget = budget;
    }

    @Override
    public Graph apply(Graph graph) {
        Map<String, TensorType> types = ShapeInference.given(graph);
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        KnownValues known = budget != null ? budget : budget();
        List<Node> kept = new ArrayList<>();
        room = budget != null ? room : MAX_TOTAL;
        for (Node node : graph.nodes()) {
            // What is stored as codes is no real value to compute with.
            NodeView view = new NodeView(node, types::get,
                    name -> graph.quantization().containsKey(name) ? null : constants.get(name));
            List<TensorType> outputs = ShapeRules.outputs(view);
            ShapeInference.put(types, node, outputs);
            Optional<List<Tensor>> results = Optional.empty();
            boolean folds = foldsQuantizers || !ImportQuantization.isQuantizer(node.op());
            if (folds && room > 0 && node.outputs().stream().noneMatch(graph.quantization()::containsKey)) {
                results = known.compute(view, outputs);
            }
            if (results.isEmpty()) {
                kept.add(node);
                continue;
            }
            ShapeInference.put(constants, node, results.get());
            room -= results.get().stream().mapToLong(Tensor::elements).sum();
        }
        return kept.size() == graph.nodes().size() ? graph : graph.withNodes(kept, constants);
    }
}
