package dev.shrike.onnx;

import dev.shrike.ModelException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;

/** Brings nodes into an order in which each comes after those it reads; the file's order is kept where it can be. */
final class TopologicalOrder {
    private TopologicalOrder() {}

    /**
     * The nodes in order.
     *
     * @throws ModelException if there is a cycle; the message names its nodes
     */
    static List<NodeDraft> of(List<NodeDraft> nodes) {
        Map<String, Integer> producers = new HashMap<>();
        for (int i = 0; i < nodes.size(); i++) {
            for (String output : nodes.get(i).outputs()) {
                if (!output.isEmpty()) {
                    producers.putIfAbsent(output, i);
                }
            }
        }
        int[] waiting = new int[nodes.size()];
        List<List<Integer>> readers = new ArrayList<>();
        PriorityQueue<Integer> ready = new PriorityQueue<>();
        nodes.forEach(node -> readers.add(new ArrayList<>()));
        for (int i = 0; i < nodes.size(); i++) {
            Set<Integer> sources = sources(nodes.get(i), producers);
            waiting[i] = sources.size();
            for (int source : sources) {
                readers.get(source).add(i);
            }
            if (sources.isEmpty()) {
                ready.add(i);
            }
        }
        List<NodeDraft> order = new ArrayList<>(nodes.size());
        while (!ready.isEmpty()) {
            int next = ready.remove();
            order.add(nodes.get(next));
            for (int reader : readers.get(next)) {
                if (--waiting[reader] == 0) {
                    ready.add(reader);
                }
            }
        }
        if (order.size() < nodes.size()) {
            throw cycle(nodes, producers, waiting);
        }
        return order;
    }

    private static Set<Integer> sources(NodeDraft node, Map<String, Integer> producers) {
        Set<Integer> sources = new HashSet<>();
        for (List<String> names : List.of(node.inputs(), node.captured())) {
            for (String name : names) {
                Integer source = producers.get(name);
                if (source != null) {
                    sources.add(source);
                }
            }
        }
        return sources;
    }

    // Every node left waits for another one that is left, so walking back must come round to a node seen before.
    private static ModelException cycle(List<NodeDraft> nodes, Map<String, Integer> producers, int[] waiting) {
        int at = 0;
        while (waiting[at] == 0) {
            at++;
        }
        LinkedHashSet<Integer> walked = new LinkedHashSet<>();
        while (walked.add(at)) {
            at = sources(nodes.get(at), producers).stream()
                    .filter(source -> waiting[source] > 0)
                    .findFirst()
                    .orElseThrow();
        }
        List<String> names = new ArrayList<>();
        for (int i : walked) {
            if (i == at || !names.isEmpty()) {
                names.add("'" + nodes.get(i).name() + "'");
            }
        }
        int shown = Math.min(names.size(), 8);
        return new ModelException("the nodes form a cycle: " + String.join(" reads ", names.subList(0, shown))
                + (shown < names.size() ? " reads … (" + names.size() + " nodes)" : "") + " reads " + names.getFirst()
                + "; a network must not have one, export it again");
    }
}
