package dev.shrike.graph.kernels;

import dev.shrike.ModelException;
import dev.shrike.graph.Node;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Numbers;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.TensorType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An operation over row-major arrays, for those that only pick, place, order or accumulate elements. The evaluator and
 * engines compute the same with it. All memory that a run needs is there from the start; confined to one thread.
 */
public abstract class ArrayKernel {
    private final Node node;

    ArrayKernel(Node node) {
        this.node = node;
    }

    /**
     * Computes the node.
     *
     * @param inputs a row-major array per input, integers and truths as numbers; null for a left-out one
     * @param outputs a row-major array per output, to be filled
     * @throws ModelException if an index is out of bounds; names the node
     */
    public abstract void run(double[][] inputs, double[][] outputs);

    /**
     * The kernel of a node, or empty if its operation has none.
     *
     * @param inputs shape per input, all known; null for a left-out one
     * @param outputs shape per output, all known
     */
    public static Optional<ArrayKernel> of(Node node, List<Shape> inputs, List<Shape> outputs) {
        Shape x = inputs.getFirst();
        Shape y = outputs.getFirst();
        return Optional.ofNullable(switch (node.op()) {
            case Op.GatherElements op -> SelectionKernels.gatherElements(node, op, x, inputs.get(1));
            case Op.GatherNd op -> SelectionKernels.gatherNd(node, op, x, inputs.get(1));
            case Op.Gather op -> SelectionKernels.gather(node, op, x, inputs.get(1));
            case Op.ScatterElements op -> SelectionKernels.scatterElements(node, op, x, inputs.get(1));
            case Op.ScatterNd op -> SelectionKernels.scatterNd(node, op, x, inputs.get(1));
            case Op.TopK op -> OrderKernels.topK(node, op, x, y);
            case Op.ArgExtreme op -> OrderKernels.argExtreme(node, op, x);
            case Op.Hardmax op -> OrderKernels.hardmax(node, op, x);
            case Op.OneHot op -> SelectionKernels.oneHot(node, op, y);
            case Op.Trilu op -> SelectionKernels.trilu(node, op, x);
            case Op.CumSum op -> OrderKernels.cumSum(node, op, x);
            case Op.Where _ -> SelectionKernels.where(node, inputs, y);
            case Op.Tile _ -> SelectionKernels.tile(node, x, y);
            case Op.Cast op -> SelectionKernels.cast(node, op);
            default -> null;
        });
    }

    /** Whether the evaluator has no other code for the operation. */
    static boolean evaluates(Op op) {
        return switch (op) {
            case Op.GatherElements _,Op.GatherNd _,Op.ScatterElements _,Op.ScatterNd _,Op.TopK _ -> true;
            case Op.ArgExtreme _,Op.Hardmax _,Op.OneHot _,Op.Trilu _,Op.CumSum _ -> true;
            default -> false;
        };
    }

    /** The values of the outputs of a node whose inputs are all known. */
    static List<Tensor> evaluate(NodeView view, List<TensorType> outputs) {
        List<Shape> shapes = new ArrayList<>();
        double[][] inputs = new double[view.inputCount()][];
        for (int i = 0; i < inputs.length; i++) {
            shapes.add(view.has(i) ? view.shape(i) : null);
            inputs[i] = view.has(i) ? numbers(view.known(i)) : null;
        }
        double[][] results = new double[outputs.size()][];
        for (int i = 0; i < results.length; i++) {
            results[i] = new double[Math.toIntExact(outputs.get(i).shape().elements())];
        }
        of(view.node(), shapes, outputs.stream().map(TensorType::shape).toList()).orElseThrow().run(inputs, results);
        List<Tensor> tensors = new ArrayList<>();
        for (int i = 0; i < results.length; i++) {
            tensors.add(tensor(outputs.get(i), results[i]));
        }
        return tensors;
    }

    private static double[] numbers(Tensor tensor) {
        return tensor.type().isFloating() ? Numbers.floats(tensor)
                : java.util.Arrays.stream(tensor.toLongs()).asDoubleStream().toArray();
    }

    private static Tensor tensor(TensorType type, double[] values) {
        return type.type().isFloating() ? Numbers.real(type.type(), type.shape(), values)
                : Tensor.of(type.type(), type.shape(),
                        java.util.Arrays.stream(values).mapToLong(v -> (long) v).toArray());
    }

    /** An index counted from the front. */
    final int index(double value, long size) {
        if (!(value >= -size && value < size)) {
            throw new ModelException(NodeView.describe(node) + ": index " + (long) value + " is not within " + -size
                    + " to " + (size - 1));
        }
        return (int) (value < 0 ? value + size : value);
    }

    /** An axis counted from the front. */
    static int axis(long axis, int rank) {
        return (int) (axis < 0 ? axis + rank : axis);
    }
}
