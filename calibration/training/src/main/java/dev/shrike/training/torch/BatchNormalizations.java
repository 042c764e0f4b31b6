package dev.shrike.training.torch;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** Batch normalisation of a network, by itself or folded into the convolution that alone it reads. */
final class BatchNormalizations {
    /** Share of a batch's statistics in the running ones, as YOLOv5 and YOLOv8 have it. */
    static final double MOMENTUM = 0.03;

    private final Map<Node, Node> after = new HashMap<>();
    private final Set<String> foldedWeights = new HashSet<>();
    private boolean folding;

    BatchNormalizations(Graph graph) {
        Map<String, Node> readers = new HashMap<>();
        Set<String> shared = new HashSet<>();
        graph.outputs().forEach(output -> shared.add(output.name()));
        for (Node node : graph.nodes()) {
            for (String name : node.inputs()) {
                if (readers.put(name, node) != null) {
                    shared.add(name);
                }
            }
        }
        for (Node node : graph.nodes()) {
            Node reader = readers.get(node.output());
            if (node.op() instanceof Op.Conv && reader != null && reader.op() instanceof Op.BatchNormalization
                    && !shared.contains(node.output()) && !shared.contains(node.input(1))) {
                after.put(node, reader);
                foldedWeights.add(node.input(1));
            }
        }
    }

    void fold(boolean on) {
        folding = on;
    }

    boolean isFolding() {
        return folding;
    }

    /** The normalisation that alone reads a convolution, or null. */
    Node after(Node convolution) {
        return after.get(convolution);
    }

    /** Whether this is the weight of a convolution that a normalisation can be folded into. */
    boolean isFolded(String weight) {
        return foldedWeights.contains(weight);
    }

    Tensor apply(Op.BatchNormalization op, Node node, Function<String, Tensor> values, boolean training) {
        return torch.batch_norm(values.apply(node.input(0)), optional(values, node.input(1)),
                optional(values, node.input(2)), optional(values, node.input(3)), optional(values, node.input(4)),
                training, MOMENTUM, op.epsilon(), false);
    }

    private static TensorOptional optional(Function<String, Tensor> values, String name) {
        return new TensorOptional(values.apply(name));
    }

    /**
     * What the normalisation gives, computed by the convolution alone: weights times gamma / sqrt(variance + epsilon).
     *
     * @param hook makes of a weight, given by its name, what the convolution reads
     */
    Tensor folded(Node convolution, Node norm, Function<String, Tensor> values, Hook hook) {
        Op.BatchNormalization op = (Op.BatchNormalization) norm.op();
        Tensor deviation = values.apply(norm.input(4)).add(Tensors.scalar(op.epsilon())).sqrt();
        Tensor scale = values.apply(norm.input(1)).div(deviation);
        Tensor shift = values.apply(norm.input(2)).sub(values.apply(norm.input(3)).mul(scale));
        if (convolution.hasInput(2)) {
            shift = shift.add(values.apply(convolution.input(2)).mul(scale));
        }
        Tensor weight = values.apply(convolution.input(1)).mul(scale.reshape(-1, 1, 1, 1));
        return TensorOperations.convolution((Op.Conv) convolution.op(), values.apply(convolution.input(0)),
                hook.apply(convolution.input(1), weight), new TensorOptional(shift));
    }

    /** What becomes of a weight by its name. */
    @FunctionalInterface
    interface Hook {
        Tensor apply(String name, Tensor weight);
    }
}
