package dev.shrike.graph.passes;

import dev.shrike.ModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Node;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.KnownValues;
import dev.shrike.graph.inference.ShapeInference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The passes in the order in which an engine wants them. */
public final class GraphPasses {
    /** No graph of the kinds we know needs more than four rounds; the bound only guards against endless rewriting. */
    private static final int MAX_ROUNDS = 64;

    private GraphPasses() {}

    /**
     * The graph ready for an engine: known shapes, FLOAT32 for every floating type, quantisers turned into quantised
     * values ({@link ImportQuantization}), constants folded, batch normalisation, activations, residuals and padding
     * folded into convolutions. Nothing is fused across a quantised value, and constants of codes stay as they are;
     * clamping and moving in front of a rounding become part of it or come behind it.
     * Inputs and outputs keep their names and order; a value that a later caller wants to read must be an output.
     *
     * @param inputShapes shapes for inputs with open dimensions; an open first dimension defaults to 1
     * @throws dev.shrike.UnsupportedModelException if values are rounded to codes of more than 8 bits; names the node
     * @throws dev.shrike.ModelException if the graph is inconsistent, an input needs a size or the shape of a value
     *     depends on what the graph is run with
     */
    public static Graph forInference(Graph graph, Map<String, Shape> inputShapes) {
        KnownValues budget = FoldConstants.budget();
        GraphPass fuse = inOrder(simplification(budget), new FoldPadding(), new FoldBatchNormalization(),
                new DropClamps(), new RoundBeforeMoves(), new FuseActivation(), new FuseResidual(),
                new EliminateDeadNodes());
        return withKnownOutputs(untilStable(fuse, simplified(graph, inputShapes, budget)));
    }

    /**
     * The graph in the form that tools change and write back: as {@link #forInference}, but nothing is fused, and batch
     * normalisation stays apart.
     *
     * @throws dev.shrike.ModelException as {@link #forInference}
     */
    public static Graph simplify(Graph graph, Map<String, Shape> inputShapes) {
        return withKnownOutputs(simplified(graph, inputShapes, FoldConstants.budget()));
    }

    private static GraphPass simplification(KnownValues budget) {
        return inOrder(new FoldConstants(true, budget), new FoldCodeMoves(), new RemoveIdentities(),
                new EliminateDeadNodes());
    }

    private static Graph simplified(Graph graph, Map<String, Shape> inputShapes, KnownValues budget) {
        Graph fixed = new FixInputShapes(inputShapes).apply(graph);
        // Scales are folded first, rounding to codes is not: constants are to become codes, not rounded floats.
        GraphPass simplify = simplification(budget);
        Graph folding = new FoldConstants(false, budget).apply(fixed);
        Graph scaled = new IntegerProductScales().apply(folding);
        Graph quantized = new ImportQuantization().apply(new SpellOutRounding().apply(scaled));
        // Folding comes before the change of types, so that sizes computed in FLOAT64 stay exact.
        Graph folded = untilStable(simplify, new FloatWeights().apply(untilStable(simplify, quantized)));
        ImportQuantization.requireNarrow(folded);
        return new HalfToFloat().apply(folded);
    }

    private static GraphPass inOrder(GraphPass... passes) {
        return graph -> {
            Graph current = graph;
            for (GraphPass pass : passes) {
                current = pass.apply(current);
            }
            return current;
        };
    }

    private static Graph untilStable(GraphPass pass, Graph graph) {
        Graph current = graph;
        for (int round = 0; round < MAX_ROUNDS; round++) {
            Graph next = pass.apply(current);
            if (next == current) {
                return next;
            }
            current = next;
        }
        return current;
    }

    private static Graph withKnownOutputs(Graph graph) {
        Map<String, ValueInfo> infos = ShapeInference.infer(graph);
        for (Node node : graph.nodes()) {
            for (String name : node.outputs()) {
                if (!name.isEmpty() && !infos.get(name).shape().isKnown()) {
                    throw new ModelException(NodeView.describe(node) + ": the shape " + infos.get(name).shape()
                            + " of its result depends on the values that the model is run with, expected a shape"
                            + " that follows from the input sizes");
                }
            }
        }
        List<ValueInfo> outputs = new ArrayList<>();
        graph.outputs().forEach(output -> outputs.add(infos.get(output.name())));
        return outputs.equals(graph.outputs()) ? graph : graph.withOutputs(outputs);
    }
}
