package dev.shrike.calibration.prune.channels;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The batch normalisations that alone read a convolution without a bias. A shift of such a convolution's result goes
 * into the running mean, so that the network keeps its form and can be trained on.
 */
public final class Normalizations {
    /** Input of the running mean. */
    private static final int MEAN = 3;

    private Normalizations() {}

    /** The normalisation behind each such convolution, by the convolution's name. */
    public static Map<String, Node> of(Graph graph) {
        Map<String, Node> readers = new HashMap<>();
        Set<String> shared = new HashSet<>();
        graph.outputs().forEach(output -> shared.add(output.name()));
        for (Node node : graph.nodes()) {
            for (String input : node.inputs()) {
                if (readers.put(input, node) != null) {
                    shared.add(input);
                }
            }
        }
        Map<String, Node> found = new HashMap<>();
        for (Node node : graph.nodes()) {
            Node reader = readers.get(node.output());
            if (node.op() instanceof Op.Conv && !node.hasInput(2) && !shared.contains(node.output()) && reader != null
                    && reader.op() instanceof Op.BatchNormalization && reader.input(0).equals(node.output())
                    && graph.constants().containsKey(reader.input(MEAN))) {
                found.put(node.name(), reader);
            }
        }
        return found;
    }

    /**
     * The normalisation of a result that is shifted by so much: with another running mean, which goes into the
     * constants under that name.
     */
    public static Node shifted(Node norm, double[] shift, String name, Map<String, Tensor> constants) {
        float[] means = constants.get(norm.input(MEAN)).toFloats();
        for (int i = 0; i < means.length; i++) {
            means[i] -= (float) shift[i];
        }
        constants.put(name, Tensor.ofFloats(Shape.of(means.length), means));
        List<String> inputs = new ArrayList<>(norm.inputs());
        inputs.set(MEAN, name);
        return norm.withInputs(inputs);
    }
}
