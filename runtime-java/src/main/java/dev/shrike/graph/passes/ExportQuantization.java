package dev.shrike.graph.passes;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Links;
import dev.shrike.graph.NewNames;
import dev.shrike.graph.Node;
import dev.shrike.graph.Numbers;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.quantization.QuantizationMath;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Turns quantisation of values into nodes, as files have it; {@link ImportQuantization} is the way back. Codes of 8 and
 * 4 bits become QuantizeLinear and DequantizeLinear (weights, DequantizeLinear of a constant of codes), other widths
 * and activations of symmetric range QONNX's Quant, bipolar ones BipolarQuant. DynamicQuant becomes
 * DynamicQuantizeLinear and DequantizeLinear. A quantised value keeps its name before
 * rounding, unless it is an output of the graph: then the rounded one has it.
 */
public final class ExportQuantization implements GraphPass {
    @Override
    public Graph apply(Graph graph) {
        return graph.isQuantized() ? new Export(graph).apply() : graph;
    }

    private static final class Export {
        private final Graph graph;
        private final Links links;
        private final NewNames names;
        private final Map<String, ValueInfo> infos;
        private final Map<String, Tensor> constants;
        private final Map<String, String> rounded = new HashMap<>();
        private final List<Node> nodes = new ArrayList<>();

        Export(Graph graph) {
            this.graph = graph;
            this.links = new Links(graph);
            this.names = new NewNames(graph);
            this.infos = ShapeInference.infer(graph);
            this.constants = new HashMap<>(graph.constants());
        }

        Graph apply() {
            for (String name : graph.constants().keySet().stream().sorted().toList()) {
                Quantization how = graph.quantization().get(name);
                if (how != null) {
                    constant(name, how);
                }
            }
            for (ValueInfo input : graph.inputs()) {
                Quantization how = graph.quantization().get(input.name());
                if (how != null && links.isOutput(input.name())) {
                    throw new UnsupportedModelException("value '" + input.name() + "' is input and output and"
                            + " quantised; give the output another name");
                }
                if (how != null) {
                    round(input.name(), reading(input.name()), how);
                }
            }
            graph.nodes().forEach(this::node);
            return graph.withNodes(nodes, constants, Map.of());
        }

        private String reading(String name) {
            rounded.put(name, names.next(name + ".rounded"));
            return rounded.get(name);
        }

        private void node(Node node) {
            List<String> outputs = new ArrayList<>(node.outputs());
            Map<String, String> pairs = new HashMap<>();
            Set<String> written = new HashSet<>(outputs);
            for (String name : written) {
                if (!graph.quantization().containsKey(name)) {
                    continue;
                }
                String from = name;
                if (links.isOutput(name)) {
                    from = names.next(name + ".real");
                    outputs.set(outputs.indexOf(name), from);
                }
                pairs.put(name, from);
            }
            List<String> inputs = node.inputs().stream().map(name -> rounded.getOrDefault(name, name)).toList();
            if (node.op() instanceof Op.DynamicQuant) {
                dynamic(node.name(), inputs, outputs);
            } else {
                nodes.add(new Node(node.name(), node.op(), inputs, outputs));
            }
            for (String name : node.outputs()) {
                if (pairs.containsKey(name)) {
                    String from = pairs.get(name);
                    round(from, from.equals(name) ? reading(name) : name, graph.quantization().get(name),
                            infos.get(name).shape().rank());
                }
            }
        }

        private void dynamic(String name, List<String> inputs, List<String> outputs) {
            String to = outputs.getFirst();
            List<String> parts =
                    List.of(names.next(to + ".codes"), names.next(to + ".scale"), names.next(to + ".zero"));
            nodes.add(new Node(names.next(name + ".quantize"), new Op.DynamicQuantizeLinear(), inputs, parts));
            nodes.add(new Node(name, new Op.DequantizeLinear(0), parts, outputs));
        }

        private void round(String from, String to, Quantization how) {
            round(from, to, how, infos.get(from).shape().rank());
        }

        private void round(String from, String to, Quantization how, int rank) {
            boolean whole = !how.narrow() && !how.bipolar() && (how.bits() == 8 || how.bits() == 4);
            if (!whole) {
                quant(from, to, how, rank);
                return;
            }
            DataType type = type(how);
            String scale = put(to + ".scale", how.scale());
            String zero = put(to + ".zero", Tensor.of(type, how.zeroPoint().shape(), how.zeroPoint().toLongs()));
            int axis = Math.max(0, how.axis());
            String codes = names.next(to + ".codes");
            nodes.add(new Node(names.next(to + ".quantize"), new Op.QuantizeLinear(axis, type),
                    List.of(from, scale, zero), List.of(codes)));
            nodes.add(new Node(names.next(to + ".dequantize"), new Op.DequantizeLinear(axis),
                    List.of(codes, scale, zero), List.of(to)));
        }

        private void constant(String name, Quantization how) {
            Tensor codes = constants.remove(name);
            if (how.bipolar() || (how.bits() != 8 && how.bits() != 4)) {
                String real = put(name + ".real", QuantizationMath.dequantize(codes, how));
                quant(real, name, how, codes.shape().rank());
                return;
            }
            DataType type = type(how);
            Tensor stored = codes.type() == type ? codes : Tensor.of(type, codes.shape(), codes.toLongs());
            String scale = put(name + ".scale", how.scale());
            String zero = put(name + ".zero", Tensor.of(type, how.zeroPoint().shape(), how.zeroPoint().toLongs()));
            nodes.add(new Node(names.next(name + ".dequantize"), new Op.DequantizeLinear(Math.max(0, how.axis())),
                    List.of(put(name + ".stored", stored), scale, zero), List.of(name)));
        }

        private void quant(String from, String to, Quantization how, int rank) {
            long[] dims = new long[how.isPerTensor() ? 0 : rank];
            java.util.Arrays.fill(dims, 1);
            if (!how.isPerTensor()) {
                dims[how.axis()] = how.scale().elements();
            }
            Shape shape = Shape.of(dims);
            String scale = put(to + ".scale", how.scale().reshaped(shape));
            String name = names.next(to + ".quant");
            if (how.bipolar()) {
                nodes.add(new Node(name, new Op.BipolarQuant(), List.of(from, scale), List.of(to)));
                return;
            }
            DataType real = how.scale().type();
            String zero = put(to + ".zero", Numbers.cast(how.zeroPoint(), real).reshaped(shape));
            String bits = put(to + ".bits", Numbers.cast(Tensor.scalar(how.bits()), real));
            nodes.add(new Node(name, new Op.Quant(how.signed(), how.narrow(), "ROUND"),
                    List.of(from, scale, zero, bits), List.of(to)));
        }

        private String put(String wish, Tensor tensor) {
            String name = names.next(wish);
            constants.put(name, tensor);
            return name;
        }

        private static DataType type(Quantization how) {
            if (how.bits() == 4) {
                return how.signed() ? DataType.INT4 : DataType.UINT4;
            }
            return how.signed() ? DataType.INT8 : DataType.UINT8;
        }
    }
}
