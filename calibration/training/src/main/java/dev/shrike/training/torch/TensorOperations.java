package dev.shrike.training.torch;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import dev.shrike.graph.inference.ShapeInference;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.ScalarOptional;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/**
 * The operations of a graph on tensors. Sizes come from the graph, which has one image; where the graph has one image
 * as
 * first dimension, tensors may have several.
 */
final class TensorOperations {
    private final Graph graph;
    private final Map<String, ValueInfo> infos;

    TensorOperations(Graph graph) {
        this.graph = graph;
        this.infos = ShapeInference.infer(graph);
    }

    /**
     * Returns if a node can be run and has a gradient.
     *
     * @throws UnsupportedModelException otherwise; names the node
     */
    void check(Node node) {
        boolean fits = switch (node.op()) {
            case Op.Conv _ -> graph.constants().containsKey(node.input(1)) && shape(node.input(0)).rank() == 4;
            case Op.BatchNormalization _ -> IntStream.range(1, 5)
                    .allMatch(i -> graph.constants().containsKey(node.input(i)));
            case Op.Unary unary -> unary.kind() != Op.Unary.Kind.NOT;
            case Op.Binary binary -> switch (binary.kind()) {
                case ADD, SUB, MUL, DIV, POW, MIN, MAX, PRELU -> true;
                case MOD, EQUAL, GREATER, GREATER_OR_EQUAL, LESS, LESS_OR_EQUAL, AND, OR, XOR -> false;
            };
            case Op.Resize resize -> resize.mode() != Op.Resize.Mode.CUBIC && shape(node.input(0)).rank() == 4;
            case Op.Pad pad -> pad.mode() == Op.Pad.Mode.CONSTANT && known(node, 1, 3);
            case Op.Slice _ -> known(node, 1, 2, 3, 4);
            case Op.Gather _ -> known(node, 1);
            case Op.Split _ -> known(node, 1);
            case Op.Cast cast -> cast.to() == DataType.FLOAT32;
            case Op.MatMul _,Op.Gemm _,Op.Clip _,Op.Softmax _,Op.MaxPool _,Op.AveragePool _ -> true;
            case Op.GlobalAveragePool _,Op.Concat _,Op.Reshape _,Op.Transpose _,Op.Flatten _ -> true;
            case Op.Squeeze _,Op.Unsqueeze _,Op.DepthToSpace _,Op.SpaceToDepth _,Op.Expand _,Op.Identity _ -> true;
            case Op.Reduce reduce -> reduce.kind() != Op.Reduce.Kind.PROD && known(node, 1);
            case Op.ShapeOf _,Op.GatherElements _,Op.GatherNd _,Op.ScatterElements _,Op.ScatterNd _,Op.TopK _ -> false;
            case Op.ArgExtreme _,Op.Hardmax _,Op.OneHot _,Op.Trilu _,Op.CumSum _,Op.Range _,Op.Tile _ -> false;
            case Op.Where _,Op.ConstantOfShape _,Op.QuantizeLinear _,Op.DequantizeLinear _ -> false;
            case Op.DynamicQuantizeLinear _,Op.DynamicQuant _,Op.Quant _,Op.BipolarQuant _,Op.Trunc _ -> false;
        };
        boolean real = node.outputs().stream().filter(name -> !name.isEmpty())
                .allMatch(name -> infos.get(name).type() == DataType.FLOAT32);
        if (!fits || !real) {
            throw new UnsupportedModelException("node '" + node.name() + "' ("
                    + node.op().getClass().getSimpleName() + ") cannot be trained: it has no gradient here"
                    + (real ? "" : ", its result is " + infos.get(node.output()).type())
                    + "; export the network without it, or up to its heads");
        }
    }

    private boolean known(Node node, int... inputs) {
        return IntStream.of(inputs).allMatch(i -> !node.hasInput(i) || graph.constants().containsKey(node.input(i)));
    }

    private Shape shape(String name) {
        return infos.get(name).shape();
    }

    /** The dimensions of a value for a batch of so many images. */
    private long[] dims(Node node, String name, long batch) {
        long[] dims = shape(name).toArray();
        Shape from = shape(node.input(0));
        boolean images = dims.length > 0 && dims[0] == 1 && from.rank() > 0 && from.dim(0) == 1
                && !graph.constants().containsKey(node.input(0));
        if (images) {
            dims[0] = batch;
        }
        return dims;
    }

    private long[] integers(Node node, int input) {
        return graph.constants().get(node.input(input)).toLongs();
    }

    /** The outputs of a node. */
    List<Tensor> apply(Node node, Function<String, Tensor> values, long batch) {
        if (node.op() instanceof Op.Split split) {
            long[] sizes =
                    node.outputs().stream().mapToLong(name -> shape(name).dim(axis(split.axis(), node))).toArray();
            TensorVector parts = values.apply(node.input(0)).split_with_sizes(sizes, axis(split.axis(), node));
            return IntStream.range(0, sizes.length).mapToObj(parts::get).toList();
        }
        return List.of(single(node, values, batch));
    }

    private int axis(int axis, Node node) {
        return axis < 0 ? axis + shape(node.input(0)).rank() : axis;
    }

    private Tensor single(Node node, Function<String, Tensor> values, long batch) {
        Tensor x = values.apply(node.input(0));
        return switch (node.op()) {
            case Op.Conv conv -> convolution(conv, x, values.apply(node.input(1)), optional(node, 2, values));
            case Op.MatMul _ -> torch.matmul(x, values.apply(node.input(1)));
            case Op.Gemm gemm -> gemm(gemm, node, values);
            case Op.Unary unary -> ElementOperations.unary(unary, x);
            case Op.Binary binary -> ElementOperations.binary(binary, x, values.apply(node.input(1)));
            case Op.Clip _ -> clip(node, x);
            case Op.Softmax softmax -> torch.softmax(x, axis(softmax.axis(), node));
            case Op.MaxPool pool -> WindowOperations.maxPool(pool, x, shape(node.output()));
            case Op.AveragePool pool -> WindowOperations.averagePool(pool, x, shape(node.output()));
            case Op.GlobalAveragePool _ -> x.mean(LongStream.range(2, x.dim()).toArray(), true,
                    new ScalarTypeOptional());
            case Op.Reduce reduce -> reduce(reduce, node, x);
            case Op.Resize resize -> WindowOperations.resize(resize, x, scales(node), shape(node.output()));
            case Op.Concat concat -> concat(concat, node, values);
            case Op.Slice _ -> slice(node, x);
            case Op.Reshape _,Op.Flatten _,Op.Squeeze _,Op.Unsqueeze _ ->
                x.reshape(dims(node, node.output(), batch));
            case Op.Expand _ -> x.expand(dims(node, node.output(), batch));
            case Op.Transpose transpose -> x.permute(permutation(transpose, node));
            case Op.Pad _ -> pad(node, x);
            case Op.DepthToSpace depth -> depthToSpace(depth, x);
            case Op.SpaceToDepth space -> spaceToDepth(space, x);
            case Op.Gather gather -> gather(gather, node, x);
            case Op.Identity _,Op.Cast _ -> x;
            default -> throw new IllegalStateException("node '" + node.name() + "' was not checked");
        };
    }

    private TensorOptional optional(Node node, int input, Function<String, Tensor> values) {
        return node.hasInput(input) ? new TensorOptional(values.apply(node.input(input))) : new TensorOptional();
    }

    /** A convolution of images; weights of fewer dimensions do not occur. */
    static Tensor convolution(Op.Conv conv, Tensor x, Tensor weight, TensorOptional bias) {
        Window window = conv.window().resolve(x.size(2), x.size(3));
        long[] stride = {window.strideHeight(), window.strideWidth()};
        long[] dilation = {window.dilationHeight(), window.dilationWidth()};
        boolean even = window.padTop() == window.padBottom() && window.padLeft() == window.padRight();
        long[] padding = even ? new long[] {window.padTop(), window.padLeft()} : new long[] {0, 0};
        Tensor padded = even ? x : WindowOperations.padded(x, window, 0, 0, 0);
        return torch.conv2d(padded, weight, bias, stride, padding, dilation, conv.group());
    }

    private static Tensor gemm(Op.Gemm gemm, Node node, Function<String, Tensor> values) {
        Tensor a = values.apply(node.input(0));
        Tensor b = values.apply(node.input(1));
        Tensor product = torch.matmul(gemm.transA() ? a.t() : a, gemm.transB() ? b.t() : b);
        Tensor scaled = gemm.alpha() == 1 ? product : product.mul(Tensors.scalar(gemm.alpha()));
        if (!node.hasInput(2)) {
            return scaled;
        }
        Tensor c = values.apply(node.input(2));
        return scaled.add(gemm.beta() == 1 ? c : c.mul(Tensors.scalar(gemm.beta())));
    }

    private Tensor clip(Node node, Tensor x) {
        return torch.clamp(x, bound(node, 1), bound(node, 2));
    }

    private ScalarOptional bound(Node node, int input) {
        if (!node.hasInput(input)) {
            return new ScalarOptional();
        }
        dev.shrike.graph.Tensor bound = graph.constants().get(node.input(input));
        if (bound == null) {
            throw new UnsupportedModelException("node '" + node.name() + "' (Clip) cannot be trained: its bounds are"
                    + " computed");
        }
        return new ScalarOptional(Tensors.scalar(bound.floatAt(0)));
    }

    private Tensor reduce(Op.Reduce reduce, Node node, Tensor x) {
        int rank = shape(node.input(0)).rank();
        long[] axes = node.hasInput(1) && integers(node, 1).length > 0
                ? LongStream.of(integers(node, 1)).map(axis -> axis < 0 ? axis + rank : axis).toArray()
                : LongStream.range(0, rank).toArray();
        return switch (reduce.kind()) {
            case MEAN -> x.mean(axes, reduce.keepDims(), new ScalarTypeOptional());
            case SUM -> x.sum(axes, reduce.keepDims(), new ScalarTypeOptional());
            case MAX -> x.amax(axes, reduce.keepDims());
            case MIN -> x.amin(axes, reduce.keepDims());
            case PROD -> throw new IllegalStateException("product");
        };
    }

    /** Scales of height and width as the file gives them, or as the sizes have them. */
    private double[] scales(Node node) {
        dev.shrike.graph.Tensor given = node.hasInput(2) ? graph.constants().get(node.input(2)) : null;
        if (given != null && given.elements() == 4) {
            return new double[] {given.floatAt(2), given.floatAt(3)};
        }
        Shape in = shape(node.input(0));
        Shape out = shape(node.output());
        return new double[] {(double) out.dim(2) / in.dim(2), (double) out.dim(3) / in.dim(3)};
    }

    private Tensor concat(Op.Concat concat, Node node, Function<String, Tensor> values) {
        TensorVector parts = new TensorVector(node.inputs().stream().map(values).toArray(Tensor[]::new));
        return torch.cat(parts, axis(concat.axis(), node));
    }

    private Tensor slice(Node node, Tensor x) {
        Shape shape = shape(node.input(0));
        long[] starts = integers(node, 1);
        long[] ends = integers(node, 2);
        long[] axes = node.hasInput(3) ? integers(node, 3) : LongStream.range(0, starts.length).toArray();
        Tensor result = x;
        for (int i = 0; i < starts.length; i++) {
            long step = node.hasInput(4) ? integers(node, 4)[i] : 1;
            int axis = (int) (axes[i] < 0 ? axes[i] + shape.rank() : axes[i]);
            if (axis == 0 && shape.dim(0) == 1) {
                continue;
            }
            long size = shape.dim(axis);
            if (step < 0) {
                result = reversed(result, axis, starts[i], ends[i], step, size);
            } else {
                long start = Math.clamp(starts[i] < 0 ? starts[i] + size : starts[i], 0, size);
                long end = Math.clamp(ends[i] < 0 ? ends[i] + size : ends[i], start, size);
                result = result.slice(axis, new LongOptional(start), new LongOptional(end), step);
            }
        }
        return result;
    }

    private static Tensor reversed(Tensor x, int axis, long from, long to, long step, long size) {
        long start = Math.clamp(from < 0 ? from + size : from, -1, size - 1);
        long end = Math.clamp(to < 0 ? to + size : to, -1, size - 1);
        long[] indices = LongStream.iterate(start, i -> i > end, i -> i + step).toArray();
        return x.index_select(axis, Tensor.create(indices).to(x.device(), torch.ScalarType.Long));
    }

    private long[] permutation(Op.Transpose transpose, Node node) {
        int rank = shape(node.input(0)).rank();
        return transpose.permutation().isEmpty() ? LongStream.range(0, rank).map(i -> rank - 1 - i).toArray()
                : transpose.permutation().stream().mapToLong(Integer::longValue).toArray();
    }

    private Tensor pad(Node node, Tensor x) {
        long[] pads = integers(node, 1);
        int rank = shape(node.input(0)).rank();
        long[] axes = node.hasInput(3) ? integers(node, 3) : LongStream.range(0, rank).toArray();
        // PyTorch counts from the last dimension.
        long[] inside = new long[2 * rank];
        for (int i = 0; i < axes.length; i++) {
            int axis = (int) (axes[i] < 0 ? axes[i] + rank : axes[i]);
            inside[2 * (rank - 1 - axis)] = pads[i];
            inside[2 * (rank - 1 - axis) + 1] = pads[i + axes.length];
        }
        double value = node.hasInput(2) ? graph.constants().get(node.input(2)).floatAt(0) : 0;
        return WindowOperations.pad(x, inside, value);
    }

    private static Tensor depthToSpace(Op.DepthToSpace depth, Tensor x) {
        long block = depth.blockSize();
        long channels = x.size(1) / (block * block);
        long[] split = depth.depthColumnRow() ? new long[] {x.size(0), block, block, channels, x.size(2), x.size(3)}
                : new long[] {x.size(0), channels, block, block, x.size(2), x.size(3)};
        Tensor parts = x.reshape(split);
        Tensor ordered = depth.depthColumnRow() ? parts.permute(0, 3, 4, 1, 5, 2) : parts.permute(0, 1, 4, 2, 5, 3);
        return ordered.reshape(x.size(0), channels, x.size(2) * block, x.size(3) * block);
    }

    private static Tensor spaceToDepth(Op.SpaceToDepth space, Tensor x) {
        long block = space.blockSize();
        Tensor parts = x.reshape(x.size(0), x.size(1), x.size(2) / block, block, x.size(3) / block, block);
        return parts.permute(0, 3, 5, 1, 2, 4).reshape(x.size(0), x.size(1) * block * block, x.size(2) / block,
                x.size(3) / block);
    }

    private Tensor gather(Op.Gather gather, Node node, Tensor x) {
        int axis = axis(gather.axis(), node);
        long size = shape(node.input(0)).dim(axis);
        dev.shrike.graph.Tensor indices = graph.constants().get(node.input(1));
        long[] places = LongStream.of(indices.toLongs()).map(i -> i < 0 ? i + size : i).toArray();
        Tensor taken = x.index_select(axis, Tensor.create(places).to(x.device(), torch.ScalarType.Long));
        return indices.shape().rank() == 0 ? taken.squeeze(axis) : taken;
    }
}
