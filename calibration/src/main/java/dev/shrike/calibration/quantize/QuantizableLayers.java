package dev.shrike.calibration.quantize;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.quantization.IntegerWeights;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The layers of a network that can be quantised: those that multiply a computed value with constant weights. Behind a
 * Softmax a head is being decoded, and what looks like weights are none.
 *
 * @param nodes the layers, in order
 * @param first names of those that read an input of the network, or what is moved from one
 * @param last names of those behind which no other one comes
 */
public record QuantizableLayers(List<Node> nodes, Set<String> first, Set<String> last) {
    public QuantizableLayers {
        nodes = List.copyOf(nodes);
        first = Set.copyOf(first);
        last = Set.copyOf(last);
    }

    /** The convolutions, which are the layers that can be fitted. */
    public static QuantizableLayers convolutions(Graph prepared) {
        return of(prepared, node -> node.op() instanceof Op.Conv);
    }

    /** The convolutions, and the products of Gemm and MatMul with a matrix of weights. */
    public static QuantizableLayers withMatrixProducts(Graph prepared) {
        return of(prepared, node -> IntegerWeights.isProduct(prepared, node));
    }

    /** Whether nodes with constant weights are layers is asked of them alone. */
    private static QuantizableLayers of(Graph prepared, Predicate<Node> isLayer) {
        Set<String> decoded = new HashSet<>();
        List<Node> found = new ArrayList<>();
        for (Node node : prepared.nodes()) {
            if (node.op() instanceof Op.Softmax || node.inputs().stream().anyMatch(decoded::contains)) {
                decoded.addAll(node.outputs());
            }
            Tensor weights = prepared.constants().get(node.input(1));
            if (weights != null && weights.type() == DataType.FLOAT32
                    && !prepared.constants().containsKey(node.input(0)) && !decoded.contains(node.output())
                    && isLayer.test(node)) {
                found.add(node);
            }
        }
        Set<String> names = new HashSet<>();
        found.forEach(node -> names.add(node.name()));
        return new QuantizableLayers(found, first(prepared, names), last(prepared, names));
    }

    private static Set<String> first(Graph prepared, Set<String> layers) {
        Set<String> beginning = new HashSet<>();
        prepared.inputs().forEach(input -> beginning.add(input.name()));
        Set<String> names = new HashSet<>();
        for (Node node : prepared.nodes()) {
            if (!beginning.contains(node.input(0))) {
                continue;
            }
            if (layers.contains(node.name())) {
                names.add(node.name());
            } else if (node.op().movesData()) {
                beginning.addAll(node.outputs());
            }
        }
        return names;
    }

    private static Set<String> last(Graph prepared, Set<String> layers) {
        Set<String> followed = new HashSet<>();
        Set<String> names = new HashSet<>();
        for (Node node : prepared.nodes().reversed()) {
            boolean precedes = node.outputs().stream().anyMatch(followed::contains);
            boolean layer = layers.contains(node.name());
            if (layer && !precedes) {
                names.add(node.name());
            }
            if (layer || precedes) {
                followed.addAll(node.inputs());
            }
        }
        return names;
    }
}
