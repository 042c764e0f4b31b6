package dev.shrike.calibration.quantize;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * Which values of a float network become codes, which of them alike and how wide.
 * <ul>
 * <li>What a convolution itself gives, before its activation, has 8 bits, or stays float if that is wished; then so
 * does a summand that only its sum reads, since the convolution adds the other one before it rounds. Other summands and
 * sums have 8 bits.
 * <li>What a convolution reads has the width that it wishes. Where a sum, or a Concat with other operands, reads the
 * value too, the value keeps 8 bits and the convolutions read a narrow copy: an Identity with codes of its own.
 * <li>MaxPool, Resize, Split and other moves keep the codes of what they move. An operand of a Concat that nothing else
 * reads has the codes of the result, so that nothing is translated.
 * <li>The results of the last convolutions are real, so that a detection head is decoded in float.
 * </ul>
 */
public final class QuantizerPlacement {
    private final Graph graph;
    private final Map<String, BitWidths> layers = new LinkedHashMap<>();
    private final Set<String> last;
    private final Set<String> coded = new LinkedHashSet<>();
    /** Results of layers that stay float, since only an activation function or a sum reads them. */
    private final Set<String> bare = new HashSet<>();
    private final Map<String, List<Node>> readers = new HashMap<>();
    private final Map<String, String> parents = new HashMap<>();
    private final Map<String, String> copies = new LinkedHashMap<>();
    private List<Group> groups = List.of();

    /**
     * Values with the same codes.
     *
     * @param values names; the first one is the earliest
     * @param bits width
     * @param sources those of the values that are computed, not moved, whose ranges decide the codes; a narrow copy
     *     stands under the name of what it copies
     */
    public record Group(List<String> values, int bits, List<String> sources) {
        public Group {
            values = List.copyOf(values);
            sources = List.copyOf(sources);
        }
    }

    private QuantizerPlacement(Graph graph, Set<String> last) {
        this.graph = graph;
        this.last = last;
    }

    /**
     * The layers that can be quantised: convolutions of a computed value and constant weights, in order. Behind a
     * Softmax a head is being decoded, and what looks like weights are none.
     */
    public static List<Node> layers(Graph prepared) {
        Set<String> decoded = new HashSet<>();
        List<Node> found = new ArrayList<>();
        for (Node node : prepared.nodes()) {
            if (node.op() instanceof Op.Softmax || node.inputs().stream().anyMatch(decoded::contains)) {
                decoded.addAll(node.outputs());
            }
            Tensor weights = prepared.constants().get(node.input(1));
            if (node.op() instanceof Op.Conv && weights != null && weights.type() == DataType.FLOAT32
                    && !prepared.constants().containsKey(node.input(0)) && !decoded.contains(node.output())) {
                found.add(node);
            }
        }
        return found;
    }

    /** Names of those layers that read an input of the network. */
    public static Set<String> first(Graph prepared) {
        Set<String> inputs = new HashSet<>();
        prepared.inputs().forEach(input -> inputs.add(input.name()));
        Set<String> names = new HashSet<>();
        layers(prepared).stream().filter(node -> inputs.contains(node.input(0))).forEach(n -> names.add(n.name()));
        return names;
    }

    /** Names of those layers behind which no other one comes. */
    public static Set<String> last(Graph prepared) {
        Set<String> products = new HashSet<>();
        layers(prepared).forEach(node -> products.add(node.name()));
        Set<String> followed = new HashSet<>();
        Set<String> names = new HashSet<>();
        for (Node node : prepared.nodes().reversed()) {
            boolean precedes = node.outputs().stream().anyMatch(followed::contains);
            boolean product = products.contains(node.name());
            if (product && !precedes) {
                names.add(node.name());
            }
            if (product || precedes) {
                followed.addAll(node.inputs());
            }
        }
        return names;
    }

    /**
     * The choice for a network.
     *
     * @param prepared a float graph whose convolutions are not fused with anything
     * @param widths of each layer by the name of its node; null leaves it in float
     */
    public static QuantizerPlacement of(Graph prepared, Function<String, BitWidths> widths) {
        return of(prepared, widths, true);
    }

    /**
     * As the other method.
     *
     * @param preActivations whether what a layer gives to an activation function that alone reads it has codes
     */
    static QuantizerPlacement of(Graph prepared, Function<String, BitWidths> widths, boolean preActivations) {
        return of(prepared, widths, preActivations, false);
    }

    /**
     * As the other method.
     *
     * @param sharing whether all operands and the result of a Concat have the same codes, whoever else reads them
     */
    static QuantizerPlacement of(Graph prepared, Function<String, BitWidths> widths, boolean preActivations,
            boolean sharing) {
        QuantizerPlacement values = new QuantizerPlacement(prepared, last(prepared));
        for (Node node : layers(prepared)) {
            BitWidths wish = widths.apply(node.name());
            if (wish != null) {
                values.layers.put(node.name(), wish);
            }
        }
        if (!preActivations) {
            values.bare();
        }
        values.choose();
        values.unite(sharing);
        values.split();
        return values;
    }

    /**
     * No value becomes codes; layers read copies, each an Identity, which are to be rounded by their own range. Layers
     * that read the same value read the same copy.
     *
     * @param widths as for {@link #of}
     */
    static QuantizerPlacement measured(Graph prepared, Function<String, BitWidths> widths) {
        QuantizerPlacement values = new QuantizerPlacement(prepared, last(prepared));
        for (Node node : layers(prepared)) {
            BitWidths wish = widths.apply(node.name());
            if (wish != null) {
                values.layers.put(node.name(), wish);
                values.copies.putIfAbsent(node.input(0), node.input(0) + ".measured");
            }
        }
        return values;
    }

    /** Names of the copies that layers read. */
    Set<String> copies() {
        return Set.copyOf(copies.values());
    }

    /** The graph with the narrow copies, in which the groups are named. */
    public Graph graph() {
        if (copies.isEmpty()) {
            return graph;
        }
        List<Node> nodes = new ArrayList<>();
        graph.inputs().forEach(input -> copy(input.name(), nodes));
        for (Node node : graph.nodes()) {
            if (layers.containsKey(node.name()) && copies.containsKey(node.input(0))) {
                List<String> inputs = new ArrayList<>(node.inputs());
                inputs.set(0, copies.get(node.input(0)));
                nodes.add(node.withInputs(inputs));
            } else {
                nodes.add(node);
            }
            node.outputs().forEach(name -> copy(name, nodes));
        }
        return graph.withNodes(nodes);
    }

    private void copy(String name, List<Node> nodes) {
        if (copies.containsKey(name)) {
            nodes.add(new Node(copies.get(name), new Op.Identity(), List.of(name), List.of(copies.get(name))));
        }
    }

    /** The values that become codes, in groups. */
    public List<Group> groups() {
        return groups;
    }

    /** The widths of the layers that are quantised, by name, in order. */
    public Map<String, BitWidths> widths() {
        return layers;
    }

    /** What a narrow copy copies, or the name itself. */
    public String original(String value) {
        return copies.entrySet().stream().filter(e -> e.getValue().equals(value)).map(Map.Entry::getKey).findFirst()
                .orElse(value);
    }

    private boolean isCoded(List<String> names) {
        return names.stream().allMatch(coded::contains);
    }

    private void choose() {
        Set<String> read = new HashSet<>();
        graph.nodes().stream().filter(node -> layers.containsKey(node.name())).forEach(n -> read.add(n.input(0)));
        for (Node node : graph.nodes().reversed()) {
            if (node.outputs().stream().anyMatch(read::contains)) {
                if (node.op().movesData()) {
                    read.add(node.input(0));
                } else if (node.op() instanceof Op.Concat) {
                    node.inputs().stream().filter(name -> !graph.constants().containsKey(name)).forEach(read::add);
                }
            }
        }
        Map<String, ValueInfo> infos = ShapeInference.infer(graph);
        graph.inputs().stream().map(ValueInfo::name).filter(read::contains).forEach(coded::add);
        for (Node node : graph.nodes()) {
            node.inputs().forEach(name -> readers.computeIfAbsent(name, _ -> new ArrayList<>()).add(node));
            boolean codes = layers.containsKey(node.name()) && !last.contains(node.name()) || followsCodes(node);
            for (String name : node.outputs()) {
                if (!name.isEmpty() && (codes && !bare.contains(name) || read.contains(name))
                        && infos.get(name).type() == DataType.FLOAT32) {
                    coded.add(name);
                }
            }
        }
    }

    private void bare() {
        Map<String, Node> readers = SoleReaders.of(graph);
        for (Node node : graph.nodes()) {
            Node reader = readers.get(node.output());
            if (layers.containsKey(node.name()) && !last.contains(node.name()) && reader != null
                    && (reader.op() instanceof Op.Unary || reader.op() instanceof Op.Clip)) {
                bare.add(node.output());
            }
        }
        Map<String, ValueInfo> infos = ShapeInference.infer(graph);
        Map<String, Node> writers = writers();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Binary binary && binary.kind() == Op.Binary.Kind.ADD
                    && infos.get(node.input(0)).shape().equals(infos.get(node.input(1)).shape())) {
                // A convolution can take in one sum, so only one summand of it stays float.
                node.inputs().reversed().stream()
                        .filter(name -> node.equals(readers.get(name)) && isOfLayer(writers.get(name)))
                        .findFirst().ifPresent(bare::add);
            }
        }
    }

    /** Whether a layer gives the value that a node writes, itself or through its activation function. */
    private boolean isOfLayer(Node writer) {
        return writer != null && (layers.containsKey(writer.name()) && !last.contains(writer.name())
                || (writer.op() instanceof Op.Unary || writer.op() instanceof Op.Clip)
                        && bare.contains(writer.input(0)));
    }

    private Map<String, Node> writers() {
        Map<String, Node> writers = new HashMap<>();
        graph.nodes().forEach(node -> node.outputs().forEach(name -> writers.put(name, node)));
        return writers;
    }

    private boolean followsCodes(Node node) {
        return switch (node.op()) {
            case Op.Unary _,Op.Clip _ -> coded.contains(node.input(0)) || bare.contains(node.input(0));
            case Op.Binary binary -> binary.kind() == Op.Binary.Kind.ADD
                    && node.inputs().stream().allMatch(name -> coded.contains(name) || bare.contains(name));
            case Op.Concat _ -> isCoded(node.inputs());
            default -> node.op().movesData() && coded.contains(node.input(0));
        };
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

    private void unite(boolean sharing) {
        for (Node node : graph.nodes()) {
            if (node.op().movesData() && coded.contains(node.input(0))) {
                node.outputs().stream().filter(coded::contains).forEach(name -> unite(node.input(0), name));
            }
        }
        Map<String, List<String>> moved = members();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Concat && coded.contains(node.output()) && isCoded(node.inputs())) {
                node.inputs().stream().filter(name -> sharing || isReadOnlyBy(moved, name, node))
                        .forEach(name -> unite(name, node.output()));
            }
        }
    }

    /** Whether a value and all that it is moved to is read by the Concat and by moves only. */
    private boolean isReadOnlyBy(Map<String, List<String>> moved, String name, Node concat) {
        String group = moved.entrySet().stream().filter(e -> e.getValue().contains(name)).map(Map.Entry::getKey)
                .findFirst().orElseThrow();
        return moved.get(group).stream().flatMap(value -> readers.getOrDefault(value, List.of()).stream())
                .allMatch(reader -> reader.equals(concat) || reader.op().movesData());
    }

    private Map<String, List<String>> members() {
        Map<String, List<String>> found = new LinkedHashMap<>();
        coded.forEach(name -> found.computeIfAbsent(representative(name), _ -> new ArrayList<>()).add(name));
        return found;
    }

    private void split() {
        Map<String, Node> writers = writers();
        List<Group> found = new ArrayList<>();
        for (List<String> members : members().values()) {
            Set<String> own = new HashSet<>(members);
            int wish = 0;
            boolean wide = false;
            for (String name : members) {
                for (Node reader : readers.getOrDefault(name, List.of())) {
                    if (layers.containsKey(reader.name())) {
                        wish = Math.max(wish, layers.get(reader.name()).activations());
                    } else if (!reader.op().movesData() && !own.contains(reader.output())) {
                        wide = true;
                    }
                }
            }
            List<String> sources =
                    members.stream().filter(name -> !isMovedFrom(writers.get(name), own)).toList();
            if (wish == 0 || !wide || wish == 8) {
                found.add(new Group(members, wish == 0 ? 8 : wish, sources));
                continue;
            }
            found.add(new Group(members, 8, sources));
            for (String name : members) {
                if (readers.getOrDefault(name, List.of()).stream().anyMatch(r -> layers.containsKey(r.name()))) {
                    copies.put(name, name + ".narrow");
                    found.add(new Group(List.of(name + ".narrow"), wish, List.of(name)));
                }
            }
        }
        groups = List.copyOf(found);
    }

    private static boolean isMovedFrom(Node writer, Set<String> group) {
        return writer != null && (writer.op().movesData() || writer.op() instanceof Op.Concat)
                && writer.inputs().stream().anyMatch(group::contains)
                && (writer.op().movesData() || group.containsAll(writer.inputs()));
    }
}
