package dev.shrike.onnx.writer;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.GrowingTypes;
import dev.shrike.graph.passes.ExportQuantization;
import dev.shrike.onnx.names.UniqueNames;
import dev.shrike.onnx.proto.Onnx.GraphProto;
import dev.shrike.onnx.proto.Onnx.ModelProto;
import dev.shrike.onnx.proto.Onnx.OperatorSetIdProto;
import dev.shrike.onnx.proto.Onnx.StringStringEntryProto;
import dev.shrike.onnx.proto.Onnx.TensorShapeProto;
import dev.shrike.onnx.proto.Onnx.TypeProto;
import dev.shrike.onnx.proto.Onnx.ValueInfoProto;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/** A graph as an ONNX model. Constants and metadata are sorted by name, so that equal graphs give equal files. */
public final class ModelWriter {
    /** What a protobuf message may hold, less room for everything that is not tensor data. */
    private static final long LARGEST = Integer.MAX_VALUE - (64L << 20);

    private final Graph graph;
    private final int opset;
    private GrowingTypes types;

    public ModelWriter(Graph graph) {
        this.graph = new ExportQuantization().apply(graph);
        this.opset = Opsets.of(this.graph);
    }

    public ModelProto write() {
        check();
        ModelProto.Builder model = ModelProto.newBuilder()
                .setIrVersion(Opsets.irVersion(opset))
                .setProducerName("shrike")
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("").setVersion(opset))
                .setGraph(graph());
        if (graph.nodes().stream().anyMatch(ModelWriter::isQonnx)) {
            model.addOpsetImport(
                    OperatorSetIdProto.newBuilder().setDomain(NodeWriter.QONNX_DOMAIN).setVersion(1));
        }
        new TreeMap<>(graph.metadata()).forEach((key, value) -> {
            if (!key.startsWith("onnx.")) {
                model.addMetadataProps(StringStringEntryProto.newBuilder().setKey(key).setValue(value));
            }
        });
        return model.build();
    }

    private void check() {
        long bytes = 0;
        for (Tensor tensor : graph.constants().values()) {
            bytes += tensor.data().byteSize();
        }
        if (bytes > LARGEST) {
            throw new UnsupportedModelException("its constants have " + bytes + " bytes, one ONNX file holds at most "
                    + LARGEST);
        }
    }

    private GraphProto graph() {
        UniqueNames valueNames = new UniqueNames();
        UniqueNames nodeNames = new UniqueNames();
        graph.constants().keySet().forEach(valueNames::use);
        graph.inputs().forEach(input -> valueNames.use(input.name()));
        for (Node node : graph.nodes()) {
            node.outputs().forEach(valueNames::use);
            nodeNames.use(node.name());
        }
        NodeWriter nodes = new NodeWriter(opset, graph.constants(), this::type, valueNames, nodeNames);
        graph.nodes().forEach(nodes::write);
        Map<String, Tensor> constants = new TreeMap<>(graph.constants());
        constants.keySet().removeAll(onlyAttributes(nodes));
        constants.putAll(nodes.added());

        GraphProto.Builder proto = GraphProto.newBuilder().setName(graph.name()).addAllNode(nodes.written());
        graph.inputs().forEach(input -> proto.addInput(info(input)));
        graph.outputs().forEach(output -> proto.addOutput(info(output)));
        constants.forEach((name, tensor) -> proto.addInitializer(NodeProtos.tensor(name, tensor)));
        return proto.build();
    }

    private DataType type(String value) {
        if (types == null) {
            types = new GrowingTypes();
            graph.inputs().forEach(types::add);
            graph.constants().forEach(types::add);
            graph.nodes().forEach(types::add);
        }
        return types.type(value).orElse(DataType.FLOAT32);
    }

    // Constants that no written node and no output reads any more since they have become attributes.
    private Set<String> onlyAttributes(NodeWriter nodes) {
        Set<String> unread = new HashSet<>(nodes.asAttribute());
        nodes.written().forEach(node -> unread.removeAll(node.getInputList()));
        graph.outputs().forEach(output -> unread.remove(output.name()));
        return unread;
    }

    private static boolean isQonnx(Node node) {
        return switch (node.op()) {
            case Op.Quant _,Op.BipolarQuant _,Op.Trunc _ -> true;
            default -> false;
        };
    }

    private static ValueInfoProto info(ValueInfo value) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (long size : value.shape().dims()) {
            TensorShapeProto.Dimension.Builder dim = TensorShapeProto.Dimension.newBuilder();
            shape.addDim(size == Shape.OPEN ? dim : dim.setDimValue(size));
        }
        TypeProto.Tensor.Builder tensor =
                TypeProto.Tensor.newBuilder().setElemType(value.type().onnxCode()).setShape(shape);
        return ValueInfoProto.newBuilder()
                .setName(value.name())
                .setType(TypeProto.newBuilder().setTensorType(tensor))
                .build();
    }
}
