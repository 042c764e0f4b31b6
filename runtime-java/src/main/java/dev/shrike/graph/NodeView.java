package dev.shrike.graph;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** A node together with what is known of its inputs: types, shapes and, of some, the values. */
public final class NodeView {
    private final Node node;
    private final Function<String, TensorType> types;
    private final Function<String, Tensor> values;

    /**
     * @param types type of a value by name
     * @param values value by name, or null where it is not known
     */
    public NodeView(Node node, Function<String, TensorType> types, Function<String, Tensor> values) {
        this.node = node;
        this.types = types;
        this.values = values;
    }

    public Node node() {
        return node;
    }

    public int inputCount() {
        return node.inputs().size();
    }

    public boolean has(int index) {
        return node.hasInput(index);
    }

    private TensorType input(int index) {
        if (!has(index)) {
            throw error("input " + index + " is missing");
        }
        return types.apply(node.input(index));
    }

    public DataType type(int index) {
        return input(index).type();
    }

    public Shape shape(int index) {
        return input(index).shape();
    }

    /** The value of an input, if it is given and known. */
    public Optional<Tensor> value(int index) {
        return has(index) ? Optional.ofNullable(values.apply(node.input(index))) : Optional.empty();
    }

    /** The value of an input which must be known. */
    public Tensor known(int index) {
        return value(index).orElseThrow(() -> error("the value of input '" + node.input(index) + "' is not known"));
    }

    /** The known integers of an input; it must be a vector or scalar of integers. */
    public Optional<long[]> integers(int index) {
        if (!has(index)) {
            return Optional.empty();
        }
        TensorType type = input(index);
        if (type.type() != DataType.INT64 && type.type() != DataType.INT32) {
            throw mismatch("input " + index + " has type " + type.type(), "INT64 or INT32");
        }
        if (type.shape().rank() > 1) {
            throw mismatch("input " + index + " has shape " + type.shape(), "a vector");
        }
        return value(index).map(Tensor::toLongs);
    }

    /** Number of elements of the vector that input {@code index} is; {@link Shape#OPEN} if not known. */
    public long length(int index) {
        Shape shape = shape(index);
        if (shape.rank() > 1) {
            throw mismatch("input " + index + " has shape " + shape, "a vector");
        }
        return shape.rank() == 0 ? 1 : shape.dim(0);
    }

    /** {@code axis} counted from the front. */
    public int axis(long axis, int rank) {
        if (axis < -rank || axis >= rank) {
            throw mismatch("axis " + axis, "within " + -rank + " to " + (rank - 1));
        }
        return (int) (axis < 0 ? axis + rank : axis);
    }

    /**
     * Which of {@code rank} dimensions these axes name; each may be named once.
     *
     * @throws ModelException if an axis is out of range or repeated
     */
    public boolean[] axes(long[] axes, int rank) {
        boolean[] named = new boolean[rank];
        for (long axis : axes) {
            int i = axis(axis, rank);
            if (named[i]) {
                throw error("axis " + axis + " is given twice");
            }
            named[i] = true;
        }
        return named;
    }

    /** Requires that a shape has elements, as far as it is known: an image without any has no pixels to compute. */
    public void requireElements(String what, Shape shape) {
        if (shape.dims().contains(0L)) {
            throw mismatch(what + " has shape " + shape, "at least one element");
        }
    }

    public void requireFloat(int index) {
        if (!type(index).isFloating()) {
            throw mismatch("input " + index + " has type " + type(index), "a floating-point type");
        }
    }

    public void requireRank(int index, int rank) {
        if (shape(index).rank() != rank) {
            throw mismatch("input " + index + " has shape " + shape(index), rank + " dimensions");
        }
    }

    public void requireSameType(int first, int second) {
        if (type(first) != type(second)) {
            throw mismatch("input " + second + " has type " + type(second), type(first) + " like input " + first);
        }
    }

    public ModelException mismatch(String found, String expected) {
        return error(found + ", expected " + expected);
    }

    public ModelException error(String what) {
        return new ModelException(where() + ": " + what);
    }

    public UnsupportedModelException unsupported(String what) {
        return new UnsupportedModelException(where() + ": " + what);
    }

    private String where() {
        return describe(node);
    }

    /** Name and operation of a node, for messages. */
    public static String describe(Node node) {
        return "node '" + node.name() + "' (" + node.op().getClass().getSimpleName() + ")";
    }

    /** The single result of most operations. */
    public static List<TensorType> one(DataType type, Shape shape) {
        return List.of(new TensorType(type, shape));
    }
}
