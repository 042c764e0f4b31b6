package dev.shrike.onnx;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.onnx.proto.Onnx.GraphProto;
import dev.shrike.onnx.proto.Onnx.ModelProto;
import dev.shrike.onnx.proto.Onnx.NodeProto;
import dev.shrike.onnx.proto.Onnx.OperatorSetIdProto;
import dev.shrike.onnx.proto.Onnx.StringStringEntryProto;
import dev.shrike.onnx.proto.Onnx.TensorProto;
import dev.shrike.onnx.proto.Onnx.TensorShapeProto;
import dev.shrike.onnx.proto.Onnx.TypeProto;
import dev.shrike.onnx.proto.Onnx.ValueInfoProto;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A parsed file as a graph. */
final class ModelReader {
    static final int OLDEST_OPSET = 9;
    // Opsets 22 to 24 gave the operators we read more element types and optional attributes, and changed none of them.
    static final int NEWEST_OPSET = 24;

    private final ModelProto model;
    private final TensorReader tensors;

    ModelReader(ModelProto model, ExternalData external) {
        this.model = model;
        this.tensors = new TensorReader(external);
    }

    Graph read() {
        if (!model.hasGraph()) {
            throw new ModelException("is not an ONNX model: it holds no graph");
        }
        GraphProto proto = model.getGraph();
        int opset = opset();
        if (proto.getSparseInitializerCount() > 0) {
            throw new UnsupportedModelException("has sparse initializers; export the model with dense ones");
        }
        ReadScope scope = new ReadScope(opset);
        collectNames(proto, scope);
        for (TensorProto initializer : proto.getInitializerList()) {
            if (initializer.getName().isEmpty()) {
                throw new ModelException("has an initializer without a name");
            }
            scope.addConstant(
                    initializer.getName(), tensors.read(initializer, "initializer '" + initializer.getName() + "'"));
        }
        List<ValueInfo> inputs = inputs(proto, scope);
        List<ValueInfo> outputs = outputs(proto, scope);
        declare(proto.getValueInfoList(), scope);
        NodeReader nodes = new NodeReader(tensors);
        for (NodeDraft draft : TopologicalOrder.of(new Drafts(tensors).of(proto.getNodeList(), scope))) {
            nodes.read(draft);
        }
        Graph graph = new Graph(
                proto.getName(), inputs, outputs, scope.nodes(), scope.constants(), Map.of(), metadata(opset));
        WeightCheck.check(graph);
        return graph;
    }

    private int opset() {
        long opset = 1;
        for (OperatorSetIdProto entry : model.getOpsetImportList()) {
            if (entry.getDomain().isEmpty() || entry.getDomain().equals("ai.onnx")) {
                opset = entry.getVersion();
            }
        }
        if (opset < OLDEST_OPSET || opset > NEWEST_OPSET) {
            throw new UnsupportedModelException("uses ONNX opset " + opset + ", Shrike reads " + OLDEST_OPSET + " to "
                    + NEWEST_OPSET + "; export it again with opset 17 (yolo export format=onnx opset=17, or"
                    + " export.py --include onnx --opset 17), or convert it with onnx.version_converter");
        }
        return (int) opset;
    }

    private static void collectNames(GraphProto proto, ReadScope scope) {
        proto.getInputList().forEach(input -> scope.useValueName(input.getName()));
        for (NodeProto node : proto.getNodeList()) {
            node.getOutputList().forEach(scope::useValueName);
            node.getInputList().forEach(scope::markRead);
            Branches.captured(node).forEach(scope::markRead);
        }
        proto.getOutputList().forEach(output -> scope.markRead(output.getName()));
    }

    // Models of before IR version 4 list every initializer among the inputs too.
    private static List<ValueInfo> inputs(GraphProto proto, ReadScope scope) {
        List<ValueInfo> inputs = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (ValueInfoProto value : proto.getInputList()) {
            if (!names.add(value.getName())) {
                throw new ModelException("input '" + value.getName() + "' is given twice");
            }
            if (scope.constant(value.getName()).isEmpty()) {
                inputs.add(info(value, "input", scope));
                scope.addInput(inputs.getLast());
            }
        }
        return inputs;
    }

    private static List<ValueInfo> outputs(GraphProto proto, ReadScope scope) {
        List<ValueInfo> outputs = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (ValueInfoProto value : proto.getOutputList()) {
            if (!names.add(value.getName())) {
                throw new ModelException("output '" + value.getName() + "' is given twice");
            }
            outputs.add(info(value, "output", scope));
        }
        if (outputs.isEmpty()) {
            throw new ModelException("its graph has no outputs");
        }
        return outputs;
    }

    private static ValueInfo info(ValueInfoProto value, String role, ReadScope scope) {
        String what = role + " '" + value.getName() + "'";
        if (value.getName().isEmpty()) {
            throw new ModelException("has an " + role + " without a name");
        }
        if (!value.hasType()) {
            throw new ModelException(what + " has no type");
        }
        if (!value.getType().hasTensorType()) {
            throw new UnsupportedModelException(what + " is not a dense tensor");
        }
        TypeProto.Tensor type = value.getType().getTensorType();
        if (!type.hasShape()) {
            throw new ModelException(what + " has no shape; run onnx.shape_inference.infer_shapes over the model");
        }
        ValueInfo info = new ValueInfo(
                value.getName(), TensorReader.type(type.getElemType(), what), shape(type.getShape(), what));
        scope.declareRank(info.name(), info.shape().rank());
        scope.declareType(info.name(), info.type());
        return info;
    }

    private static Shape shape(TensorShapeProto proto, String what) {
        TensorReader.checkRank(proto.getDimCount(), what);
        List<Long> dims = new ArrayList<>();
        long elements = 1;
        for (TensorShapeProto.Dimension dim : proto.getDimList()) {
            if (!dim.hasDimValue()) {
                dims.add(Shape.OPEN);
                continue;
            }
            long size = dim.getDimValue();
            if (size < 0) {
                throw new ModelException(what + " has the negative dimension " + size + " (dimension " + dims.size()
                        + "); an open one must have a name or nothing");
            }
            if (size > 0 && elements > Long.MAX_VALUE / 8 / size) {
                throw new ModelException(what + ": the number of elements of its shape overflows");
            }
            elements *= Math.max(1, size);
            dims.add(size);
        }
        return new Shape(dims);
    }

    // Only hints: what is not declared, or in a way we cannot use, is simply unknown.
    private static void declare(List<ValueInfoProto> values, ReadScope scope) {
        for (ValueInfoProto value : values) {
            TypeProto.Tensor type = value.getType().getTensorType();
            if (type.hasShape()) {
                scope.declareRank(value.getName(), type.getShape().getDimCount());
            }
            for (DataType known : DataType.values()) {
                if (known.onnxCode() == type.getElemType()) {
                    scope.declareType(value.getName(), known);
                }
            }
        }
    }

    private Map<String, String> metadata(int opset) {
        Map<String, String> metadata = new LinkedHashMap<>();
        for (StringStringEntryProto entry : model.getMetadataPropsList()) {
            metadata.put(entry.getKey(), entry.getValue());
        }
        metadata.put(OnnxModels.OPSET, Integer.toString(opset));
        metadata.put(OnnxModels.IR_VERSION, Long.toString(model.getIrVersion()));
        if (model.hasProducerName()) {
            metadata.put(OnnxModels.PRODUCER,
                    (model.getProducerName() + " " + model.getProducerVersion()).trim());
        }
        return metadata;
    }
}
