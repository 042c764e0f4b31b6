package dev.shrike.graph.passes;

import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Links;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Drops nodes whose result equals their input: Identity, Cast to the same type, Reshape, Expand, Tile, Resize, Pad or
 * Slice to the same elements, Transpose that moves nothing, Concat of one value. Names of outputs are kept.
 */
public final class RemoveIdentities implements GraphPass {
    @Override
    public Graph apply(Graph graph) {
        Map<String, ValueInfo> infos = ShapeInference.infer(graph);
        Rename rename = new Rename(graph);
        boolean changed = false;
        for (Node node : graph.nodes()) {
            if (isIdentity(graph, node, infos) && rename.replace(node)) {
                changed = true;
            }
        }
        return changed ? rename.apply() : graph;
    }

    private static boolean isIdentity(Graph graph, Node node, Map<String, ValueInfo> infos) {
        ValueInfo in = infos.get(node.input(0));
        ValueInfo out = infos.get(node.output());
        if (in == null || out == null) {
            return false;
        }
        boolean sameShape = in.shape().isKnown() && in.shape().equals(out.shape());
        return switch (node.op()) {
            case Op.Identity _ -> true;
            case Op.Cast cast -> cast.to() == in.type();
            case Op.Reshape _,Op.Flatten _,Op.Squeeze _,Op.Unsqueeze _,Op.Expand _,Op.Tile _ -> sameShape;
            case Op.Slice _ -> sameShape && allStepsForward(graph, node);
            case Op.Pad _ -> sameShape && isZero(graph.constants().get(node.input(1)));
            case Op.Resize resize -> sameShape && resize.coordinates() != Op.Resize.Coordinates.ASYMMETRIC
                    || sameShape && scalesAreOne(graph, node);
            case Op.Transpose transpose -> isSorted(transpose.permutation(), in.shape().rank());
            case Op.Concat _ -> node.inputs().size() == 1;
            case Op.Split _ -> node.outputs().size() == 1;
            default -> false;
        };
    }

    private static boolean allStepsForward(Graph graph, Node node) {
        Tensor steps = graph.constants().get(node.input(4));
        if (node.hasInput(4) && steps == null) {
            return false;
        }
        for (int i = 0; steps != null && i < steps.elements(); i++) {
            if (steps.longAt(i) < 0) {
                return false;
            }
        }
        return true;
    }

    private static boolean isZero(Tensor pads) {
        for (int i = 0; pads != null && i < pads.elements(); i++) {
            if (pads.longAt(i) != 0) {
                return false;
            }
        }
        return pads != null;
    }

    private static boolean scalesAreOne(Graph graph, Node node) {
        Tensor scales = graph.constants().get(node.input(2));
        for (int i = 0; scales != null && i < scales.elements(); i++) {
            if (scales.floatAt(i) != 1) {
                return false;
            }
        }
        return scales != null || node.hasInput(3);
    }

    private static boolean isSorted(List<Integer> permutation, int rank) {
        for (int i = 0; i < permutation.size(); i++) {
            if (permutation.get(i) != i) {
                return false;
            }
        }
        return !permutation.isEmpty() || rank < 2;
    }

    /** Collects nodes to drop and the names that then stand for the same value. */
    private static final class Rename {
        private final Graph graph;
        private final Links links;
        private final Set<Node> dropped = new HashSet<>();
        private final Map<String, String> names = new HashMap<>();

        Rename(Graph graph) {
            this.graph = graph;
            this.links = new Links(graph);
        }

        /** Whether the node could be dropped. */
        boolean replace(Node node) {
            String from = node.output();
            String to = resolve(node.input(0));
            if (links.isInner(from)) {
                names.put(from, to);
                dropped.add(node);
                return true;
            }
            // The result is an output: its writer can take over that name, if it is a node that nobody else names.
            if (graph.quantization().containsKey(from) || links.writer(to) == null || !links.isInner(to)) {
                return false;
            }
            names.put(to, from);
            dropped.add(node);
            return true;
        }

        private String resolve(String name) {
            String at = name;
            while (names.containsKey(at)) {
                at = names.get(at);
            }
            return at;
        }

        Graph apply() {
            List<Node> nodes = new ArrayList<>();
            for (Node node : graph.nodes()) {
                if (!dropped.contains(node)) {
                    nodes.add(new Node(node.name(), node.op(), node.inputs().stream().map(this::resolve).toList(),
                            node.outputs().stream().map(this::resolve).toList()));
                }
            }
            return graph.withNodes(nodes);
        }
    }
}
