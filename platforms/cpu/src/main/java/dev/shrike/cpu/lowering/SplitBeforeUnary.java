package dev.shrike.cpu.lowering;

import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.NewNames;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.ValueInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Moves an element-wise function from before a Split to behind it, once for each part. The Split then costs nothing,
 * and each part is written where its reader reads: in a YOLO head the scores go straight into the network's output
 * instead of into a buffer that is copied afterwards.
 */
public record SplitBeforeUnary(Set<String> kept) implements GraphPass {
    @Override
    public Graph apply(Graph graph) {
        Map<String, Integer> readers = new HashMap<>();
        Map<String, Node> producers = new HashMap<>();
        for (Node node : graph.nodes()) {
            node.inputs().forEach(name -> readers.merge(name, 1, Integer::sum));
            node.outputs().forEach(name -> producers.put(name, node));
        }
        Set<String> needed = new HashSet<>(kept);
        graph.outputs().stream().map(ValueInfo::name).forEach(needed::add);
        NewNames names = new NewNames(graph);
        List<Node> nodes = new ArrayList<>();
        Set<String> gone = new HashSet<>();
        for (Node node : graph.nodes()) {
            Node before = producers.get(node.input(0));
            boolean swap = node.op() instanceof Op.Split
                    && before != null
                    && before.op() instanceof Op.Unary
                    && readers.get(before.output()) == 1
                    && isReal(graph, before, node)
                    && !needed.contains(before.output());
            if (!swap) {
                nodes.add(node);
                continue;
            }
            gone.add(before.output());
            addSwapped(nodes, node, before, names);
        }
        if (gone.isEmpty()) {
            return graph;
        }
        nodes.removeIf(node -> gone.contains(node.output()));
        return graph.withNodes(nodes);
    }

    /** Where codes are made, the order of operations is part of the meaning. */
    private static boolean isReal(Graph graph, Node unary, Node split) {
        return !graph.quantization().containsKey(unary.output())
                && split.outputs().stream().noneMatch(graph.quantization()::containsKey);
    }

    private static void addSwapped(List<Node> nodes, Node split, Node unary, NewNames names) {
        List<String> inputs = new ArrayList<>(split.inputs());
        inputs.set(0, unary.input(0));
        List<String> parts = new ArrayList<>();
        List<Node> functions = new ArrayList<>();
        for (String output : split.outputs()) {
            if (output.isEmpty()) {
                parts.add("");
                continue;
            }
            String part = names.next(output + "/before " + unary.name());
            parts.add(part);
            functions.add(new Node(names.next(unary.name() + " of " + output), unary.op(), List.of(part),
                    List.of(output)));
        }
        nodes.add(split.withInputs(inputs).withOutputs(parts));
        nodes.addAll(functions);
    }
}
