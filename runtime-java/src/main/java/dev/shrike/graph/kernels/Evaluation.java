package dev.shrike.graph.kernels;

import dev.shrike.graph.NodeView;
import dev.shrike.graph.Numbers;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.TensorType;
import dev.shrike.graph.quantization.QuantizationMath;
import dev.shrike.graph.shapes.CreationShapes;
import dev.shrike.graph.shapes.ShapeRules;
import java.util.List;

/** Computes one node whose inputs are all known. */
public final class Evaluation {
    /** Elements of the largest tensor that is computed: scalar code takes up to three arrays of eight bytes each. */
    public static final long MAX_ELEMENTS = 1 << 25;

    private Evaluation() {}

    /**
     * The values of the node's outputs.
     *
     * @param outputs types and shapes from {@link ShapeRules}, all known
     */
    public static List<Tensor> evaluate(NodeView view, List<TensorType> outputs) {
        for (TensorType output : outputs) {
            if (!output.shape().isKnown()) {
                throw view.error("the shape " + output.shape() + " of its result cannot be told from its inputs");
            }
            if (output.shape().elements() > MAX_ELEMENTS) {
                throw view.error("its result " + output.shape() + " has more than the " + MAX_ELEMENTS
                        + " elements that the evaluator computes");
            }
        }
        try {
            return computed(view, outputs);
        } catch (ArithmeticException | IllegalArgumentException | IndexOutOfBoundsException
                | NegativeArraySizeException e) {
            // Sizes that fit alone can still ask for what no array holds, and integers can be divided by zero.
            throw view.error("it cannot be computed: " + e.getMessage());
        }
    }

    private static List<Tensor> computed(NodeView view, List<TensorType> outputs) {
        TensorType out = outputs.getFirst();
        if (view.node().op() instanceof Op.Split split) {
            return LayoutMath.split(view, split, outputs);
        }
        if (view.node().op() instanceof Op.DynamicQuantizeLinear) {
            return QuantizationMath.dynamicQuantizeLinear(view.known(0));
        }
        if (ArrayKernel.evaluates(view.node().op())) {
            return ArrayKernel.evaluate(view, outputs);
        }
        Tensor result = single(view, out);
        if (result.type() != out.type() || !result.shape().equals(out.shape())) {
            throw view.error("computed " + result + ", shape inference said " + out.type() + out.shape());
        }
        return List.of(result);
    }

    private static Tensor single(NodeView view, TensorType out) {
        return switch (view.node().op()) {
            case Op.Conv conv -> WindowMath.conv(view, conv, out.shape());
            case Op.MaxPool pool -> WindowMath.maxPool(view, pool, out.shape());
            case Op.AveragePool pool -> WindowMath.averagePool(view, pool, out.shape());
            case Op.GlobalAveragePool _ -> WindowMath.globalAveragePool(view, out.shape());
            case Op.Resize resize -> ResizeMath.resize(view, resize, out.shape());
            case Op.DepthToSpace depth -> LayoutMath.depthToSpace(view, depth, out.shape());
            case Op.BatchNormalization norm -> ProductMath.batchNormalization(view, norm);
            case Op.MatMul _ -> ProductMath.matMul(view, out.shape());
            case Op.Gemm gemm -> ProductMath.gemm(view, gemm, out.shape());
            case Op.Reduce reduce -> ProductMath.reduce(view, reduce, out.shape());
            case Op.Softmax softmax -> ProductMath.softmax(view, softmax);
            case Op.Unary unary -> ElementMath.unary(view, unary);
            case Op.Binary binary -> ElementMath.binary(view, binary, out);
            case Op.Clip _ -> ElementMath.clip(view);
            case Op.Cast cast -> Numbers.cast(view.known(0), cast.to());
            case Op.Where _ -> ElementMath.where(view, out.shape());
            case Op.Concat concat -> LayoutMath.concat(view, concat, out);
            case Op.Split _ -> throw new IllegalStateException("Split has several results");
            case Op.Slice _ -> LayoutMath.slice(view, out.shape());
            case Op.Reshape _,Op.Flatten _,Op.Squeeze _,Op.Unsqueeze _ -> view.known(0).reshaped(out.shape());
            case Op.Transpose transpose -> LayoutMath.transpose(view, transpose, out.shape());
            case Op.SpaceToDepth space -> LayoutMath.spaceToDepth(view, space, out.shape());
            case Op.Pad pad -> LayoutMath.pad(view, pad, out.shape());
            case Op.Gather gather -> LayoutMath.gather(view, gather, out.shape());
            case Op.GatherElements _,Op.GatherNd _,Op.ScatterElements _,Op.ScatterNd _,Op.TopK _ -> throw byArrays();
            case Op.ArgExtreme _,Op.Hardmax _,Op.OneHot _,Op.Trilu _,Op.CumSum _ -> throw byArrays();
            case Op.ShapeOf op -> {
                int[] bounds = CreationShapes.shapeBounds(view, op);
                yield Tensor.vector(new Shape(view.shape(0).dims().subList(bounds[0], bounds[1])).toArray());
            }
            case Op.Range _ -> LayoutMath.range(view, out);
            case Op.Expand _ -> Numbers.expand(view.known(0), out.shape());
            case Op.Tile _ -> LayoutMath.tile(view, out.shape());
            case Op.ConstantOfShape constant -> LayoutMath.fill(constant.value(), out.shape());
            case Op.Identity _ -> view.known(0);
            case Op.QuantizeLinear quantize -> QuantizationMath.quantizeLinear(view, quantize, out.type());
            case Op.DequantizeLinear dequantize -> QuantizationMath.dequantizeLinear(view, dequantize);
            case Op.DynamicQuantizeLinear _ -> throw new IllegalStateException("it has several results");
            case Op.DynamicQuant _ -> QuantizationMath.dynamicQuant(view.known(0));
            case Op.Quant quant -> QuantizationMath.quant(view, quant, out);
            case Op.BipolarQuant _ -> QuantizationMath.bipolar(view, out);
            case Op.Trunc trunc -> QuantizationMath.trunc(view, trunc, out);
        };
    }

    private static IllegalStateException byArrays() {
        return new IllegalStateException("it has a kernel over arrays");
    }
}
