package dev.shrike.calibration.quantize;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Links;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which quantised values have the same codes, so that what moves or joins them need not translate. */
final class ScaleUnification {
    private final Graph graph;
    private final Links links;
    private final Set<String> quantized;
    /** Towards the value that stands for all that have the same codes. */
    private final Map<String, String> parents = new HashMap<>();

    /**
     * Values with the same codes.
     *
     * @param values names; the first one is the earliest
     * @param sources those of the values that are computed, not moved, whose ranges decide the codes
     */
    record Shared(List<String> values, List<String> sources) {
        Shared {
            values = List.copyOf(values);
            sources = List.copyOf(sources);
        }
    }

    private ScaleUnification(Graph graph, Set<String> quantized) {
        this.graph = graph;
        this.links = new Links(graph);
        this.quantized = quantized;
    }

    /**
     * All quantised values, in groups with the same codes.
     *
     * @param quantized names in the order of the network
     * @param sharedConcat as in {@link QuantizerPlacement.Rules}
     */
    static List<Shared> of(Graph graph, Set<String> quantized, boolean sharedConcat) {
        ScaleUnification unification = new ScaleUnification(graph, quantized);
        unification.uniteMoved();
        unification.uniteJoined(sharedConcat);
        return unification.members().values().stream()
                .map(members -> new Shared(members, unification.sources(members))).toList();
    }

    private void uniteMoved() {
        for (Node node : graph.nodes()) {
            if (node.op().movesData() && quantized.contains(node.input(0))) {
                node.outputs().stream().filter(quantized::contains).forEach(name -> unite(node.input(0), name));
            }
        }
    }

    private void uniteJoined(boolean sharedConcat) {
        Map<String, List<String>> moved = members();
        Map<String, List<String>> groups = new HashMap<>();
        moved.values().forEach(members -> members.forEach(name -> groups.put(name, members)));
        for (Node node : graph.nodes()) {
            if (!(node.op() instanceof Op.Concat) || !quantized.contains(node.output())) {
                continue;
            }
            if (sharedConcat) {
                List<String> computed = QuantizerPropagation.movedFrom(graph, node);
                if (quantized.containsAll(computed)) {
                    computed.forEach(name -> unite(name, node.output()));
                }
            } else if (quantized.containsAll(node.inputs())) {
                node.inputs().stream().filter(name -> isReadOnlyBy(groups.get(name), node))
                        .forEach(name -> unite(name, node.output()));
            }
        }
    }

    /** Whether values are read by the Concat and by moves only. */
    private boolean isReadOnlyBy(List<String> values, Node concat) {
        return values.stream().flatMap(value -> links.readers(value).stream())
                .allMatch(reader -> reader.equals(concat) || reader.op().movesData());
    }

    private List<String> sources(List<String> members) {
        Set<String> own = new HashSet<>(members);
        return members.stream().filter(name -> !isMovedFrom(links.writer(name), own)).toList();
    }

    /** What is joined with a constant, or with values of other codes, has a range of its own. */
    private static boolean isMovedFrom(Node writer, Set<String> group) {
        if (writer == null) {
            return false;
        }
        return writer.op() instanceof Op.Concat ? group.containsAll(writer.inputs())
                : writer.op().movesData() && writer.inputs().stream().anyMatch(group::contains);
    }

    private Map<String, List<String>> members() {
        Map<String, List<String>> found = new LinkedHashMap<>();
        quantized.forEach(name -> found.computeIfAbsent(representative(name), _ -> new ArrayList<>()).add(name));
        return found;
    }

    private String representative(String name) {
        String at = name;
        while (parents.containsKey(at)) {
            at = parents.get(at);
        }
        return at;
    }

    private void unite(String earlier, String later) {
        String first = representative(earlier);
        String second = representative(later);
        if (!first.equals(second)) {
            parents.put(second, first);
        }
    }
}
