package dev.shrike.cpu.lowering;

import dev.shrike.graph.Op;
import dev.shrike.graph.Window;
import dev.shrike.graph.kernels.LookupTable;
import dev.shrike.graph.quantization.QuantParams;
import dev.shrike.graph.quantization.QuantizedAdd;
import java.util.Objects;

/** What a node does that reads codes, writes codes, or both. */
public sealed interface CodesOp extends LoweredOp
        permits
        QuantizedConv,
        CodesOp.Lut,
        CodesOp.AddCodes,
        CodesOp.MaxPoolCodes,
        CodesOp.ResizeCodes,
        CodesOp.DepthToSpaceCodes,
        CodesOp.Quantize,
        CodesOp.Dequantize,
        CodesOp.QuantizeDynamic,
        CodesOp.DequantizeDynamic {
    /**
     * A function of codes.
     *
     * @param table its results
     */
    record Lut(LookupTable table) implements CodesOp {
        public Lut {
            Objects.requireNonNull(table, "table");
        }
    }

    /**
     * The sum of two values of codes.
     *
     * @param sum from their codes to those of the sum
     */
    record AddCodes(QuantizedAdd sum) implements CodesOp {
        public AddCodes {
            Objects.requireNonNull(sum, "sum");
        }
    }

    /**
     * The largest code of each window.
     *
     * @param window kernel, stride, padding and dilation
     */
    record MaxPoolCodes(Window window) implements CodesOp {
        public MaxPoolCodes {
            Objects.requireNonNull(window, "window");
        }
    }

    /**
     * Nearest neighbours in images of codes.
     *
     * @param resize coordinates and rounding
     * @param scaleHeight rows of the result for one row, or 0 where the sizes tell
     * @param scaleWidth columns of the result for one column, or 0 where the sizes tell
     */
    record ResizeCodes(Op.Resize resize, float scaleHeight, float scaleWidth) implements CodesOp {
        public ResizeCodes {
            if (resize.mode() != Op.Resize.Mode.NEAREST) {
                throw new IllegalArgumentException(resize.mode() + " makes values that are no codes");
            }
        }
    }

    /**
     * Channels of codes that become blocks of pixels.
     *
     * @param shuffle size and order of the blocks
     */
    record DepthToSpaceCodes(Op.DepthToSpace shuffle) implements CodesOp {
        public DepthToSpaceCodes {
            Objects.requireNonNull(shuffle, "shuffle");
        }
    }

    /**
     * Floats to codes.
     *
     * @param codes the codes
     */
    record Quantize(QuantParams codes) implements CodesOp {
        public Quantize {
            Objects.requireNonNull(codes, "codes");
        }
    }

    /**
     * Codes to floats.
     *
     * @param codes the codes
     */
    record Dequantize(QuantParams codes) implements CodesOp {
        public Dequantize {
            Objects.requireNonNull(codes, "codes");
        }
    }

    /** Floats to codes whose scale and zero point each run finds. */
    record QuantizeDynamic() implements CodesOp {}

    /** Codes of a {@link QuantizeDynamic} to floats. */
    record DequantizeDynamic() implements CodesOp {}
}
