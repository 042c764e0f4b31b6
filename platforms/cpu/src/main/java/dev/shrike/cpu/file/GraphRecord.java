package dev.shrike.cpu.file;

import dev.shrike.ModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * A graph as the header of a {@code .shrike} file: one JSON object with {@code name}, {@code inputs}, {@code outputs},
 * {@code nodes} ({@code name}, {@code op} as of {@link OpRecord}, {@code inputs}, {@code outputs}), {@code constants}
 * and {@code quantization} by value name, {@code metadata}. Tensors are entries of {@link TensorRecord}.
 */
public final class GraphRecord {
    private GraphRecord() {}

    /** The header of a graph, whose constants are added to the writer. */
    public static Map<String, Object> write(Graph graph, TensorRecord.Writer constants) {
        Map<String, Object> header = new LinkedHashMap<>();
        header.put("name", graph.name());
        header.put("inputs", graph.inputs().stream().map(GraphRecord::write).toList());
        header.put("outputs", graph.outputs().stream().map(GraphRecord::write).toList());
        header.put("nodes", graph.nodes().stream().map(node -> write(node, constants)).toList());
        Map<String, Object> tensors = new LinkedHashMap<>();
        new TreeMap<>(graph.constants()).forEach((name, tensor) -> tensors.put(name, constants.add(tensor)));
        header.put("constants", tensors);
        Map<String, Object> quantization = new LinkedHashMap<>();
        new TreeMap<>(graph.quantization()).forEach((name, q) -> quantization.put(name, write(q, constants)));
        header.put("quantization", quantization);
        header.put("metadata", graph.metadata());
        return header;
    }

    private static Map<String, Object> write(ValueInfo value) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("name", value.name());
        fields.put("type", value.type());
        fields.put("dims", value.shape().dims());
        return fields;
    }

    private static Map<String, Object> write(Node node, TensorRecord.Writer constants) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("name", node.name());
        fields.put("op", OpRecord.write(node.op(), constants));
        fields.put("inputs", node.inputs());
        fields.put("outputs", node.outputs());
        return fields;
    }

    private static Map<String, Object> write(Quantization q, TensorRecord.Writer constants) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("bits", q.bits());
        fields.put("signed", q.signed());
        fields.put("narrow", q.narrow());
        fields.put("axis", q.axis());
        fields.put("bipolar", q.bipolar());
        fields.put("scale", constants.add(q.scale()));
        fields.put("zeroPoint", constants.add(q.zeroPoint()));
        return fields;
    }

    /**
     * The graph of a header.
     *
     * @param section the bytes of its constants
     * @throws ModelException if a field is missing, of another type or inconsistent; names it
     */
    public static Graph read(Fields header, MemorySegment section) {
        TensorRecord.checkSizes(tensors(header), section);
        Map<String, Tensor> constants = new LinkedHashMap<>();
        Fields tensors = header.object("constants");
        for (String name : tensors.values().keySet()) {
            constants.put(name, TensorRecord.read(tensors.object(name), section));
        }
        Map<String, Quantization> quantization = new LinkedHashMap<>();
        Fields quantized = header.object("quantization");
        for (String name : quantized.values().keySet()) {
            quantization.put(name, quantization(quantized.object(name), section));
        }
        return new Graph(header.text("name"), values(header, "inputs"), values(header, "outputs"),
                nodes(header, section), constants, quantization, header.object("metadata").allTexts());
    }

    /** Every tensor that the header names. */
    private static List<Fields> tensors(Fields header) {
        List<Fields> all = new ArrayList<>();
        Fields constants = header.object("constants");
        constants.values().keySet().forEach(name -> all.add(constants.object(name)));
        Fields quantized = header.object("quantization");
        for (String name : quantized.values().keySet()) {
            all.add(quantized.object(name).object("scale"));
            all.add(quantized.object(name).object("zeroPoint"));
        }
        for (Fields node : header.objects("nodes")) {
            OpRecord.tensor(node.object("op")).ifPresent(all::add);
        }
        return all;
    }

    private static List<ValueInfo> values(Fields header, String list) {
        List<ValueInfo> values = new ArrayList<>();
        for (Fields value : header.objects(list)) {
            try {
                values.add(new ValueInfo(value.text("name"), value.choice("type", DataType.class),
                        new Shape(value.numbers("dims"))));
            } catch (IllegalArgumentException e) {
                throw new ModelException(value.where() + ": " + e.getMessage(), e);
            }
        }
        return values;
    }

    private static List<Node> nodes(Fields header, MemorySegment section) {
        List<Node> nodes = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Fields node : header.objects("nodes")) {
            if (!names.add(node.text("name"))) {
                throw new ModelException("two nodes are called '" + node.text("name") + "'");
            }
            nodes.add(new Node(node.text("name"), OpRecord.read(node.object("op"), section), node.texts("inputs"),
                    node.texts("outputs")));
        }
        return nodes;
    }

    private static Quantization quantization(Fields fields, MemorySegment section) {
        Tensor scale = TensorRecord.read(fields.object("scale"), section);
        Tensor zeroPoint = TensorRecord.read(fields.object("zeroPoint"), section);
        if (!scale.shape().equals(zeroPoint.shape())) {
            throw new ModelException(fields.where() + ": scale " + scale + " and zero point " + zeroPoint
                    + " have different shapes");
        }
        try {
            return new Quantization(scale, zeroPoint, fields.integer("bits"), fields.flag("signed"),
                    fields.flag("narrow"), fields.integer("axis"), fields.flag("bipolar"));
        } catch (IllegalArgumentException e) {
            throw new ModelException(fields.where() + ": " + e.getMessage(), e);
        }
    }
}
