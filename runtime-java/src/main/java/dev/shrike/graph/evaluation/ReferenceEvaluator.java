package dev.shrike.graph.evaluation;

import dev.shrike.ModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Links;
import dev.shrike.graph.Node;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.TensorType;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.kernels.Evaluation;
import dev.shrike.graph.quantization.QuantizationMath;
import dev.shrike.graph.shapes.ShapeRules;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A plain scalar evaluation of a graph, for folding constants and for checking engines against. Slow and simple: sums
 * are doubles, every result is rounded to its type, integers are exact. Quantised values are rounded to their codes and
 * go on as floats ("fake quantisation"); {@link IntegerEvaluator} computes with the codes themselves.
 */
public final class ReferenceEvaluator {
    private ReferenceEvaluator() {}

    /**
     * The wanted values by name.
     *
     * @param inputs a tensor for every input of the graph, of its type and a shape that it accepts
     * @param wanted names of inputs, constants or node outputs; what they do not need is not computed
     * @throws ModelException if an input does not fit, shapes are inconsistent, a wanted value does not exist or a
     *     value would have more than 2^25 elements; names the node
     */
    public static Map<String, Tensor> run(Graph graph, Map<String, Tensor> inputs, Set<String> wanted) {
        Map<String, Quantization> quantization = graph.quantization();
        Map<String, Tensor> values = new HashMap<>(graph.constants());
        values.replaceAll((name, codes) -> quantization.containsKey(name)
                ? QuantizationMath.dequantize(codes, quantization.get(name)) : codes);
        for (ValueInfo input : graph.inputs()) {
            values.put(input.name(), rounded(given(input, inputs.get(input.name())), quantization.get(input.name())));
        }
        List<Node> nodes = Links.needed(graph.nodes(), wanted);
        Map<String, Integer> lastReader = lastReaders(nodes);
        for (int i = 0; i < nodes.size(); i++) {
            Node node = nodes.get(i);
            NodeView view = new NodeView(node, name -> type(values.get(name)), values::get);
            List<Tensor> results = Evaluation.evaluate(view, ShapeRules.outputs(view));
            ShapeInference.put(values, node, results);
            for (String name : node.outputs()) {
                values.computeIfPresent(name, (_, value) -> rounded(value, quantization.get(name)));
            }
            for (String name : node.inputs()) {
                if (lastReader.getOrDefault(name, -1) == i && !wanted.contains(name)) {
                    values.remove(name);
                }
            }
        }
        Map<String, Tensor> found = new LinkedHashMap<>();
        for (String name : wanted) {
            if (!values.containsKey(name)) {
                throw new ModelException("graph '" + graph.name() + "' has no value '" + name + "'");
            }
            found.put(name, values.get(name));
        }
        return found;
    }

    private static Tensor rounded(Tensor tensor, Quantization how) {
        return how == null ? tensor : QuantizationMath.roundToCodes(tensor, how);
    }

    private static TensorType type(Tensor tensor) {
        return new TensorType(tensor.type(), tensor.shape());
    }

    static Tensor given(ValueInfo input, Tensor tensor) {
        if (tensor == null) {
            throw new ModelException("input '" + input.name() + "' is missing");
        }
        boolean fits = tensor.type() == input.type() && tensor.shape().rank() == input.shape().rank();
        for (int i = 0; fits && i < tensor.shape().rank(); i++) {
            fits = !ShapeRules.differ(tensor.shape().dim(i), input.shape().dim(i));
        }
        if (!fits) {
            throw new ModelException("input '" + input.name() + "' is " + tensor + ", expected " + input.type()
                    + input.shape());
        }
        return tensor;
    }

    /** The last node that reads each value, after which its memory is given back. */
    static Map<String, Integer> lastReaders(List<Node> nodes) {
        Map<String, Integer> last = new HashMap<>();
        for (int i = 0; i < nodes.size(); i++) {
            for (String name : nodes.get(i).inputs()) {
                last.put(name, i);
            }
        }
        return last;
    }
}
