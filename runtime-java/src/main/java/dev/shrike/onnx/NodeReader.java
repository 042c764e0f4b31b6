package dev.shrike.onnx;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.onnx.names.OpNames;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** Operators of the file in the graph's normal form, see {@link Op}. */
final class NodeReader {
    private static final Set<String> QONNX_DOMAINS =
            Set.of("onnx.brevitas", "qonnx.custom_op.general", "finn.custom_op.general");

    private final TensorReader tensors;
    private final Branches branches;

    NodeReader(TensorReader tensors) {
        this.tensors = tensors;
        this.branches = new Branches(tensors);
    }

    /** Adds the node, or several that compute the same, to its scope. */
    void read(NodeDraft draft) {
        try {
            Optional<Op> op = QONNX_DOMAINS.contains(draft.domain()) ? qonnx(draft) : standard(draft);
            draft.attributes().finish();
            op.ifPresent(draft::emit);
        } catch (IllegalArgumentException | ArithmeticException e) {
            // What the graph's own records refuse, such as a window without an extent.
            throw draft.broken(e.getMessage());
        }
    }

    private Optional<Op> standard(NodeDraft draft) {
        if (draft.domain().equals(MicrosoftOps.DOMAIN)) {
            return Optional.of(MicrosoftOps.read(draft));
        }
        if (!draft.domain().isEmpty()) {
            throw unknown(draft);
        }
        Optional<Op.Unary.Kind> unary = OpNames.unary(draft.opType());
        if (unary.isPresent()) {
            return Optional.of(unary(draft, unary.get()));
        }
        Optional<Op.Binary.Kind> binary = OpNames.binary(draft.opType());
        if (binary.isPresent()) {
            return binary(draft, binary.get());
        }
        Optional<Op.Reduce.Kind> reduce = OpNames.reduce(draft.opType());
        if (reduce.isPresent()) {
            return Optional.of(reduce(draft, reduce.get()));
        }
        return switch (draft.opType()) {
            case "Softmax" -> alongAxis(draft, Op.Softmax::new);
            case "Hardmax" -> alongAxis(draft, Op.Hardmax::new);
            case "Sum" -> chain(draft, Op.Binary.Kind.ADD);
            case "If" -> {
                branches.read(draft, this);
                yield Optional.empty();
            }
            default -> Optional.of(single(draft));
        };
    }

    private Op single(NodeDraft draft) {
        return switch (draft.opType()) {
            case "Conv" -> WindowOps.convolution(draft);
            case "MaxPool" -> WindowOps.maxPool(draft);
            case "AveragePool" -> WindowOps.averagePool(draft);
            case "GlobalAveragePool" -> plain(draft, 1, 1, new Op.GlobalAveragePool());
            case "BatchNormalization" -> batchNormalization(draft);
            case "MatMul" -> plain(draft, 2, 2, new Op.MatMul());
            case "Gemm" -> gemm(draft);
            case "Clip" -> clip(draft);
            case "Cast" -> cast(draft);
            case "Resize" -> ResizeOp.read(draft);
            case "Upsample" -> ResizeOp.readUpsample(draft);
            case "Concat" -> concat(draft);
            case "Split" -> split(draft);
            case "Slice" -> slice(draft);
            case "Reshape" -> plain(draft, 2, 2, new Op.Reshape(draft.attributes().flag("allowzero", false)));
            case "Transpose" -> transpose(draft);
            case "Flatten" -> plain(draft, 1, 1, new Op.Flatten(draft.attributes().integer("axis", 1)));
            case "Squeeze" -> withAxes(draft, false, new Op.Squeeze());
            case "Unsqueeze" -> withAxes(draft, true, new Op.Unsqueeze());
            case "Pad" -> pad(draft);
            case "DepthToSpace" -> depthToSpace(draft);
            case "Shape" -> shape(draft);
            case "Gather" -> plain(draft, 2, 2, new Op.Gather(draft.attributes().integer("axis", 0)));
            case "Range" -> plain(draft, 3, 3, new Op.Range());
            case "Expand" -> plain(draft, 2, 2, new Op.Expand());
            case "Tile" -> plain(draft, 2, 2, new Op.Tile());
            case "Where" -> plain(draft, 3, 3, new Op.Where());
            case "ConstantOfShape" -> constantOfShape(draft);
            case "Identity" -> plain(draft, 1, 1, new Op.Identity());
            case "Dropout" -> dropout(draft);
            case "QuantizeLinear" -> QuantOps.quantizeLinear(draft);
            case "DynamicQuantizeLinear" -> QuantOps.dynamicQuantizeLinear(draft);
            case "DequantizeLinear" -> QuantOps.dequantizeLinear(draft);
            default -> selection(draft);
        };
    }

    private static Op selection(NodeDraft draft) {
        return switch (draft.opType()) {
            case "SpaceToDepth" ->
                plain(draft, 1, 1, new Op.SpaceToDepth(draft.attributes().requiredInteger("blocksize")));
            case "GatherElements" -> plain(draft, 2, 2, new Op.GatherElements(axis(draft, 0)));
            case "GatherND" -> plain(draft, 2, 2, new Op.GatherNd(draft.attributes().integer("batch_dims", 0)));
            case "ScatterElements", "Scatter" ->
                plain(draft, 3, 3, new Op.ScatterElements(axis(draft, 0), reduction(draft)));
            case "ScatterND" -> plain(draft, 3, 3, new Op.ScatterNd(reduction(draft)));
            case "TopK" -> topK(draft);
            case "ArgMax", "ArgMin" -> plain(draft, 1, 1, new Op.ArgExtreme(draft.opType().equals("ArgMax"),
                    axis(draft, 0), draft.attributes().flag("keepdims", true),
                    draft.attributes().flag("select_last_index", false)));
            case "OneHot" -> plain(draft, 3, 3, new Op.OneHot(axis(draft, -1)));
            case "Trilu" -> plain(draft, 1, 2, new Op.Trilu(draft.attributes().flag("upper", true)));
            case "CumSum" -> plain(draft, 2, 2, new Op.CumSum(
                    draft.attributes().flag("exclusive", false), draft.attributes().flag("reverse", false)));
            default -> expanded(draft);
        };
    }

    /** Operators that become several nodes. */
    private static Op expanded(NodeDraft draft) {
        return switch (draft.opType()) {
            case "ConvTranspose" -> TransposedConvolution.read(draft);
            case "Einsum" -> new Einsum(draft).read();
            case "LayerNormalization" -> NormalizationOps.layer(draft);
            case "InstanceNormalization" -> NormalizationOps.instance(draft);
            case "GroupNormalization" -> NormalizationOps.group(draft);
            case "RMSNormalization", "SimplifiedLayerNormalization" -> NormalizationOps.rootMeanSquare(draft);
            case "MeanVarianceNormalization" -> NormalizationOps.meanVariance(draft);
            case "LpNormalization" -> NormalizationOps.lp(draft);
            case "LRN" -> NormalizationOps.acrossChannels(draft);
            case "GlobalMaxPool" -> ReductionOps.globalMaxPool(draft);
            case "GlobalLpPool" -> ReductionOps.globalLpPool(draft);
            case "LpPool" -> ReductionOps.lpPool(draft);
            case "ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp" ->
                ReductionOps.reduce(draft);
            case "Mean" -> ReductionOps.mean(draft);
            case "LogSoftmax" -> ReductionOps.logSoftmax(draft);
            case "Size" -> ReductionOps.size(draft);
            case "Swish" -> ActivationOps.swish(draft, draft.attributes().floating("alpha", 1));
            case "CastLike" -> castLike(draft);
            default -> throw unknown(draft);
        };
    }

    private static int axis(NodeDraft draft, int otherwise) {
        return draft.attributes().integer("axis", otherwise);
    }

    private static Op.Reduction reduction(NodeDraft draft) {
        String name = draft.attributes().string("reduction", "none");
        return switch (name) {
            case "none" -> Op.Reduction.NONE;
            case "add" -> Op.Reduction.ADD;
            case "mul" -> Op.Reduction.MUL;
            case "min" -> Op.Reduction.MIN;
            case "max" -> Op.Reduction.MAX;
            default ->
                throw draft.broken("attribute 'reduction' is '" + name + "', must be none, add, mul, min or max");
        };
    }

    private static Op topK(NodeDraft draft) {
        // Unsorted results may come in any order, so in this one too.
        draft.attributes().ignore("sorted");
        if (draft.attributes().has("k")) {
            draft.setConstant(1, "k", Tensor.vector(draft.attributes().wide("k")));
        }
        draft.expect(2, 2, 2);
        return new Op.TopK(axis(draft, -1), draft.attributes().flag("largest", true));
    }

    private static Op castLike(NodeDraft draft) {
        draft.attributes().ignore("saturate");
        draft.expect(2, 2);
        DataType type = draft.scope()
                .type(draft.input(1))
                .orElseThrow(() -> draft.unsupported("the type of '" + draft.input(1) + "' is not known"));
        draft.setInput(1, "");
        return new Op.Cast(type);
    }

    private static Optional<Op> qonnx(NodeDraft draft) {
        return Optional.of(switch (draft.opType()) {
            // QONNX's newer name.
            case "Quant", "IntQuant" -> QuantOps.quant(draft);
            case "BipolarQuant" -> QuantOps.bipolarQuant(draft);
            case "Trunc" -> QuantOps.trunc(draft);
            default -> throw unknown(draft);
        });
    }

    private static UnsupportedModelException unknown(NodeDraft draft) {
        return draft.unsupported("Shrike does not have this operator; " + Advice.of(draft));
    }

    private static Op plain(NodeDraft draft, int least, int most, Op op) {
        draft.expect(least, most);
        return op;
    }

    private static Op unary(NodeDraft draft, Op.Unary.Kind kind) {
        draft.expect(1, 1);
        return switch (kind) {
            case LEAKY_RELU -> new Op.Unary(kind, draft.attributes().floating("alpha", 0.01f), 0);
            case HARD_SIGMOID ->
                new Op.Unary(
                        kind,
                        draft.attributes().floating("alpha", 0.2f),
                        draft.attributes().floating("beta", 0.5f));
            case ELU, CELU, THRESHOLDED_RELU -> new Op.Unary(kind, draft.attributes().floating("alpha", 1), 0);
            case SELU ->
                new Op.Unary(
                        kind,
                        draft.attributes().floating("alpha", 1.67326319217681884765625f),
                        draft.attributes().floating("gamma", 1.05070102214813232421875f));
            case GELU, GELU_TANH -> ActivationOps.gelu(draft);
            case SIGMOID, SILU, RELU, HARD_SWISH, TANH, EXP, LOG, SQRT, NEG, ABS, FLOOR, CEIL, ROUND, RECIPROCAL, SIGN,
                    NOT, ERF, SOFTPLUS, MISH, SOFTSIGN, SIN, COS, ATAN ->
                Op.Unary.of(kind);
        };
    }

    private static Optional<Op> binary(NodeDraft draft, Op.Binary.Kind kind) {
        if (kind == Op.Binary.Kind.MIN || kind == Op.Binary.Kind.MAX) {
            return chain(draft, kind);
        }
        boolean floatingModulus = kind == Op.Binary.Kind.MOD && draft.attributes().flag("fmod", false);
        if (floatingModulus && !draft.scope().type(draft.input(0)).map(DataType::isFloating).orElse(true)) {
            throw draft.unsupported("fmod (the sign of the dividend) of integers is not supported, only the modulus");
        }
        draft.expect(2, 2);
        return Optional.of(new Op.Binary(kind));
    }

    // Sum, Min and Max take any number of inputs; here they become a chain of two-input nodes.
    private static Optional<Op> chain(NodeDraft draft, Op.Binary.Kind kind) {
        int count = draft.inputs().size();
        draft.expect(Math.max(1, count), Integer.MAX_VALUE);
        if (count == 1) {
            return Optional.of(new Op.Identity());
        }
        ReadScope scope = draft.scope();
        String left = draft.input(0);
        for (int i = 1; i < count - 1; i++) {
            String partial = scope.freshValue(draft.name() + "_partial");
            scope.addNode(new Node(scope.freshNode(draft.name() + "_partial"), new Op.Binary(kind),
                    List.of(left, draft.input(i)), List.of(partial)));
            left = partial;
        }
        String last = draft.input(count - 1);
        draft.inputs().clear();
        draft.inputs().addAll(List.of(left, last));
        return Optional.of(new Op.Binary(kind));
    }

    private static Op reduce(NodeDraft draft, Op.Reduce.Kind kind) {
        axesToInput(draft);
        draft.expect(1, 2);
        boolean keep = draft.attributes().flag("keepdims", true);
        boolean noAxesMeansNothing = draft.attributes().flag("noop_with_empty_axes", false);
        Optional<Tensor> axes = draft.constant(1);
        if (axes.isPresent() && axes.get().elements() == 0) {
            draft.setInput(1, "");
        }
        if (!noAxesMeansNothing) {
            return new Op.Reduce(kind, keep);
        }
        if (!draft.hasInput(1)) {
            return new Op.Identity();
        }
        if (axes.isEmpty()) {
            throw draft.unsupported("noop_with_empty_axes with axes that are computed is not supported");
        }
        return new Op.Reduce(kind, keep);
    }

    /**
     * From opset 13 on softmax and hardmax run along one axis; before, over all dimensions from the axis on, as if the
     * input were flattened to a matrix. The two agree on the last axis.
     */
    private static Optional<Op> alongAxis(NodeDraft draft, IntFunction<Op> make) {
        draft.expect(1, 1);
        ReadScope scope = draft.scope();
        int axis = draft.attributes().integer("axis", scope.opset() < 13 ? 1 : -1);
        OptionalInt rank = scope.rank(draft.input(0));
        if (scope.opset() >= 13 || axis == -1 || rank.isPresent() && rank.getAsInt() == axis + 1) {
            return Optional.of(make.apply(axis));
        }
        String name = draft.name();
        String shape = scope.freshValue(name + "_shape");
        String flat = scope.freshValue(name + "_flat");
        String soft = scope.freshValue(name + "_soft");
        List<String> input = List.of(draft.input(0));
        scope.addNode(new Node(scope.freshNode(name + "_shape"), new Op.ShapeOf(0, Integer.MAX_VALUE), input,
                List.of(shape)));
        scope.addNode(new Node(scope.freshNode(name + "_flat"), new Op.Flatten(axis), input, List.of(flat)));
        scope.addNode(new Node(scope.freshNode(name + "_soft"), make.apply(1), List.of(flat), List.of(soft)));
        draft.setInput(0, soft);
        draft.setInput(1, shape);
        return Optional.of(new Op.Reshape(true));
    }

    private static Op batchNormalization(NodeDraft draft) {
        draft.expect(5, 5);
        draft.attributes().ignore("momentum");
        if (draft.attributes().flag("training_mode", false)) {
            throw draft.unsupported("is in training mode; export the network after model.eval()");
        }
        return new Op.BatchNormalization(draft.attributes().floating("epsilon", 1e-5f));
    }

    private static Op gemm(NodeDraft draft) {
        draft.expect(2, 3);
        Attributes attributes = draft.attributes();
        return new Op.Gemm(
                attributes.floating("alpha", 1),
                attributes.floating("beta", 1),
                attributes.flag("transA", false),
                attributes.flag("transB", false));
    }

    private static Op clip(NodeDraft draft) {
        for (int i = 0; i < 2; i++) {
            String bound = i == 0 ? "min" : "max";
            if (draft.attributes().has(bound)) {
                draft.setConstant(i + 1, bound, Tensor.scalar(draft.attributes().floating(bound, 0)));
            }
        }
        draft.expect(1, 3);
        return new Op.Clip();
    }

    private static Op cast(NodeDraft draft) {
        draft.expect(1, 1);
        draft.attributes().ignore("saturate");
        return new Op.Cast(TensorReader.type(draft.attributes().requiredInteger("to"), draft.where()));
    }

    private static Op concat(NodeDraft draft) {
        draft.expect(Math.max(1, draft.inputs().size()), Integer.MAX_VALUE);
        return new Op.Concat(draft.attributes().requiredInteger("axis"));
    }

    private static Op split(NodeDraft draft) {
        draft.attributes().integers("split").ifPresent(sizes -> draft.setConstant(1, "sizes", Tensor.vector(sizes)));
        int declared = draft.attributes().integer("num_outputs", draft.outputs().size());
        if (declared != draft.outputs().size()) {
            throw draft.broken("attribute 'num_outputs' is " + declared + ", but " + draft.outputs().size()
                    + " outputs are named");
        }
        draft.expect(1, 2, Integer.MAX_VALUE);
        return new Op.Split(draft.attributes().integer("axis", 0));
    }

    private static Op slice(NodeDraft draft) {
        String[] roles = {"starts", "ends", "axes"};
        for (int i = 0; i < roles.length; i++) {
            int index = i + 1;
            String role = roles[i];
            draft.attributes()
                    .integers(role)
                    .ifPresent(values -> draft.setConstant(index, role, Tensor.vector(values)));
        }
        draft.expect(3, 5);
        return new Op.Slice();
    }

    private static Op transpose(NodeDraft draft) {
        draft.expect(1, 1);
        OptionalInt rank = draft.scope().rank(draft.input(0));
        Optional<long[]> given = draft.attributes().integers("perm");
        if (given.isEmpty()) {
            int last = rank.orElse(0) - 1;
            return new Op.Transpose(IntStream.rangeClosed(0, last).map(i -> last - i).boxed().toList());
        }
        List<Integer> permutation = new ArrayList<>();
        BitSet seen = new BitSet();
        for (long axis : given.get()) {
            if (axis < 0 || axis >= given.get().length || seen.get((int) axis)) {
                throw draft.broken("attribute 'perm' is no permutation");
            }
            seen.set((int) axis);
            permutation.add((int) axis);
        }
        if (rank.isPresent() && rank.getAsInt() != permutation.size()) {
            throw draft.broken("attribute 'perm' has " + permutation.size() + " entries for " + rank.getAsInt()
                    + " dimensions");
        }
        return new Op.Transpose(permutation);
    }

    private static Op withAxes(NodeDraft draft, boolean required, Op op) {
        axesToInput(draft);
        draft.expect(required ? 2 : 1, 2);
        return op;
    }

    private static void axesToInput(NodeDraft draft) {
        draft.attributes().integers("axes").ifPresent(axes -> draft.setConstant(1, "axes", Tensor.vector(axes)));
    }

    private static Op pad(NodeDraft draft) {
        String name = draft.attributes().string("mode", "constant");
        Op.Pad.Mode mode = switch (name) {
            case "constant" -> Op.Pad.Mode.CONSTANT;
            case "reflect" -> Op.Pad.Mode.REFLECT;
            case "edge" -> Op.Pad.Mode.EDGE;
            case "wrap" -> Op.Pad.Mode.WRAP;
            default ->
                throw draft.broken("attribute 'mode' is '" + name + "', must be constant, reflect, edge or wrap");
        };
        draft.attributes().integers("pads").ifPresent(pads -> draft.setConstant(1, "pads", Tensor.vector(pads)));
        if (draft.attributes().has("value")) {
            draft.setConstant(2, "value", Tensor.scalar(draft.attributes().floating("value", 0)));
        }
        draft.expect(2, 4);
        return new Op.Pad(mode);
    }

    private static Op depthToSpace(NodeDraft draft) {
        draft.expect(1, 1);
        int block = draft.attributes().requiredInteger("blocksize");
        if (block < 1) {
            throw draft.broken("attribute 'blocksize' is " + block + ", must be positive");
        }
        String mode = draft.attributes().string("mode", "DCR");
        return switch (mode) {
            case "DCR" -> new Op.DepthToSpace(block, true);
            case "CRD" -> new Op.DepthToSpace(block, false);
            default -> throw draft.broken("attribute 'mode' is '" + mode + "', must be DCR or CRD");
        };
    }

    private static Op shape(NodeDraft draft) {
        draft.expect(1, 1);
        return new Op.ShapeOf(
                draft.attributes().integer("start", 0), draft.attributes().integer("end", Integer.MAX_VALUE));
    }

    private Op constantOfShape(NodeDraft draft) {
        draft.expect(1, 1);
        Tensor value = draft.attributes()
                .tensor("value")
                .map(proto -> tensors.read(proto, draft.where() + ": attribute 'value'"))
                .orElseGet(() -> Tensor.ofFloats(Shape.of(1), 0));
        if (value.elements() != 1) {
            throw draft.broken("attribute 'value' has " + value.elements() + " elements, must have one");
        }
        return new Op.ConstantOfShape(value);
    }

    private static Op dropout(NodeDraft draft) {
        draft.attributes().ignore("ratio", "seed");
        draft.expect(1, 3);
        if (draft.hasInput(2)) {
            boolean off = draft.constant(2)
                    .filter(t -> t.type() == DataType.BOOL && t.elements() == 1 && t.longAt(0) == 0)
                    .isPresent();
            if (!off) {
                throw draft.unsupported("is in training mode; export the network after model.eval()");
            }
        }
        draft.setInput(2, "");
        draft.setInput(1, "");
        return new Op.Identity();
    }
}
