package dev.shrike.cpu;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * An ONNX file put together field by field, without any code of the product: what it reads is to be tested. Field
 * numbers are those of onnx.proto.
 */
final class OnnxFile {
    private static final int FLOAT = 1;
    private static final int INT64 = 7;
    private static final int BOOL = 9;

    private final long opset;
    private final List<byte[]> nodes = new ArrayList<>();
    private final List<byte[]> constants = new ArrayList<>();
    private final Map<String, long[]> inputs = new LinkedHashMap<>();
    private final List<String> outputs = new ArrayList<>();
    private int count;

    OnnxFile(long opset) {
        this.opset = opset;
    }

    /** A FLOAT input of that shape. */
    OnnxFile input(String name, long... dims) {
        inputs.put(name, dims);
        return this;
    }

    Map<String, long[]> inputs() {
        return inputs;
    }

    OnnxFile output(String... names) {
        outputs.addAll(List.of(names));
        return this;
    }

    List<String> outputs() {
        return outputs;
    }

    OnnxFile floats(String name, long[] dims, float... values) {
        ByteBuffer raw = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            raw.putFloat(value);
        }
        constants.add(tensor(name, FLOAT, dims, raw.array()));
        return this;
    }

    OnnxFile longs(String name, long[] dims, long... values) {
        ByteBuffer raw = ByteBuffer.allocate(8 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (long value : values) {
            raw.putLong(value);
        }
        constants.add(tensor(name, INT64, dims, raw.array()));
        return this;
    }

    /** A vector of INT64. */
    OnnxFile vector(String name, long... values) {
        return longs(name, new long[] {values.length}, values);
    }

    OnnxFile truth(String name, boolean value) {
        constants.add(tensor(name, BOOL, new long[0], new byte[] {(byte) (value ? 1 : 0)}));
        return this;
    }

    private static byte[] tensor(String name, int type, long[] dims, byte[] raw) {
        Message message = new Message();
        for (long dim : dims) {
            message.number(1, dim);
        }
        return message.number(2, type).text(8, name).bytes(9, raw).toBytes();
    }

    /** A node; attributes are name and value in turn: Long, Float, String, long[], float[] or an OnnxFile as branch. */
    OnnxFile node(String opType, List<String> from, List<String> to, Object... attributes) {
        return node("", opType, from, to, attributes);
    }

    OnnxFile node(String domain, String opType, List<String> from, List<String> to, Object... attributes) {
        Message node = new Message();
        from.forEach(name -> node.text(1, name));
        to.forEach(name -> node.text(2, name));
        node.text(3, opType.toLowerCase(java.util.Locale.ROOT) + count++).text(4, opType);
        for (int i = 0; i < attributes.length; i += 2) {
            node.bytes(5, attribute((String) attributes[i], attributes[i + 1]));
        }
        if (!domain.isEmpty()) {
            node.text(7, domain);
        }
        nodes.add(node.toBytes());
        return this;
    }

    private static byte[] attribute(String name, Object value) {
        Message message = new Message().text(1, name);
        int type = switch (value) {
            case Float number -> {
                message.real(2, number);
                yield 1;
            }
            case Long number -> {
                message.number(3, number);
                yield 2;
            }
            case String text -> {
                message.text(4, text);
                yield 3;
            }
            case OnnxFile branch -> {
                message.bytes(6, branch.graph(branch.typesOfBranch()));
                yield 5;
            }
            case float[] numbers -> {
                for (float number : numbers) {
                    message.real(7, number);
                }
                yield 6;
            }
            case long[] numbers -> {
                for (long number : numbers) {
                    message.number(8, number);
                }
                yield 7;
            }
            default -> throw new IllegalArgumentException(value.getClass().toString());
        };
        return message.number(20, type).toBytes();
    }

    /**
     * The file.
     *
     * @param types element type (ONNX's number) and number of dimensions of the outputs; others have none
     */
    byte[] toBytes(Map<String, int[]> types) {
        return new Message()
                .number(1, opset >= 21 ? 10 : 8)
                .bytes(7, graph(types))
                .bytes(8, new Message().text(1, "").number(2, opset).toBytes())
                .bytes(8, new Message().text(1, "com.microsoft").number(2, 1).toBytes())
                .toBytes();
    }

    private byte[] graph(Map<String, int[]> types) {
        Message graph = new Message();
        nodes.forEach(node -> graph.bytes(1, node));
        graph.text(2, "test");
        constants.forEach(tensor -> graph.bytes(5, tensor));
        inputs.forEach((name, dims) -> graph.bytes(11, value(name, FLOAT, dims)));
        for (String output : outputs) {
            int[] type = types.get(output);
            graph.bytes(12, type == null ? new Message().text(1, output).toBytes()
                    : value(output, type[0], open(type[1])));
        }
        return graph.toBytes();
    }

    /** ONNX Runtime wants types of what branches give; the number of dimensions may stay open. */
    private Map<String, int[]> typesOfBranch() {
        Map<String, int[]> types = new LinkedHashMap<>();
        outputs.forEach(output -> types.put(output, new int[] {FLOAT, -1}));
        return types;
    }

    private static long[] open(int rank) {
        if (rank < 0) {
            return null;
        }
        long[] dims = new long[rank];
        java.util.Arrays.fill(dims, -1);
        return dims;
    }

    private static byte[] value(String name, int type, long[] dims) {
        Message tensor = new Message().number(1, type);
        if (dims != null) {
            Message shape = new Message();
            for (long dim : dims) {
                shape.bytes(1, dim < 0 ? new byte[0] : new Message().number(1, dim).toBytes());
            }
            tensor.bytes(2, shape.toBytes());
        }
        return new Message().text(1, name).bytes(2, new Message().bytes(1, tensor.toBytes()).toBytes()).toBytes();
    }

    /** A protobuf message. */
    private static final class Message {
        private final ByteArrayOutputStream out = new ByteArrayOutputStream();

        Message number(int field, long value) {
            varint(field << 3);
            varint(value);
            return this;
        }

        Message real(int field, float value) {
            varint(field << 3 | 5);
            int bits = Float.floatToIntBits(value);
            for (int i = 0; i < 4; i++) {
                out.write(bits >>> 8 * i);
            }
            return this;
        }

        Message text(int field, String value) {
            return bytes(field, value.getBytes(StandardCharsets.UTF_8));
        }

        Message bytes(int field, byte[] value) {
            varint(field << 3 | 2);
            varint(value.length);
            out.writeBytes(value);
            return this;
        }

        private void varint(long value) {
            long rest = value;
            while ((rest & ~0x7fL) != 0) {
                out.write((int) (rest & 0x7f | 0x80));
                rest >>>= 7;
            }
            out.write((int) rest);
        }

        byte[] toBytes() {
            return out.toByteArray();
        }
    }
}
