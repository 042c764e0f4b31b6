package dev.shrike.graph;

import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;

/**
 * A function of one quantised value as a table from stored codes to stored codes ({@link ActivationCodes}). Entry c is
 * {@code out.quantize((float) f(in.dequantize(c)))}, f in double; codes beyond the highest have its entry, those below
 * the lowest likewise.
 */
public final class CodeTable {
    private final byte[] entries = new byte[256];

    private CodeTable(DoubleUnaryOperator function, ActivationCodes in, ActivationCodes out) {
        for (int code = 0; code < entries.length; code++) {
            float real = in.dequantize(Math.clamp(code, in.low(), in.high()));
            entries[code] = (byte) out.quantize((float) function.applyAsDouble(real));
        }
    }

    /** The table of an element-wise function. */
    public static CodeTable of(Op.Unary unary, Quantization in, Quantization out) {
        return new CodeTable(ElementMath.function(Objects.requireNonNull(unary, "unary")), ActivationCodes.of(in),
                ActivationCodes.of(out));
    }

    /** The table of an activation. */
    public static CodeTable of(Activation activation, Quantization in, Quantization out) {
        return new CodeTable(ElementMath.function(activation), ActivationCodes.of(in), ActivationCodes.of(out));
    }

    /** The table from one quantisation to another of the same reals. */
    public static CodeTable requantize(Quantization in, Quantization out) {
        return new CodeTable(DoubleUnaryOperator.identity(), ActivationCodes.of(in), ActivationCodes.of(out));
    }

    /**
     * The table of a Trunc of one quantised value with quantised result; empty if its other inputs are not single
     * constants.
     */
    public static Optional<CodeTable> ofTrunc(Graph graph, Node trunc) {
        Map<String, Tensor> constants = graph.constants();
        if (!trunc.inputs().stream().skip(1)
                .allMatch(name -> constants.containsKey(name) && constants.get(name).elements() == 1)) {
            return Optional.empty();
        }
        DoubleUnaryOperator function = x -> {
            NodeView view = new NodeView(trunc, _ -> new TensorType(DataType.FLOAT32, Shape.of()),
                    name -> name.equals(trunc.input(0)) ? Tensor.scalar((float) x)
                            : constants.get(name).reshaped(Shape.of()));
            return Evaluation.evaluate(view, ShapeRules.outputs(view)).getFirst().doubleAt(0);
        };
        Map<String, Quantization> quantization = graph.quantization();
        return Optional.of(CodeTable.of(function, quantization.get(trunc.input(0)), quantization.get(trunc.output())));
    }

    static CodeTable of(DoubleUnaryOperator function, Quantization in, Quantization out) {
        return new CodeTable(function, ActivationCodes.of(in), ActivationCodes.of(out));
    }

    /** The entry of a code from 0 to 255. */
    public int get(int code) {
        return entries[code] & 0xff;
    }

    /** All 256 entries, a copy. */
    public byte[] toBytes() {
        return entries.clone();
    }
}
