package dev.shrike.calibration.quantize;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * Which values of a float network become codes, which of them alike and how wide.
 *
 * <ol>
 * <li>{@link QuantizableLayers}: what can be quantised, of which a plan has given each a width or none.
 * <li>{@link QuantizerPropagation}: which values become codes. What a convolution itself gives, before its activation,
 * has 8 bits, or stays float if that is wished; then so does a summand that only its sum reads, since the convolution
 * adds the other one before it rounds. The results of the last layers are real.
 * <li>{@link ScaleUnification}: which of them have the same codes. MaxPool, Resize, Split and other moves keep the
 * codes of what they move. An operand of a Concat that nothing else reads has the codes of the result, or all operands
 * have.
 * <li>{@link GroupWidths}: how wide they are. What a layer reads has the width that it wishes. Where a sum, or a Concat
 * with other operands, reads the value too, the value keeps 8 bits and the layers read a narrow copy, or the value has
 * the widest wish.
 * <li>The narrow copies are inserted: each an Identity with codes of its own.
 * </ol>
 *
 * @param graph the network with the copies, in which the groups are named
 * @param widths of the layers that are quantised, by name, in order
 * @param groups the values that become codes
 * @param copies names of the copies that layers read
 */
record QuantizerPlacement(Graph graph, Map<String, BitWidths> widths, List<Group> groups, Set<String> copies) {
    QuantizerPlacement {
        widths = Collections.unmodifiableMap(new LinkedHashMap<>(widths));
        groups = List.copyOf(groups);
        copies = Set.copyOf(copies);
    }

    /**
     * Values with the same codes.
     *
     * @param values names; the first one is the earliest
     * @param bits width
     * @param sources those of the values that are computed, not moved, whose ranges decide the codes; a narrow copy
     *     stands under the name of what it copies
     */
    record Group(List<String> values, int bits, List<String> sources) {
        Group {
            values = List.copyOf(values);
            sources = List.copyOf(sources);
        }
    }

    /**
     * How quantizers are placed where there is a choice.
     *
     * @param preActivations whether what a layer gives to an activation function that alone reads it has codes
     * @param sharedConcat whether all operands and the result of a Concat have the same codes, whoever else reads them;
     *     otherwise only an operand that nothing else reads has the codes of the result
     * @param narrowCopies whether a value that sums and foreign operands read too keeps 8 bits, and layers read a
     *     narrow copy of it; otherwise it has the widest wish of the layers that read it
     */
    record Rules(boolean preActivations, boolean sharedConcat, boolean narrowCopies) {
        /** For layers that are fitted. */
        static final Rules FITTED = new Rules(true, false, true);
        /** For rounding to nearest alone: no value is translated into other codes. */
        static final Rules NEAREST = new Rules(true, true, false);
    }

    /**
     * The choice for a network.
     *
     * @param prepared a float graph whose convolutions are not fused with anything
     * @param layers what can be quantised of it
     * @param wished widths of each layer by the name of its node; null leaves it in float
     */
    static QuantizerPlacement of(Graph prepared, QuantizableLayers layers, Function<String, BitWidths> wished,
            Rules rules) {
        Map<String, BitWidths> widths = widths(layers, wished);
        Set<String> quantized = QuantizerPropagation.quantized(prepared, widths.keySet(), layers.last(),
                rules.preActivations());
        List<ScaleUnification.Shared> shared = ScaleUnification.of(prepared, quantized, rules.sharedConcat());
        GroupWidths wide = GroupWidths.of(prepared, shared, widths, rules.narrowCopies());
        return new QuantizerPlacement(withCopies(prepared, widths.keySet(), wide.copies()), widths, wide.groups(),
                Set.copyOf(wide.copies().values()));
    }

    /**
     * No value becomes codes; layers read copies, each an Identity, which are to be rounded by their own range. Layers
     * that read the same value read the same copy.
     *
     * @param wished as for {@link #of}
     */
    static QuantizerPlacement measured(Graph prepared, QuantizableLayers layers, Function<String, BitWidths> wished) {
        Map<String, BitWidths> widths = widths(layers, wished);
        Map<String, String> copies = new LinkedHashMap<>();
        layers.nodes().stream().filter(node -> widths.containsKey(node.name()))
                .forEach(node -> copies.putIfAbsent(node.input(0), node.input(0) + ".measured"));
        return new QuantizerPlacement(withCopies(prepared, widths.keySet(), copies), widths, List.of(),
                Set.copyOf(copies.values()));
    }

    private static Map<String, BitWidths> widths(QuantizableLayers layers, Function<String, BitWidths> wished) {
        Map<String, BitWidths> widths = new LinkedHashMap<>();
        for (Node node : layers.nodes()) {
            BitWidths wish = wished.apply(node.name());
            if (wish != null) {
                widths.put(node.name(), wish);
            }
        }
        return widths;
    }

    /** The graph with copies of values behind these, which the layers read. */
    private static Graph withCopies(Graph graph, Set<String> layers, Map<String, String> copies) {
        if (copies.isEmpty()) {
            return graph;
        }
        List<Node> nodes = new ArrayList<>();
        graph.inputs().forEach(input -> copy(input.name(), copies, nodes));
        for (Node node : graph.nodes()) {
            if (layers.contains(node.name()) && copies.containsKey(node.input(0))) {
                List<String> inputs = new ArrayList<>(node.inputs());
                inputs.set(0, copies.get(node.input(0)));
                nodes.add(node.withInputs(inputs));
            } else {
                nodes.add(node);
            }
            node.outputs().forEach(name -> copy(name, copies, nodes));
        }
        return graph.withNodes(nodes);
    }

    private static void copy(String name, Map<String, String> copies, List<Node> nodes) {
        if (copies.containsKey(name)) {
            nodes.add(new Node(copies.get(name), new Op.Identity(), List.of(name), List.of(copies.get(name))));
        }
    }
}
