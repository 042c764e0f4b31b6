package dev.shrike.training;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.graph.passes.UnfuseConvolutions;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.training.qat.QuantizedTwin;
import dev.shrike.training.qat.WidthBudget;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The quantised form of a network, as a file. */
public final class QuantizedForm {
    private QuantizedForm() {}

    /**
     * The network to train.
     *
     * @param file of the quantised network
     * @param model the float network that it was made from
     * @param heads values that are decoded
     * @throws ModelException if the file holds a float network, the quantised form of another one, or one for inputs of
     *                        another size
     */
    public static QuantizedTwin twin(Path file, Graph model, List<String> heads) {
        Graph codes = GraphPasses.simplify(OnnxModels.read(file), Map.of());
        if (!codes.isQuantized()) {
            throw new ModelException(
                    file + ": is a float network; --quantized takes what 'shrike quantize' or an earlier"
                            + " 'shrike train --scheme' made of the model: leave it out to have that done now");
        }
        Set<String> values = new HashSet<>();
        codes.nodes().forEach(node -> values.addAll(node.outputs()));
        try {
            if (!values.containsAll(heads)) {
                throw new UnsupportedModelException("has no values " + heads + ", which the model decodes");
            }
            requireSize(file, codes.inputs().getFirst().shape(), model.inputs().getFirst().shape());
            return new QuantizedTwin(codes, new UnfuseConvolutions().apply(GraphPasses.forInference(model, Map.of())),
                    Set.copyOf(heads));
        } catch (UnsupportedModelException e) {
            throw new ModelException(file + ": is not the quantised form of the model: " + e.getMessage()
                    + "; give the float network that it was made from, or leave --quantized out", e);
        }
    }

    private static void requireSize(Path file, Shape own, Shape wanted) {
        if (own.isKnown() && wanted.isKnown() && !own.equals(wanted)) {
            throw new ModelException(file + ": was quantised for inputs " + own + ", the run has " + wanted
                    + ": give the same --img, or leave --quantized out to have the model quantised for this size");
        }
    }

    /**
     * What widths that are learned may cost.
     *
     * @throws UnsupportedModelException if no width is learned, or the budget cannot be reached
     */
    public static WidthBudget budget(QuantizedTraining how, QuantizedTwin twin) {
        return how.bitOperations() > 0 ? WidthBudget.ofBitOperations(twin, 1e9 * how.bitOperations())
                : WidthBudget.ofAverage(twin, how.averageBits());
    }
}
