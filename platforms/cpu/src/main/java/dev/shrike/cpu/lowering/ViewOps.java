package dev.shrike.cpu.lowering;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Operators of a graph that only look differently at their input. */
final class ViewOps {
    private ViewOps() {}

    /** Whether the result of a node can be a view of its input. */
    static boolean isOne(Node node) {
        return switch (node.op()) {
            case Op.Reshape _,Op.Flatten _,Op.Squeeze _,Op.Unsqueeze _ -> true;
            case Op.Transpose _,Op.Identity _,Op.Split _,Op.Slice _,Op.Expand _ -> true;
            default -> false;
        };
    }

    /**
     * The view that a node is.
     *
     * @param in shape of its input, known
     * @throws UnsupportedModelException if it reads bounds that are not constant; names the node
     */
    static ViewOp of(Graph graph, Node node, Shape in) {
        return switch (node.op()) {
            case Op.Reshape _,Op.Flatten _,Op.Squeeze _,Op.Unsqueeze _ -> new ViewOp.Reshape();
            case Op.Transpose transpose -> new ViewOp.Transpose(permutation(transpose, in.rank()));
            case Op.Identity _ -> new ViewOp.Identity();
            case Op.Expand _ -> new ViewOp.Broadcast();
            case Op.Split split -> split(graph, node, split, in);
            case Op.Slice _ -> slice(graph, node, in);
            default -> throw new IllegalStateException(node.op() + " is no view");
        };
    }

    /** The permutation; an empty one turns the dimensions round. */
    private static List<Integer> permutation(Op.Transpose transpose, int rank) {
        List<Integer> given = transpose.permutation();
        return IntStream.range(0, rank).mapToObj(d -> given.isEmpty() ? rank - 1 - d : given.get(d)).toList();
    }

    private static ViewOp split(Graph graph, Node node, Op.Split split, Shape in) {
        int axis = split.axis() < 0 ? split.axis() + in.rank() : split.axis();
        long[] sizes = node.hasInput(1) ? constant(graph, node, 1) : null;
        long equal = Math.ceilDiv(in.dim(axis), node.outputs().size());
        List<Long> starts = new ArrayList<>();
        long start = 0;
        for (int i = 0; i < node.outputs().size(); i++) {
            starts.add(start);
            start += sizes == null ? equal : sizes[i];
        }
        return new ViewOp.Split(axis, starts);
    }

    private static ViewOp slice(Graph graph, Node node, Shape in) {
        long[] starts = constant(graph, node, 1);
        long[] axes = node.hasInput(3) ? constant(graph, node, 3) : null;
        long[] steps = node.hasInput(4) ? constant(graph, node, 4) : null;
        List<ViewOp.Cut> cuts = new ArrayList<>();
        for (int i = 0; i < starts.length; i++) {
            int axis = axes == null ? i : (int) (axes[i] < 0 ? axes[i] + in.rank() : axes[i]);
            long step = steps == null ? 1 : steps[i];
            long size = in.dim(axis);
            long start = starts[i] < 0 ? starts[i] + size : starts[i];
            cuts.add(new ViewOp.Cut(axis, Math.clamp(start, 0, step > 0 ? size : size - 1), step));
        }
        return new ViewOp.Slice(cuts);
    }

    private static long[] constant(Graph graph, Node node, int input) {
        Tensor tensor = graph.constants().get(node.input(input));
        if (tensor == null) {
            throw new UnsupportedModelException("node '" + node.name() + "': input " + input + " ('" + node.input(input)
                    + "') must be constant once the input size is set");
        }
        return tensor.toLongs();
    }
}
