package dev.shrike.onnx;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.onnx.proto.Onnx.AttributeProto;
import dev.shrike.onnx.proto.Onnx.GraphProto;
import dev.shrike.onnx.proto.Onnx.TensorProto;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The attributes of one node, type-checked. Each may be taken; {@link #finish} complains about those that nobody
 * took, since an attribute that is not understood may change what the node computes.
 */
final class Attributes {
    private final String where;
    private final Map<String, AttributeProto> left = new LinkedHashMap<>();

    Attributes(String where, List<AttributeProto> protos) {
        this.where = where;
        for (AttributeProto proto : protos) {
            if (left.putIfAbsent(proto.getName(), proto) != null) {
                throw new ModelException(where + ": attribute '" + proto.getName() + "' is given twice");
            }
        }
    }

    boolean has(String name) {
        return left.containsKey(name);
    }

    /** Attributes that cannot change what this node computes. */
    void ignore(String... names) {
        for (String name : names) {
            left.remove(name);
        }
    }

    int integer(String name, int otherwise) {
        AttributeProto proto = take(name, AttributeProto.Type.INT);
        return proto == null ? otherwise : toInt(name, proto.getI());
    }

    int requiredInteger(String name) {
        AttributeProto proto = take(name, AttributeProto.Type.INT);
        if (proto == null) {
            throw missing(name);
        }
        return toInt(name, proto.getI());
    }

    /** A required integer of 64 bits. */
    long wide(String name) {
        AttributeProto proto = take(name, AttributeProto.Type.INT);
        if (proto == null) {
            throw missing(name);
        }
        return proto.getI();
    }

    boolean flag(String name, boolean otherwise) {
        return integer(name, otherwise ? 1 : 0) != 0;
    }

    float floating(String name, float otherwise) {
        AttributeProto proto = take(name, AttributeProto.Type.FLOAT);
        if (proto == null) {
            return otherwise;
        }
        if (!Float.isFinite(proto.getF())) {
            throw new ModelException(where + ": attribute '" + name + "' is " + proto.getF() + ", must be finite");
        }
        return proto.getF();
    }

    String string(String name, String otherwise) {
        AttributeProto proto = take(name, AttributeProto.Type.STRING);
        return proto == null ? otherwise : proto.getS().toStringUtf8();
    }

    Optional<long[]> integers(String name) {
        AttributeProto proto = take(name, AttributeProto.Type.INTS);
        if (proto == null) {
            return Optional.empty();
        }
        long[] values = new long[proto.getIntsCount()];
        for (int i = 0; i < values.length; i++) {
            values[i] = proto.getInts(i);
        }
        return Optional.of(values);
    }

    /** A list of exactly {@code count} values that fit an int. */
    int[] integers(String name, int count, int otherwise) {
        long[] values = integers(name).orElse(null);
        int[] result = new int[count];
        if (values == null) {
            Arrays.fill(result, otherwise);
            return result;
        }
        if (values.length != count) {
            throw new UnsupportedModelException(where + ": attribute '" + name + "' has " + values.length
                    + " values, only two-dimensional windows with " + count + " are supported");
        }
        for (int i = 0; i < count; i++) {
            result[i] = toInt(name, values[i]);
        }
        return result;
    }

    /** How many integers the list has; 0 if there is none. */
    int length(String name) {
        AttributeProto proto = left.get(name);
        return proto == null ? 0 : proto.getIntsCount();
    }

    Optional<float[]> floats(String name) {
        AttributeProto proto = take(name, AttributeProto.Type.FLOATS);
        if (proto == null) {
            return Optional.empty();
        }
        float[] values = new float[proto.getFloatsCount()];
        for (int i = 0; i < values.length; i++) {
            values[i] = proto.getFloats(i);
        }
        return Optional.of(values);
    }

    Optional<TensorProto> tensor(String name) {
        AttributeProto proto = take(name, AttributeProto.Type.TENSOR);
        return proto == null ? Optional.empty() : Optional.of(proto.getT());
    }

    Optional<GraphProto> graph(String name) {
        AttributeProto proto = take(name, AttributeProto.Type.GRAPH);
        return proto == null ? Optional.empty() : Optional.of(proto.getG());
    }

    /** Complains about an attribute that nobody took. */
    void finish() {
        if (!left.isEmpty()) {
            throw new UnsupportedModelException(where + ": attribute '" + left.keySet().iterator().next()
                    + "' is not known to Shrike for this operator");
        }
    }

    private AttributeProto take(String name, AttributeProto.Type type) {
        AttributeProto proto = left.remove(name);
        if (proto == null) {
            return null;
        }
        if (proto.hasType() && proto.getType() != AttributeProto.Type.UNDEFINED) {
            if (proto.getType() != type) {
                throw new ModelException(where + ": attribute '" + name + "' is of type " + proto.getType()
                        + ", must be " + type);
            }
            return proto;
        }
        if (!holds(proto, type)) {
            throw new ModelException(where + ": attribute '" + name + "' names no type and holds no " + type);
        }
        return proto;
    }

    // Files of before IR version 2 leave the type out; an empty list then looks like nothing at all.
    private static boolean holds(AttributeProto proto, AttributeProto.Type type) {
        return switch (type) {
            case FLOAT -> proto.hasF();
            case INT -> proto.hasI();
            case STRING -> proto.hasS();
            case TENSOR -> proto.hasT();
            case FLOATS, INTS -> !proto.hasF() && !proto.hasI() && !proto.hasS() && !proto.hasT();
            case GRAPH -> proto.hasG();
            case UNDEFINED, STRINGS, TENSORS, GRAPHS, SPARSE_TENSOR, SPARSE_TENSORS, TYPE_PROTO, TYPE_PROTOS ->
                false;
        };
    }

    private int toInt(String name, long value) {
        if (value != (int) value) {
            throw new ModelException(where + ": attribute '" + name + "' is " + value + ", which does not fit 32 bits");
        }
        return (int) value;
    }

    private ModelException missing(String name) {
        return new ModelException(where + ": attribute '" + name + "' is missing");
    }
}
