package dev.shrike.calibration.quantize;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Links;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Which values become codes: what layers read, back to where it is computed, and what is computed from codes alone by
 * operations on codes. The results of the last layers stay float, so that a detection head is decoded in float.
 */
final class QuantizerPropagation {
    private final Graph graph;
    private final Set<String> layers;
    private final Set<String> last;
    private final Map<String, ValueInfo> infos;

    private QuantizerPropagation(Graph graph, Set<String> layers, Set<String> last) {
        this.graph = graph;
        this.layers = layers;
        this.last = last;
        this.infos = ShapeInference.infer(graph);
    }

    /**
     * Names of the values that become codes, in the order of the network.
     *
     * @param layers names of the layers that are quantised
     * @param last names of layers whose results stay float
     * @param preActivations as in {@link QuantizerPlacement.Rules}
     */
    static Set<String> quantized(Graph graph, Set<String> layers, Set<String> last, boolean preActivations) {
        QuantizerPropagation propagation = new QuantizerPropagation(graph, layers, last);
        return propagation.quantized(preActivations ? Set.of() : propagation.floatPreActivations());
    }

    /** @param floats results of layers that stay float although codes are computed from them */
    private Set<String> quantized(Set<String> floats) {
        Set<String> read = readByLayers();
        Set<String> quantized = new LinkedHashSet<>();
        graph.inputs().stream().map(ValueInfo::name).filter(read::contains).forEach(quantized::add);
        for (Node node : graph.nodes()) {
            boolean codes = givesCodes(node) || followsCodes(node, quantized, floats);
            for (String name : node.outputs()) {
                if (!name.isEmpty() && (codes && !floats.contains(name) || read.contains(name))
                        && infos.get(name).type() == DataType.FLOAT32) {
                    quantized.add(name);
                }
            }
        }
        return quantized;
    }

    private boolean givesCodes(Node node) {
        return layers.contains(node.name()) && !last.contains(node.name());
    }

    /** What layers read, and what that is moved or joined from. */
    private Set<String> readByLayers() {
        Set<String> read = new HashSet<>();
        graph.nodes().stream().filter(node -> layers.contains(node.name())).forEach(n -> read.add(n.input(0)));
        for (Node node : graph.nodes().reversed()) {
            if (node.outputs().stream().anyMatch(read::contains)) {
                read.addAll(movedFrom(graph, node));
            }
        }
        return read;
    }

    /** The computed values that a node moves or joins; none if it does something else. */
    static List<String> movedFrom(Graph graph, Node node) {
        if (node.op() instanceof Op.Concat) {
            return node.inputs().stream().filter(name -> !graph.constants().containsKey(name)).toList();
        }
        return node.op().movesData() ? List.of(node.input(0)) : List.of();
    }

    private static boolean followsCodes(Node node, Set<String> quantized, Set<String> floats) {
        return switch (node.op()) {
            case Op.Unary _,Op.Clip _ -> quantized.contains(node.input(0)) || floats.contains(node.input(0));
            case Op.Binary binary -> binary.kind() == Op.Binary.Kind.ADD
                    && node.inputs().stream().allMatch(name -> quantized.contains(name) || floats.contains(name));
            case Op.Concat _ -> quantized.containsAll(node.inputs());
            default -> node.op().movesData() && quantized.contains(node.input(0));
        };
    }

    /**
     * Results of layers that only an activation function reads, and summands that only their sum reads: the convolution
     * applies the function, or adds the other summand, before it rounds.
     */
    private Set<String> floatPreActivations() {
        Map<String, Node> readers = SoleReaders.of(graph);
        Set<String> floats = new HashSet<>();
        for (Node node : graph.nodes()) {
            Node reader = readers.get(node.output());
            if (givesCodes(node) && reader != null && isActivation(reader)) {
                floats.add(node.output());
            }
        }
        Links links = new Links(graph);
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Binary binary && binary.kind() == Op.Binary.Kind.ADD
                    && infos.get(node.input(0)).shape().equals(infos.get(node.input(1)).shape())) {
                // A convolution can take in one sum, so only one summand of it stays float.
                node.inputs().reversed().stream()
                        .filter(name -> node.equals(readers.get(name)) && isOfLayer(links.writer(name), floats))
                        .findFirst().ifPresent(floats::add);
            }
        }
        return floats;
    }

    /** Whether a layer gives the value that a node writes, itself or through its activation function. */
    private boolean isOfLayer(Node writer, Set<String> floats) {
        return writer != null && (givesCodes(writer) || isActivation(writer) && floats.contains(writer.input(0)));
    }

    private static boolean isActivation(Node node) {
        return node.op() instanceof Op.Unary || node.op() instanceof Op.Clip;
    }
}
