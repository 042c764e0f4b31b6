package dev.shrike.onnx;

import com.google.protobuf.ByteString;
import dev.shrike.onnx.proto.Onnx.AttributeProto;
import dev.shrike.onnx.proto.Onnx.GraphProto;
import dev.shrike.onnx.proto.Onnx.ModelProto;
import dev.shrike.onnx.proto.Onnx.NodeProto;
import dev.shrike.onnx.proto.Onnx.OperatorSetIdProto;
import dev.shrike.onnx.proto.Onnx.TensorProto;
import dev.shrike.onnx.proto.Onnx.TensorShapeProto;
import dev.shrike.onnx.proto.Onnx.TypeProto;
import dev.shrike.onnx.proto.Onnx.ValueInfoProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.function.Consumer;

/** Models built field by field, also such that no exporter would write. */
final class TestModels {
    private TestModels() {}

    /** A model of that opset with input x [1,4,8,8], output y of rank 4 and the given graph contents. */
    static ModelProto.Builder model(int opset, Consumer<GraphProto.Builder> contents) {
        GraphProto.Builder graph = GraphProto.newBuilder()
                .setName("test")
                .addInput(value("x", 1, 1, 4, 8, 8))
                .addOutput(value("y", 1, -1, -1, -1, -1));
        contents.accept(graph);
        return ModelProto.newBuilder()
                .setIrVersion(8)
                .setProducerName("test")
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(opset))
                .setGraph(graph);
    }

    /** A model whose only node writes y. */
    static ModelProto.Builder single(int opset, NodeProto.Builder node, TensorProto... initializers) {
        return model(opset, graph -> graph.addNode(node).addAllInitializer(List.of(initializers)));
    }

    static NodeProto.Builder node(String opType, List<String> inputs, String... outputs) {
        return NodeProto.newBuilder()
                .setName("the node")
                .setOpType(opType)
                .addAllInput(inputs)
                .addAllOutput(List.of(outputs));
    }

    /** Value information; a negative dimension is left open. */
    static ValueInfoProto.Builder value(String name, int type, long... dims) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (long dim : dims) {
            TensorShapeProto.Dimension.Builder size = TensorShapeProto.Dimension.newBuilder();
            shape.addDim(dim < 0 ? size.setDimParam("d" + shape.getDimCount()) : size.setDimValue(dim));
        }
        return ValueInfoProto.newBuilder()
                .setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(TypeProto.Tensor.newBuilder().setElemType(type).setShape(shape)));
    }

    static AttributeProto.Builder integer(String name, long value) {
        return AttributeProto.newBuilder().setName(name).setType(AttributeProto.Type.INT).setI(value);
    }

    static AttributeProto.Builder integers(String name, Long... values) {
        return AttributeProto.newBuilder().setName(name).setType(AttributeProto.Type.INTS).addAllInts(List.of(values));
    }

    static AttributeProto.Builder floating(String name, float value) {
        return AttributeProto.newBuilder().setName(name).setType(AttributeProto.Type.FLOAT).setF(value);
    }

    static AttributeProto.Builder text(String name, String value) {
        return AttributeProto.newBuilder()
                .setName(name)
                .setType(AttributeProto.Type.STRING)
                .setS(ByteString.copyFromUtf8(value));
    }

    static AttributeProto.Builder tensor(String name, TensorProto value) {
        return AttributeProto.newBuilder().setName(name).setType(AttributeProto.Type.TENSOR).setT(value);
    }

    /** A FLOAT tensor as raw data. */
    static TensorProto floats(String name, long[] dims, float... values) {
        ByteBuffer raw = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            raw.putFloat(value);
        }
        return typed(name, 1, dims).setRawData(ByteString.copyFrom(raw.flip())).build();
    }

    /** An INT64 vector in int64_data. */
    static TensorProto longs(String name, Long... values) {
        return typed(name, 7, values.length).addAllInt64Data(List.of(values)).build();
    }

    /** A tensor without data. */
    static TensorProto.Builder typed(String name, int type, long... dims) {
        TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).setDataType(type);
        for (long dim : dims) {
            tensor.addDims(dim);
        }
        return tensor;
    }
}
