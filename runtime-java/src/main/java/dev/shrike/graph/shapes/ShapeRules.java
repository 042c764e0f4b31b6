package dev.shrike.graph.shapes;

import static dev.shrike.graph.NodeView.one;

import dev.shrike.graph.Broadcast;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Node;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.TensorType;
import java.util.ArrayList;
import java.util.List;

/** What each operation makes of the types and shapes of its inputs. */
public final class ShapeRules {
    private ShapeRules() {}

    /** Type and shape of each output of the node. */
    public static List<TensorType> outputs(NodeView view) {
        int required = requiredInputs(view.node());
        for (int i = 0; i < required; i++) {
            if (!view.has(i)) {
                throw view.mismatch("input " + i + " is missing", required + " inputs");
            }
        }
        List<TensorType> types;
        try {
            types = rule(view);
        } catch (ArithmeticException e) {
            throw view.error("a size exceeds 64 bits");
        } catch (IllegalArgumentException e) {
            throw view.error(e.getMessage());
        }
        List<String> names = view.node().outputs();
        if (names.isEmpty()) {
            throw view.error("it has no outputs");
        }
        for (int i = types.size(); i < names.size(); i++) {
            if (!names.get(i).isEmpty()) {
                throw view.unsupported("output " + i + " ('" + names.get(i) + "') is not supported");
            }
        }
        List<TensorType> checked = new ArrayList<>();
        for (TensorType type : types) {
            checked.add(type.checked(NodeView.describe(view.node()) + ": its result"));
        }
        return checked;
    }

    /** How many of the first inputs may not be left out. */
    private static int requiredInputs(Node node) {
        return switch (node.op()) {
            case Op.Concat _ -> Math.max(1, node.inputs().size());
            case Op.BatchNormalization _ -> 5;
            case Op.Trunc _ -> 5;
            case Op.Quant _ -> 4;
            case Op.Slice _ -> 3;
            case Op.Range _ -> 3;
            case Op.Where _ -> 3;
            case Op.Conv _ -> 2;
            case Op.MatMul _ -> 2;
            case Op.Gemm _ -> 2;
            case Op.Binary _ -> 2;
            case Op.Reshape _ -> 2;
            case Op.Unsqueeze _ -> 2;
            case Op.Pad _ -> 2;
            case Op.Gather _ -> 2;
            case Op.Expand _ -> 2;
            case Op.Tile _ -> 2;
            case Op.QuantizeLinear _ -> 2;
            case Op.DequantizeLinear _ -> 2;
            case Op.BipolarQuant _ -> 2;
            case Op.GatherElements _,Op.GatherNd _,Op.TopK _,Op.CumSum _ -> 2;
            case Op.ScatterElements _,Op.ScatterNd _,Op.OneHot _ -> 3;
            default -> 1;
        };
    }

    private static List<TensorType> rule(NodeView view) {
        return switch (view.node().op()) {
            case Op.Conv conv -> WindowShapes.conv(view, conv);
            case Op.MaxPool pool -> WindowShapes.pool(view, pool.window(), pool.ceilMode());
            case Op.AveragePool pool -> WindowShapes.pool(view, pool.window(), pool.ceilMode());
            case Op.GlobalAveragePool _ -> WindowShapes.globalPool(view);
            case Op.Resize _ -> WindowShapes.resize(view);
            case Op.DepthToSpace depth -> WindowShapes.depthToSpace(view, depth);
            case Op.SpaceToDepth space -> WindowShapes.spaceToDepth(view, space);
            case Op.BatchNormalization _ -> batchNormalization(view);
            case Op.MatMul _ -> ProductShapes.matMul(view);
            case Op.Gemm gemm -> ProductShapes.gemm(view, gemm);
            case Op.Reduce reduce -> ProductShapes.reduce(view, reduce);
            case Op.Unary unary -> unary(view, unary);
            case Op.Binary binary -> binary(view, binary);
            case Op.Clip _ -> clip(view);
            case Op.Cast cast -> one(cast.to(), view.shape(0));
            case Op.Softmax softmax -> softmax(view, softmax);
            case Op.Concat concat -> LayoutShapes.concat(view, concat);
            case Op.Split split -> LayoutShapes.split(view, split);
            case Op.Slice _ -> LayoutShapes.slice(view);
            case Op.Reshape reshape -> LayoutShapes.reshape(view, reshape);
            case Op.Transpose transpose -> LayoutShapes.transpose(view, transpose);
            case Op.Flatten flatten -> LayoutShapes.flatten(view, flatten);
            case Op.Squeeze _ -> LayoutShapes.squeeze(view);
            case Op.Unsqueeze _ -> LayoutShapes.unsqueeze(view);
            case Op.Pad pad -> LayoutShapes.pad(view, pad);
            case Op.Gather gather -> LayoutShapes.gather(view, gather);
            case Op.GatherElements gather -> SelectionShapes.gatherElements(view, gather);
            case Op.GatherNd gather -> SelectionShapes.gatherNd(view, gather);
            case Op.ScatterElements scatter -> SelectionShapes.scatterElements(view, scatter);
            case Op.ScatterNd _ -> SelectionShapes.scatterNd(view);
            case Op.TopK topK -> SelectionShapes.topK(view, topK);
            case Op.ArgExtreme arg -> SelectionShapes.argExtreme(view, arg);
            case Op.Hardmax hardmax -> SelectionShapes.hardmax(view, hardmax);
            case Op.OneHot oneHot -> SelectionShapes.oneHot(view, oneHot);
            case Op.Trilu _ -> SelectionShapes.trilu(view);
            case Op.CumSum _ -> SelectionShapes.cumSum(view);
            case Op.ShapeOf shapeOf -> CreationShapes.shapeOf(view, shapeOf);
            case Op.Range _ -> CreationShapes.range(view);
            case Op.Expand _ -> CreationShapes.expand(view);
            case Op.Tile _ -> CreationShapes.tile(view);
            case Op.ConstantOfShape constant -> CreationShapes.constantOfShape(view, constant);
            case Op.Where _ -> where(view);
            case Op.Identity _ -> one(view.type(0), view.shape(0));
            case Op.QuantizeLinear quantize -> QuantizationShapes.quantizeLinear(view, quantize);
            case Op.DequantizeLinear dequantize -> QuantizationShapes.dequantizeLinear(view, dequantize);
            case Op.DynamicQuantizeLinear _ -> QuantizationShapes.dynamicQuantizeLinear(view);
            case Op.DynamicQuant _ -> QuantizationShapes.dynamicQuant(view);
            case Op.Quant _ -> QuantizationShapes.scaled(view, 4);
            case Op.BipolarQuant _ -> QuantizationShapes.scaled(view, 2);
            case Op.Trunc _ -> QuantizationShapes.scaled(view, 5);
        };
    }

    private static List<TensorType> batchNormalization(NodeView view) {
        view.requireFloat(0);
        Shape x = view.shape(0);
        if (x.rank() < 2) {
            throw view.mismatch("input 0 has shape " + x, "at least 2 dimensions");
        }
        for (int i = 1; i < 5; i++) {
            view.requireFloat(i);
            view.requireRank(i, 1);
            if (differ(view.shape(i).dim(0), x.dim(1))) {
                throw view.mismatch("input " + i + " has shape " + view.shape(i), x.dim(1) + " channels");
            }
        }
        return one(view.type(0), x);
    }

    /** Whether two sizes are known and not equal. */
    public static boolean differ(long a, long b) {
        return a != Shape.OPEN && b != Shape.OPEN && a != b;
    }

    private static List<TensorType> unary(NodeView view, Op.Unary unary) {
        DataType type = view.type(0);
        switch (unary.kind()) {
            case NOT -> {
                if (type != DataType.BOOL) {
                    throw view.mismatch("input 0 has type " + type, "BOOL");
                }
            }
            case NEG, ABS, SIGN, RELU -> {
                if (type == DataType.BOOL) {
                    throw view.mismatch("input 0 has type " + type, "numbers");
                }
            }
            case SIGMOID, SILU, LEAKY_RELU, HARD_SIGMOID, HARD_SWISH, TANH, EXP, LOG, SQRT, FLOOR, CEIL, ROUND,
                    RECIPROCAL, ERF, SOFTPLUS, MISH, ELU, SELU, CELU, GELU, GELU_TANH, SOFTSIGN, THRESHOLDED_RELU, SIN,
                    COS, ATAN ->
                view.requireFloat(0);
        }
        return one(type, view.shape(0));
    }

    private static List<TensorType> binary(NodeView view, Op.Binary binary) {
        DataType type = view.type(0);
        if (binary.kind() != Op.Binary.Kind.POW) {
            view.requireSameType(0, 1);
        } else if (view.type(1) == DataType.BOOL) {
            throw view.mismatch("input 1 has type " + view.type(1), "numbers");
        }
        Shape shape = Broadcast.shape(view, view.shape(0), view.shape(1));
        return switch (binary.kind()) {
            case ADD, SUB, MUL, DIV, POW, MIN, MAX, MOD -> {
                if (type == DataType.BOOL) {
                    throw view.mismatch("inputs have type " + type, "numbers");
                }
                yield one(type, shape);
            }
            case EQUAL, GREATER, GREATER_OR_EQUAL, LESS, LESS_OR_EQUAL -> one(DataType.BOOL, shape);
            case PRELU -> {
                if (type == DataType.BOOL || shape.rank() != view.shape(0).rank()
                        || shape.isKnown() && view.shape(0).isKnown() && !shape.equals(view.shape(0))) {
                    throw view.mismatch("the slope has shape " + view.shape(1), "one that broadcasts to the input's "
                            + view.shape(0));
                }
                yield one(type, view.shape(0));
            }
            case AND, OR, XOR -> {
                if (type != DataType.BOOL) {
                    throw view.mismatch("inputs have type " + type, "BOOL");
                }
                yield one(type, shape);
            }
        };
    }

    private static List<TensorType> clip(NodeView view) {
        if (view.type(0) == DataType.BOOL) {
            throw view.mismatch("input 0 has type BOOL", "numbers");
        }
        for (int i = 1; i <= 2; i++) {
            if (!view.has(i)) {
                continue;
            }
            view.requireSameType(0, i);
            Shape bound = view.shape(i);
            if (bound.isKnown() && bound.elements() != 1) {
                throw view.mismatch("bound " + i + " has shape " + bound, "a scalar");
            }
        }
        return one(view.type(0), view.shape(0));
    }

    private static List<TensorType> softmax(NodeView view, Op.Softmax softmax) {
        view.requireFloat(0);
        view.axis(softmax.axis(), view.shape(0).rank());
        return one(view.type(0), view.shape(0));
    }

    private static List<TensorType> where(NodeView view) {
        if (view.type(0) != DataType.BOOL) {
            throw view.mismatch("the condition has type " + view.type(0), "BOOL");
        }
        view.requireSameType(1, 2);
        Shape branches = Broadcast.shape(view, view.shape(1), view.shape(2));
        return one(view.type(1), Broadcast.shape(view, view.shape(0), branches));
    }
}
