package dev.shrike.onnx.writer;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.shrike.graph.Tensor;
import dev.shrike.onnx.proto.Onnx.AttributeProto;
import dev.shrike.onnx.proto.Onnx.NodeProto;
import dev.shrike.onnx.proto.Onnx.TensorProto;
import java.util.List;

/** A node under construction: its attributes are added one by one. */
final class NodeProtos {
    private final NodeProto.Builder node;

    NodeProtos(String name, String opType, List<String> inputs, List<String> outputs) {
        this.node = NodeProto.newBuilder()
                .setName(name)
                .setOpType(opType)
                .addAllInput(inputs)
                .addAllOutput(outputs);
    }

    NodeProtos domain(String domain) {
        node.setDomain(domain);
        return this;
    }

    NodeProtos with(String name, long value) {
        node.addAttribute(attribute(name, AttributeProto.Type.INT).setI(value));
        return this;
    }

    NodeProtos with(String name, boolean value) {
        return with(name, value ? 1 : 0);
    }

    NodeProtos with(String name, float value) {
        node.addAttribute(attribute(name, AttributeProto.Type.FLOAT).setF(value));
        return this;
    }

    NodeProtos with(String name, String value) {
        node.addAttribute(attribute(name, AttributeProto.Type.STRING).setS(ByteString.copyFromUtf8(value)));
        return this;
    }

    NodeProtos with(String name, Tensor value) {
        node.addAttribute(attribute(name, AttributeProto.Type.TENSOR).setT(tensor("", value)));
        return this;
    }

    NodeProtos withList(String name, long... values) {
        AttributeProto.Builder attribute = attribute(name, AttributeProto.Type.INTS);
        for (long value : values) {
            attribute.addInts(value);
        }
        node.addAttribute(attribute);
        return this;
    }

    NodeProto build() {
        return node.build();
    }

    /** A tensor as raw data, which is a view of the tensor's own bytes. */
    static TensorProto tensor(String name, Tensor tensor) {
        return TensorProto.newBuilder()
                .setName(name)
                .setDataType(tensor.type().onnxCode())
                .addAllDims(tensor.shape().dims())
                .setRawData(UnsafeByteOperations.unsafeWrap(tensor.data().asByteBuffer()))
                .build();
    }

    private static AttributeProto.Builder attribute(String name, AttributeProto.Type type) {
        return AttributeProto.newBuilder().setName(name).setType(type);
    }
}
