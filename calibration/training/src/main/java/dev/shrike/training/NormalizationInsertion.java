package dev.shrike.training;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Puts batch normalisation behind the convolutions of a network that has none since it was folded. It changes nothing
 * yet: mean 0, variance 1, gamma 1, and the convolution's bias as beta. What its statistics are on images is measured
 * before training begins.
 */
public final class NormalizationInsertion {
    /** That of YOLOv5 and YOLOv8. */
    public static final float EPSILON = 1e-3f;

    private NormalizationInsertion() {}

    /** The trunk with batch normalisation behind every convolution but those of its heads. */
    public static Graph apply(Graph trunk) {
        Set<String> heads = new HashSet<>();
        trunk.outputs().forEach(output -> heads.add(output.name()));
        Set<String> used = new HashSet<>(trunk.constants().keySet());
        trunk.nodes().forEach(node -> {
            used.add(node.name());
            used.addAll(node.outputs());
        });
        Map<String, Tensor> constants = new HashMap<>(trunk.constants());
        List<Node> nodes = new ArrayList<>();
        for (Node node : trunk.nodes()) {
            boolean plain = node.op() instanceof Op.Conv conv && !heads.contains(node.output())
                    && conv.activation().kind() == dev.shrike.graph.Activation.Kind.NONE && !node.hasInput(3)
                    && constants.containsKey(node.input(1))
                    && (!node.hasInput(2) || constants.containsKey(node.input(2)));
            if (plain) {
                insert(node, nodes, constants, used);
            } else {
                nodes.add(node);
            }
        }
        constants.keySet().retainAll(read(nodes));
        return trunk.withNodes(nodes, constants);
    }

    private static Set<String> read(List<Node> nodes) {
        Set<String> read = new HashSet<>();
        nodes.forEach(node -> read.addAll(node.inputs()));
        return read;
    }

    private static void insert(Node conv, List<Node> nodes, Map<String, Tensor> constants, Set<String> used) {
        int channels = (int) constants.get(conv.input(1)).shape().dim(0);
        String sum = name(conv.output() + ".conv", used);
        float[] bias = conv.hasInput(2) ? constants.get(conv.input(2)).toFloats() : new float[channels];
        List<String> inputs = new ArrayList<>(List.of(sum));
        inputs.add(constant(conv, "gamma", filled(channels, 1), constants, used));
        inputs.add(constant(conv, "beta", bias, constants, used));
        inputs.add(constant(conv, "mean", filled(channels, 0), constants, used));
        inputs.add(constant(conv, "variance", filled(channels, 1 - EPSILON), constants, used));
        nodes.add(conv.withInputs(conv.inputs().subList(0, 2)).withOutputs(List.of(sum)));
        nodes.add(new Node(name(conv.name() + ".bn", used), new Op.BatchNormalization(EPSILON), inputs,
                conv.outputs()));
    }

    private static float[] filled(int size, float value) {
        float[] values = new float[size];
        Arrays.fill(values, value);
        return values;
    }

    private static String constant(Node conv, String what, float[] values, Map<String, Tensor> constants,
            Set<String> used) {
        String name = name(conv.input(1) + ".bn." + what, used);
        constants.put(name, Tensor.ofFloats(Shape.of(values.length), values));
        return name;
    }

    private static String name(String wanted, Set<String> used) {
        String name = wanted;
        for (int i = 1; !used.add(name); i++) {
            name = wanted + "_" + i;
        }
        return name;
    }
}
