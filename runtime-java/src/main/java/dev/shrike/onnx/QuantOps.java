package dev.shrike.onnx;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import java.util.Optional;
import java.util.Set;

/** Quantisers: ONNX's own pair and those of QONNX. */
final class QuantOps {
    private static final Set<DataType> CODES = Set.of(
            DataType.INT4, DataType.UINT4, DataType.INT8, DataType.UINT8, DataType.INT16, DataType.UINT16);

    private QuantOps() {}

    static Op quantizeLinear(NodeDraft draft) {
        draft.expect(2, 3);
        refuseBlocks(draft);
        // Saturation is a matter of 8-bit floats, which are refused by their type.
        draft.attributes().ignore("saturate");
        if (draft.attributes().integer("precision", 0) != 0) {
            throw draft.unsupported("attribute 'precision' is not supported");
        }
        int declared = draft.attributes().integer("output_dtype", 0);
        DataType type = DataType.UINT8;
        if (draft.hasInput(2)) {
            type = draft.scope().type(draft.input(2))
                    .or(() -> draft.scope().ofConstants(draft.input(2)).map(ValueInfo::type))
                    .orElseThrow(() -> draft.unsupported(
                            "has a zero point that is neither a constant nor of declared type"));
        } else if (declared != 0) {
            type = TensorReader.type(declared, draft.where());
        }
        if (declared != 0 && declared != type.onnxCode()) {
            throw draft.broken("attribute 'output_dtype' is " + declared + ", but the zero point is " + type);
        }
        if (!CODES.contains(type)) {
            throw draft.broken("quantises to " + type + ", must be one of " + CODES);
        }
        int axis = draft.attributes().integer("axis", 1);
        ZeroScales.replaceInQuantizer(draft, axis);
        checkScale(draft);
        return new Op.QuantizeLinear(axis, type);
    }

    static Op dequantizeLinear(NodeDraft draft) {
        draft.expect(2, 3);
        refuseBlocks(draft);
        if (draft.attributes().integer("output_dtype", 0) != 0) {
            throw draft.unsupported("attribute 'output_dtype' is not supported");
        }
        int axis = draft.attributes().integer("axis", 1);
        ZeroScales.replaceInDequantizer(draft, axis);
        checkScale(draft);
        return new Op.DequantizeLinear(axis);
    }

    static Op dynamicQuantizeLinear(NodeDraft draft) {
        draft.expect(1, 1, 3);
        return new Op.DynamicQuantizeLinear();
    }

    static Op quant(NodeDraft draft) {
        draft.expect(4, 4);
        checkScale(draft);
        return new Op.Quant(
                draft.attributes().flag("signed", true),
                draft.attributes().flag("narrow", false),
                draft.attributes().string("rounding_mode", "ROUND"));
    }

    static Op bipolarQuant(NodeDraft draft) {
        draft.expect(2, 2);
        checkScale(draft);
        return new Op.BipolarQuant();
    }

    static Op trunc(NodeDraft draft) {
        draft.expect(5, 5);
        checkScale(draft);
        return new Op.Trunc(draft.attributes().string("rounding_mode", "FLOOR"));
    }

    private static void refuseBlocks(NodeDraft draft) {
        if (draft.attributes().integer("block_size", 0) != 0) {
            throw draft.unsupported("scales in blocks (block_size) are not supported, only one for a tensor or one for"
                    + " each index of an axis; quantise it again per channel, or give the float model to"
                    + " 'shrike quantize', which has weights of 4 and fewer bits");
        }
    }

    private static void checkScale(NodeDraft draft) {
        Optional<Tensor> scale = draft.constant(1);
        if (scale.isEmpty()) {
            return;
        }
        if (!scale.get().type().isFloating()) {
            throw draft.broken("the scale '" + draft.input(1) + "' is " + scale.get() + ", must be floating point");
        }
        for (long i = 0; i < scale.get().elements(); i++) {
            if (!(scale.get().doubleAt(i) > 0)) {
                throw draft.broken("the scale '" + draft.input(1) + "' has the element " + scale.get().doubleAt(i)
                        + ", must be positive" + (scale.get().doubleAt(i) == 0 ? "; a scale of 0 can only be that of"
                                + " constant weights, so calibrate again with real images" : ""));
            }
        }
    }
}
