package dev.shrike.graph.kernels;

import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.TensorType;
import dev.shrike.graph.quantization.QuantParams;
import dev.shrike.graph.shapes.ShapeRules;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;

/**
 * A function of one quantised value as a table from stored codes to stored codes ({@link QuantParams}). Entry c is
 * {@code out.quantize((float) f(in.dequantize(c)))}, f in double; codes beyond the highest have its entry, those below
 * the lowest likewise.
 */
public final class LookupTable {
    private final byte[] entries = new byte[256];

    private LookupTable(DoubleUnaryOperator function, QuantParams in, QuantParams out) {
        for (int code = 0; code < entries.length; code++) {
            float real = in.dequantize(Math.clamp(code, in.low(), in.high()));
            entries[code] = (byte) out.quantize((float) function.applyAsDouble(real));
        }
    }

    /** The table of an element-wise function. */
    public static LookupTable of(Op.Unary unary, Quantization in, Quantization out) {
        return new LookupTable(ElementMath.function(Objects.requireNonNull(unary, "unary")), QuantParams.of(in),
                QuantParams.of(out));
    }

    /** The table of an activation. */
    public static LookupTable of(Activation activation, Quantization in, Quantization out) {
        return new LookupTable(ElementMath.function(activation), QuantParams.of(in), QuantParams.of(out));
    }

    /** The table from one quantisation to another of the same floats. */
    public static LookupTable requantize(Quantization in, Quantization out) {
        return new LookupTable(DoubleUnaryOperator.identity(), QuantParams.of(in), QuantParams.of(out));
    }

    /**
     * The table of a Trunc of one quantised value with quantised result; empty if its other inputs are not single
     * constants.
     */
    public static Optional<LookupTable> ofTrunc(Graph graph, Node trunc) {
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
        return Optional
                .of(LookupTable.of(function, quantization.get(trunc.input(0)), quantization.get(trunc.output())));
    }

    static LookupTable of(DoubleUnaryOperator function, Quantization in, Quantization out) {
        return new LookupTable(function, QuantParams.of(in), QuantParams.of(out));
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
