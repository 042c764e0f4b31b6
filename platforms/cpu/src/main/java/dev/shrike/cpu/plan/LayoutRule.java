package dev.shrike.cpu.plan;

import dev.shrike.cpu.lowering.CodesOp;
import dev.shrike.cpu.lowering.ConvGeometry;
import dev.shrike.cpu.lowering.LoweredOp;
import dev.shrike.cpu.lowering.QuantizedConv;
import dev.shrike.cpu.lowering.ViewOp;
import dev.shrike.graph.Op;

/** How an operation reads its inputs and nests the dimensions of what it writes. */
enum LayoutRule {
    /** Reads and writes images with the channels innermost. */
    IMAGES,
    /** Writes images with the channels innermost, reads them however they lie. */
    RESAMPLED_IMAGES,
    /** Writes row by row. */
    ROWS,
    /** Writes in the order of its largest input. */
    LIKE_INPUT;

    static LayoutRule of(LoweredOp lowered) {
        return switch (lowered) {
            case LoweredOp.FloatOp(Op op) -> of(op);
            case QuantizedConv conv -> switch (conv.geometry()) {
                case ConvGeometry.Images _ -> IMAGES;
                case ConvGeometry.Rows _ -> ROWS;
            };
            case CodesOp.MaxPoolCodes _,CodesOp.ResizeCodes _ -> IMAGES;
            case CodesOp.Lut _,CodesOp.AddCodes _,CodesOp.DepthToSpaceCodes _ -> LIKE_INPUT;
            case CodesOp.Quantize _,CodesOp.Dequantize _ -> LIKE_INPUT;
            case CodesOp.QuantizeDynamic _,CodesOp.DequantizeDynamic _ -> LIKE_INPUT;
            case ViewOp _,LoweredOp.Concat _ -> LIKE_INPUT;
        };
    }

    private static LayoutRule of(Op floats) {
        return switch (floats) {
            case Op.Conv _,Op.MaxPool _,Op.AveragePool _,Op.GlobalAveragePool _ -> IMAGES;
            case Op.Resize resize -> resize.isFilter() ? RESAMPLED_IMAGES : IMAGES;
            case Op.MatMul _,Op.Gemm _ -> ROWS;
            case Op.BatchNormalization _,Op.Unary _,Op.Binary _,Op.Clip _,Op.Cast _,Op.Softmax _ -> LIKE_INPUT;
            case Op.Reduce _,Op.Pad _,Op.DepthToSpace _,Op.SpaceToDepth _,Op.Where _,Op.Tile _ -> LIKE_INPUT;
            case Op.Concat _,Op.Split _,Op.Slice _,Op.Reshape _,Op.Transpose _,Op.Flatten _ -> LIKE_INPUT;
            case Op.Squeeze _,Op.Unsqueeze _,Op.Identity _,Op.Expand _ -> LIKE_INPUT;
            case Op.Gather _,Op.GatherElements _,Op.GatherNd _,Op.ScatterElements _,Op.ScatterNd _ -> LIKE_INPUT;
            case Op.TopK _,Op.ArgExtreme _,Op.Hardmax _,Op.OneHot _,Op.Trilu _,Op.CumSum _ -> LIKE_INPUT;
            case Op.ShapeOf _,Op.Range _,Op.ConstantOfShape _ -> LIKE_INPUT;
            case Op.QuantizeLinear _,Op.DequantizeLinear _,Op.DynamicQuantizeLinear _ -> LIKE_INPUT;
            case Op.DynamicQuant _,Op.Quant _,Op.BipolarQuant _,Op.Trunc _ -> LIKE_INPUT;
        };
    }
}
