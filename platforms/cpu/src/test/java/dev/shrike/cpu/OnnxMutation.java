package dev.shrike.cpu;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import dev.shrike.onnx.proto.Onnx.AttributeProto;
import dev.shrike.onnx.proto.Onnx.GraphProto;
import dev.shrike.onnx.proto.Onnx.ModelProto;
import dev.shrike.onnx.proto.Onnx.NodeProto;
import dev.shrike.onnx.proto.Onnx.TensorProto;
import dev.shrike.onnx.proto.Onnx.ValueInfoProto;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Damages what an ONNX file says: attributes, initializers, names, wiring, any field, and now and then its bytes. */
final class OnnxMutation {
    private static final int INT64 = 7;
    private static final int FLOAT = 1;
    private static final List<String> MADE =
            List.of("", "_quantized", "/quantize", "/dequantize", "/exact", "_bias", ".rounded", "_2");

    private final Random random;
    private final ModelProto.Builder model;
    private final GraphProto.Builder graph;

    private OnnxMutation(ModelProto from, Random random) {
        this.random = random;
        this.model = from.toBuilder();
        this.graph = model.getGraphBuilder();
    }

    /** A file of one to four damages. */
    static byte[] of(byte[] file, Random random) {
        OnnxMutation mutation;
        try {
            mutation = new OnnxMutation(ModelProto.parseFrom(file), random);
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("the corpus holds sound files", e);
        }
        int count = random.nextInt(3) > 0 ? 1 : 2 + random.nextInt(3);
        for (int i = 0; i < count; i++) {
            mutation.damage();
        }
        return mutation.bytes();
    }

    private byte[] bytes() {
        byte[] bytes = model.build().toByteArray();
        if (random.nextInt(16) > 0 || bytes.length == 0) {
            return bytes;
        }
        int at = random.nextInt(bytes.length);
        switch (random.nextInt(3)) {
            case 0 -> bytes = Arrays.copyOf(bytes, at);
            case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
            default -> bytes[at] = (byte) random.nextInt(256);
        }
        return bytes;
    }

    private void damage() {
        switch (random.nextInt(16)) {
            case 0, 1, 2, 3 -> changeAttribute();
            case 4, 5, 6 -> changeInitializer();
            case 7 -> reshapeInitializer();
            case 8, 9 -> rewire();
            case 10 -> rename();
            case 11 -> exchange();
            case 12 -> changeInput();
            case 13 -> changeOpset();
            default -> changeAnything(model, 0);
        }
    }

    private NodeProto.Builder node() {
        return graph.getNodeCount() == 0 ? NodeProto.newBuilder()
                : graph.getNodeBuilder(random.nextInt(graph.getNodeCount()));
    }

    private void changeAttribute() {
        NodeProto.Builder node = node();
        for (int tries = 0; tries < 8 && node.getAttributeCount() == 0; tries++) {
            node = node();
        }
        if (node.getAttributeCount() == 0) {
            return;
        }
        int index = random.nextInt(node.getAttributeCount());
        AttributeProto.Builder attribute = node.getAttributeBuilder(index);
        if (random.nextInt(12) == 0) {
            node.removeAttribute(index);
        } else if (attribute.getIntsCount() > 0) {
            changeInts(attribute);
        } else if (attribute.hasI()) {
            attribute.setI(OddValues.integer(random, attribute.getI()));
        } else if (attribute.hasF()) {
            attribute.setF((float) OddValues.real(random, attribute.getF()));
        } else if (attribute.hasS()) {
            attribute.setS(ByteString.copyFromUtf8(List.of("", "SAME_UPPER", "VALID", "linear", "nearest", "cubic",
                    "reflect", "CRD", "floor", "half_pixel", "tf_crop_and_resize").get(random.nextInt(11))));
        } else {
            changeAnything(attribute, 0);
        }
    }

    private void changeInts(AttributeProto.Builder attribute) {
        int at = random.nextInt(attribute.getIntsCount());
        switch (random.nextInt(6)) {
            case 0 -> attribute.addInts(attribute.getInts(at));
            case 1 -> {
                List<Long> fewer = new ArrayList<>(attribute.getIntsList());
                fewer.remove(at);
                attribute.clearInts().addAllInts(fewer);
            }
            default -> attribute.setInts(at, OddValues.integer(random, attribute.getInts(at)));
        }
    }

    private TensorProto.Builder initializer(boolean index) {
        List<Integer> wanted = new ArrayList<>();
        for (int i = 0; i < graph.getInitializerCount(); i++) {
            if (!index || graph.getInitializer(i).getDataType() == INT64) {
                wanted.add(i);
            }
        }
        return wanted.isEmpty() ? TensorProto.newBuilder()
                : graph.getInitializerBuilder(OddValues.of(wanted, random));
    }

    private void changeInitializer() {
        TensorProto.Builder tensor = initializer(random.nextInt(3) > 0);
        byte[] bytes = tensor.getRawData().toByteArray();
        if (bytes.length == 0) {
            changeAnything(tensor, 0);
            return;
        }
        ByteBuffer values = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int at = random.nextInt(bytes.length);
        if (tensor.getDataType() == INT64 && bytes.length >= 8) {
            at = random.nextInt(bytes.length / 8) * 8;
            values.putLong(at, OddValues.integer(random, values.getLong(at)));
        } else if (tensor.getDataType() == FLOAT && bytes.length >= 4) {
            at = random.nextInt(bytes.length / 4) * 4;
            values.putFloat(at, (float) OddValues.real(random, values.getFloat(at)));
        } else {
            bytes[at] = (byte) random.nextInt(256);
        }
        tensor.setRawData(ByteString.copyFrom(bytes));
    }

    /** Other dimensions, mostly of the same product. */
    private void reshapeInitializer() {
        TensorProto.Builder tensor = initializer(false);
        List<Long> dims = new ArrayList<>(tensor.getDimsList());
        switch (random.nextInt(4)) {
            case 0 -> dims.add(random.nextInt(dims.size() + 1), 1L);
            case 1 -> dims.remove(1L);
            case 2 -> java.util.Collections.shuffle(dims, random);
            default -> {
                // A vector of fewer elements, and bytes to suit.
                int bytes = tensor.getDataType() == INT64 ? 8 : tensor.getDataType() == FLOAT ? 4 : 1;
                int count = random.nextInt(tensor.getRawData().size() / bytes + 1);
                tensor.setRawData(tensor.getRawData().substring(0, count * bytes));
                dims = List.of((long) count);
            }
        }
        tensor.clearDims().addAllDims(dims);
    }

    private void rewire() {
        List<String> names = new ArrayList<>(List.of("", "x"));
        graph.getNodeList().forEach(other -> names.addAll(other.getOutputList()));
        graph.getInitializerList().forEach(tensor -> names.add(tensor.getName()));
        NodeProto.Builder node = node();
        String name = OddValues.of(names, random);
        if (node.getInputCount() == 0 || random.nextInt(5) == 0) {
            node.addInput(name);
        } else if (random.nextInt(8) == 0) {
            List<String> fewer = new ArrayList<>(node.getInputList());
            fewer.remove(random.nextInt(fewer.size()));
            node.clearInput().addAllInput(fewer);
        } else {
            node.setInput(random.nextInt(node.getInputCount()), name);
        }
    }

    /** Names that are there already, none, and such as readers and engines make themselves. */
    private void rename() {
        String name = node().getName() + OddValues.of(MADE, random);
        NodeProto.Builder node = node();
        switch (random.nextInt(4)) {
            case 0 -> node.setName("");
            case 1 -> renameValue(node.getOutputCount() == 0 ? "x" : node.getOutput(0), name);
            default -> node.setName(name);
        }
    }

    private void renameValue(String from, String to) {
        for (NodeProto.Builder node : graph.getNodeBuilderList()) {
            for (int i = 0; i < node.getInputCount(); i++) {
                node.setInput(i, node.getInput(i).equals(from) ? to : node.getInput(i));
            }
            for (int i = 0; i < node.getOutputCount(); i++) {
                node.setOutput(i, node.getOutput(i).equals(from) ? to : node.getOutput(i));
            }
        }
        for (ValueInfoProto.Builder output : graph.getOutputBuilderList()) {
            output.setName(output.getName().equals(from) ? to : output.getName());
        }
    }

    private void exchange() {
        NodeProto.Builder node = node();
        NodeProto other = node().build();
        switch (random.nextInt(4)) {
            case 0 -> node.setOpType(other.getOpType()).setDomain(other.getDomain());
            case 1 -> node.setOpType(other.getOpType()).clearAttribute().addAllAttribute(other.getAttributeList());
            case 2 -> graph.addNode(other);
            default -> graph.addNode(random.nextInt(graph.getNodeCount() + 1), other.toBuilder().clearOutput()
                    .addOutput("more" + graph.getNodeCount()));
        }
    }

    private void changeInput() {
        if (graph.getInputCount() == 0) {
            return;
        }
        var shape = graph.getInputBuilder(0).getTypeBuilder().getTensorTypeBuilder().getShapeBuilder();
        if (shape.getDimCount() == 0 || random.nextInt(8) == 0) {
            shape.addDimBuilder().setDimValue(random.nextInt(4));
            return;
        }
        var dim = shape.getDimBuilder(random.nextInt(shape.getDimCount()));
        if (random.nextInt(6) == 0) {
            dim.setDimParam("open");
        } else {
            dim.setDimValue(OddValues.integer(random, dim.getDimValue()));
        }
    }

    private void changeOpset() {
        if (model.getOpsetImportCount() > 0) {
            model.getOpsetImportBuilder(random.nextInt(model.getOpsetImportCount())).setVersion(random.nextInt(28));
        }
    }

    /** Changes a field of the message, or of one below it. */
    private void changeAnything(Message.Builder message, int depth) {
        List<FieldDescriptor> fields = message.getDescriptorForType().getFields();
        FieldDescriptor field = OddValues.of(fields, random);
        if (field.isRepeated()) {
            int count = message.getRepeatedFieldCount(field);
            if (count == 0) {
                return;
            }
            int at = random.nextInt(count);
            if (field.getJavaType() != FieldDescriptor.JavaType.MESSAGE) {
                message.setRepeatedField(field, at, changed(field, message.getRepeatedField(field, at)));
            } else if (random.nextInt(8) == 0) {
                message.addRepeatedField(field, message.getRepeatedField(field, at));
            } else {
                changeAnything(message.getRepeatedFieldBuilder(field, at), depth + 1);
            }
        } else if (message.hasField(field) && random.nextInt(8) == 0 && depth > 0) {
            message.clearField(field);
        } else if (field.getJavaType() == FieldDescriptor.JavaType.MESSAGE) {
            changeAnything(message.getFieldBuilder(field), depth + 1);
        } else {
            message.setField(field, changed(field, message.getField(field)));
        }
    }

    private Object changed(FieldDescriptor field, Object value) {
        return switch (field.getJavaType()) {
            case INT -> (int) OddValues.integer(random, (Integer) value);
            case LONG -> OddValues.integer(random, (Long) value);
            case FLOAT -> (float) OddValues.real(random, (Float) value);
            case DOUBLE -> OddValues.real(random, (Double) value);
            case BOOLEAN -> !(Boolean) value;
            case STRING -> random.nextBoolean() ? node().getName() : List.of("", "a\nb", "é").get(random.nextInt(3));
            case BYTE_STRING -> {
                ByteString bytes = (ByteString) value;
                yield bytes.substring(0, random.nextInt(bytes.size() + 1));
            }
            case ENUM -> OddValues.of(field.getEnumType().getValues(), random);
            case MESSAGE -> throw new IllegalArgumentException(field + " is a message");
        };
    }
}
