package dev.shrike.calibration.prune.channels;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.inference.ShapeInference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Which channels of a network can be removed, and which only together: across residual additions, Concat, Split,
 * poolings, upsampling, grouped and depthwise convolutions, changes of shape and products of values. It is derived from
 * what operations do to their axes.
 *
 * <p>A unit is a set of channels that go together. It is known by a number, which means nothing else.
 */
public final class ChannelDependencies {
    private final Graph graph;
    private final ChannelPropagation propagation;
    private final Map<String, int[]> outputs = new LinkedHashMap<>();
    private final Map<String, Node> byName = new LinkedHashMap<>();
    private final Map<Integer, List<Member>> members = new TreeMap<>();

    /**
     * An output channel of a layer that has weights.
     *
     * @param layer a convolution or a product with a constant matrix
     * @param index number of the channel
     */
    public record Member(Node layer, int index) {}

    private ChannelDependencies(Graph graph, ChannelPropagation propagation) {
        this.graph = graph;
        this.propagation = propagation;
        for (Node node : graph.nodes()) {
            int[] made = made(node);
            if (made == null) {
                continue;
            }
            int[] units = new int[made.length];
            for (int i = 0; i < made.length; i++) {
                units[i] = propagation.units().unit(made[i]);
                members.computeIfAbsent(units[i], _ -> new ArrayList<>()).add(new Member(node, i));
            }
            outputs.put(node.name(), units);
            byName.put(node.name(), node);
        }
    }

    /**
     * The dependencies of a network's channels.
     *
     * @param graph float, with known shapes, weights as constants
     * @throws UnsupportedModelException if the graph is quantised
     */
    public static ChannelDependencies of(Graph graph) {
        if (graph.isQuantized()) {
            throw new UnsupportedModelException("is quantised already: prune the float network, then quantise it");
        }
        return new ChannelDependencies(graph, new ChannelPropagation(graph, ShapeInference.infer(graph)).run());
    }

    /**
     * The first value that would be left without channels if these units were removed, in the order of the graph;
     * empty if there is none.
     */
    public String emptied(Set<Integer> units) {
        for (Node node : graph.nodes()) {
            for (String output : node.outputs()) {
                if (output.isEmpty()) {
                    continue;
                }
                for (int[] channels : propagation.axes().all(output, new Shape(List.of()))) {
                    if (channels != null && channels.length > 0 && Arrays.stream(channels)
                            .allMatch(channel -> units.contains(propagation.units().unit(channel)))) {
                        return output;
                    }
                }
            }
        }
        return "";
    }

    /** The units along each axis of each value, equal sets once. */
    public Set<Set<Integer>> values() {
        Set<Set<Integer>> values = new LinkedHashSet<>();
        for (Node node : graph.nodes()) {
            for (String output : node.outputs()) {
                if (output.isEmpty()) {
                    continue;
                }
                for (int[] channels : propagation.axes().all(output, new Shape(List.of()))) {
                    if (channels != null && channels.length > 0) {
                        Set<Integer> units = new TreeSet<>();
                        for (int channel : channels) {
                            units.add(propagation.units().unit(channel));
                        }
                        values.add(units);
                    }
                }
            }
        }
        return values;
    }

    /** The axis of a layer's weights that its output channels lie along. */
    public static int outputAxis(Node layer) {
        return switch (layer.op()) {
            case Op.Conv _ -> 0;
            case Op.Gemm gemm -> gemm.transB() ? 0 : 1;
            default -> -1;
        };
    }

    /** The layer of that name. */
    public Node layer(String name) {
        return byName.get(name);
    }

    private int[] made(Node node) {
        int[] channels = switch (node.op()) {
            case Op.Conv _ -> propagation.axes().get(node.output(), 1);
            case Op.Gemm _,Op.MatMul _ ->
                graph.constants().containsKey(node.input(1)) ? propagation.axes().get(node.output(), -1) : null;
            default -> null;
        };
        return channels == null || !graph.constants().containsKey(node.input(1)) ? null : channels;
    }

    /** The graph that they are of. */
    public Graph graph() {
        return graph;
    }

    /** The layers with weights whose output channels are known, by name in the order of the graph: unit by channel. */
    public Map<String, int[]> layers() {
        return Collections.unmodifiableMap(outputs);
    }

    /** The units that can be removed, ascending. */
    public Set<Integer> removable() {
        Set<Integer> units = new TreeSet<>();
        for (int unit : members.keySet()) {
            if (propagation.units().pinnedBy(unit) == null) {
                units.add(unit);
            }
        }
        return units;
    }

    /** The output channels of layers that go with a unit. */
    public List<Member> members(int unit) {
        return List.copyOf(members.getOrDefault(unit, List.of()));
    }

    /** The node that ties the unit of a channel to what cannot be removed, or null if it can be; "" are the outputs. */
    public Node pinnedBy(int unit) {
        return propagation.units().pinnedBy(unit);
    }

    /**
     * The units along an axis of a value or constant by position, or null if none can be removed there.
     *
     * @param axis counted from the end if negative
     */
    public int[] units(String value, int axis) {
        int[] channels = propagation.axes().get(value, axis);
        if (channels == null) {
            return null;
        }
        int[] units = new int[channels.length];
        for (int i = 0; i < units.length; i++) {
            units[i] = propagation.units().unit(channels[i]);
        }
        return units;
    }

    /**
     * Layers whose channels are tied to each other, in sets; removing a channel of one changes all of its set. In the
     * order of the graph, names of layers.
     */
    public List<Set<String>> groups() {
        Map<String, Set<String>> groups = new LinkedHashMap<>();
        for (List<Member> together : members.values()) {
            Set<String> all = new LinkedHashSet<>();
            for (Member member : together) {
                all.addAll(groups.getOrDefault(member.layer().name(), Set.of(member.layer().name())));
            }
            all.forEach(name -> groups.put(name, all));
        }
        Set<Set<String>> distinct = Collections.newSetFromMap(new java.util.IdentityHashMap<>());
        List<Set<String>> ordered = new ArrayList<>();
        for (String layer : outputs.keySet()) {
            Set<String> group = groups.get(layer);
            if (distinct.add(group)) {
                ordered.add(Collections.unmodifiableSet(group));
            }
        }
        return ordered;
    }
}
