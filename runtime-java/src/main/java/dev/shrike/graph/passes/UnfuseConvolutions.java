package dev.shrike.graph.passes;

import dev.shrike.graph.Activation;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.NewNames;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Takes activations and residuals out of convolutions again, so that the values in between have names: {@code y.sum} is
 * what the convolution itself gives, {@code y.activated} what the activation makes of it before a residual is added.
 */
public final class UnfuseConvolutions implements GraphPass {
    @Override
    public Graph apply(Graph graph) {
        NewNames names = new NewNames(graph);
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        List<Node> nodes = new ArrayList<>();
        boolean changed = false;
        for (Node node : graph.nodes()) {
            boolean fused = node.op() instanceof Op.Conv conv
                    && (conv.activation().kind() != Activation.Kind.NONE || node.hasInput(3));
            changed |= fused;
            if (fused) {
                unfuse(node, (Op.Conv) node.op(), names, constants, nodes);
            } else {
                nodes.add(node);
            }
        }
        return changed ? graph.withNodes(nodes, constants) : graph;
    }

    private static void unfuse(Node node, Op.Conv conv, NewNames names, Map<String, Tensor> constants,
            List<Node> nodes) {
        boolean activates = conv.activation().kind() != Activation.Kind.NONE;
        boolean adds = node.hasInput(3);
        List<String> inputs = node.hasInput(2) ? node.inputs().subList(0, 3) : node.inputs().subList(0, 2);
        String sum = names.next(node.output() + ".sum");
        nodes.add(new Node(node.name(), new Op.Conv(conv.window(), conv.group(), Activation.NONE), inputs,
                List.of(sum)));
        String activated = sum;
        if (activates) {
            activated = adds ? names.next(node.output() + ".activated") : node.output();
            nodes.add(activation(node, conv.activation(), sum, activated, names, constants));
        }
        if (adds) {
            nodes.add(new Node(names.next(node.name() + ".add"), new Op.Binary(Op.Binary.Kind.ADD),
                    List.of(activated, node.input(3)), node.outputs()));
        }
    }

    private static Node activation(Node node, Activation activation, String from, String to, NewNames names,
            Map<String, Tensor> constants) {
        String name = names.next(node.name() + ".activation");
        float alpha = activation.alpha();
        Op.Unary unary = switch (activation.kind()) {
            case NONE -> throw new IllegalStateException("no activation");
            case SILU -> Op.Unary.of(Op.Unary.Kind.SILU);
            case RELU -> Op.Unary.of(Op.Unary.Kind.RELU);
            case LEAKY_RELU -> new Op.Unary(Op.Unary.Kind.LEAKY_RELU, alpha, 0);
            case SIGMOID -> Op.Unary.of(Op.Unary.Kind.SIGMOID);
            case HARD_SIGMOID -> new Op.Unary(Op.Unary.Kind.HARD_SIGMOID, alpha, activation.beta());
            case HARD_SWISH -> Op.Unary.of(Op.Unary.Kind.HARD_SWISH);
            case TANH -> Op.Unary.of(Op.Unary.Kind.TANH);
            case CLIP -> null;
        };
        if (unary != null) {
            return new Node(name, unary, List.of(from), List.of(to));
        }
        String low = names.next(node.name() + ".low");
        String high = names.next(node.name() + ".high");
        constants.put(low, Tensor.scalar(alpha));
        constants.put(high, Tensor.scalar(activation.beta()));
        return new Node(name, new Op.Clip(), List.of(from, low, high), List.of(to));
    }
}
