package dev.shrike.graph.passes;

import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.NewNames;
import dev.shrike.graph.Node;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.quantization.IntegerWeights;
import dev.shrike.graph.quantization.QuantizationMath;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Gives whoever cannot compute with constants of codes the floats that they stand for: every reader but products of
 * codes and codes ({@link IntegerWeights#isIntegerProduct}). Comes after {@link FoldCodeMoves}.
 */
public final class FloatWeights implements GraphPass {
    @Override
    public Graph apply(Graph graph) {
        NewNames names = new NewNames(graph);
        Set<String> measured = IntegerWeights.measuredValues(graph);
        Map<String, String> floats = new HashMap<>();
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            boolean product = IntegerWeights.isIntegerProduct(graph, node, measured::contains);
            List<String> inputs = new ArrayList<>(node.inputs());
            for (int i = 0; i < inputs.size(); i++) {
                String name = inputs.get(i);
                Tensor codes = graph.constants().get(name);
                Quantization how = graph.quantization().get(name);
                if (codes != null && how != null && !(product && i == 1)) {
                    inputs.set(i, floats.computeIfAbsent(name, _ -> {
                        String real = names.next(name + ".real");
                        constants.put(real, QuantizationMath.dequantize(codes, how));
                        return real;
                    }));
                }
            }
            nodes.add(node.withInputs(inputs));
        }
        return floats.isEmpty() ? graph : graph.withNodes(nodes, constants);
    }
}
