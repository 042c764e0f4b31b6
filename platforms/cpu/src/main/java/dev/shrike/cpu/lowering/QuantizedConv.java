package dev.shrike.cpu.lowering;

import dev.shrike.graph.quantization.IntegerWeights;
import dev.shrike.graph.quantization.QuantParams;
import java.util.Objects;

/**
 * A convolution or matrix product of codes by integer weights, with what turns its sums into the result. The node's
 * inputs are the codes and, if there is one, the residual: codes where the result is codes, else floats.
 *
 * @param geometry which codes meet which weights
 * @param from codes of the input; of dynamic ones scale 1 and zero point 0 stand for those of each run
 * @param dynamic whether each run finds scale and zero point of the input, see {@link CodesOp.QuantizeDynamic}
 * @param weights integer weights, a row per output channel
 * @param epilogue from sums to the result
 */
public record QuantizedConv(
        ConvGeometry geometry, QuantParams from, boolean dynamic, IntegerWeights weights, Epilogue epilogue)
        implements
        CodesOp {
    public QuantizedConv {
        Objects.requireNonNull(geometry, "geometry");
        Objects.requireNonNull(from, "from");
        int channels = epilogue.requantization().multiplier().length;
        if (channels != weights.rows()) {
            throw new IllegalArgumentException(weights.rows() + " rows of weights, and what turns the sums of "
                    + channels + " channels into results");
        }
        if (dynamic && !(epilogue instanceof Epilogue.Floats)) {
            throw new IllegalArgumentException("fixed codes of sums whose scale each run finds");
        }
    }

    /** Whether the result is codes. */
    public boolean toCodes() {
        return switch (epilogue) {
            case Epilogue.Floats _ -> false;
            case Epilogue.Codes _,Epilogue.Activated _ -> true;
        };
    }
}
