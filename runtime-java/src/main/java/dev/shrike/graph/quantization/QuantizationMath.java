package dev.shrike.graph.quantization;

import dev.shrike.ModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Indices;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Numbers;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.TensorType;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.DoubleUnaryOperator;

/**
 * Reference code of quantisation. Every step is rounded to the tensor's type as a float implementation would, since a
 * quotient on the edge between two codes decides which code it becomes.
 */
public final class QuantizationMath {
    private QuantizationMath() {}

    public static Tensor quantizeLinear(NodeView view, Op.QuantizeLinear quantize, DataType to) {
        Tensor x = view.known(0);
        double[] values = Numbers.floats(x);
        double[] scale = Numbers.floats(view.known(1));
        long[] zero = view.has(2) ? view.known(2).toLongs() : new long[scale.length];
        int[] channel = channels(view, quantize.axis(), scale.length);
        double min = minimum(to);
        double max = min + Math.scalb(1.0, to.bits()) - 1;
        long[] codes = new long[values.length];
        for (int i = 0; i < codes.length; i++) {
            int c = channel[i];
            double code = Math.rint(round(x.type(), values[i] / scale[c])) + zero[c];
            codes[i] = (long) Math.min(Math.max(code, min), max);
        }
        return Tensor.of(to, x.shape(), codes);
    }

    private static double minimum(DataType type) {
        return switch (type) {
            case INT4, INT8, INT16, INT32 -> -Math.scalb(1.0, type.bits() - 1);
            case UINT4, UINT8, UINT16 -> 0;
            case INT64, BOOL, FLOAT16, FLOAT32, FLOAT64 -> throw new IllegalArgumentException(type + " codes");
        };
    }

    public static Tensor dequantizeLinear(NodeView view, Op.DequantizeLinear dequantize) {
        long[] codes = view.known(0).toLongs();
        double[] scale = Numbers.floats(view.known(1));
        long[] zero = view.has(2) ? view.known(2).toLongs() : new long[scale.length];
        int[] channel = channels(view, dequantize.axis(), scale.length);
        double[] values = new double[codes.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (codes[i] - zero[channel[i]]) * scale[channel[i]];
        }
        return Numbers.real(view.type(1), view.shape(0), values);
    }

    /** Codes, scale and zero point. */
    public static List<Tensor> dynamicQuantizeLinear(Tensor x) {
        QuantParams how = DynamicQuantParams.of(x);
        return List.of(DynamicQuantParams.codes(x, how), Tensor.scalar(how.scale()),
                Tensor.of(DataType.UINT8, Shape.of(), how.zero()));
    }

    public static Tensor dynamicQuant(Tensor x) {
        QuantParams how = DynamicQuantParams.of(x);
        return DynamicQuantParams.floats(DynamicQuantParams.codes(x, how), how);
    }

    /** For every element the index of its scale. */
    private static int[] channels(NodeView view, int axis, int scales) {
        Shape x = view.shape(0);
        int[] channel = new int[Math.toIntExact(x.elements())];
        if (scales == 1) {
            return channel;
        }
        int inner = Indices.product(x, view.axis(axis, x.rank()) + 1, x.rank());
        for (int i = 0; i < channel.length; i++) {
            channel[i] = i / inner % scales;
        }
        return channel;
    }

    /** QONNX Quant: {@code (round(clamp(x / scale + zero)) - zero) * scale}. One signed bit means -1 and +1. */
    public static Tensor quant(NodeView view, Op.Quant quant, TensorType out) {
        double[] codes = quantCodes(view, quant, out);
        double[] scale = operand(view, 1, out);
        double[] zero = operand(view, 2, out);
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (codes[i] - zero[i]) * scale[i];
        }
        return Numbers.real(out.type(), out.shape(), codes);
    }

    /** The codes of QONNX Quant, one for each element of the result. */
    public static double[] quantCodes(NodeView view, Op.Quant quant, TensorType out) {
        double[] x = operand(view, 0, out);
        double[] scale = operand(view, 1, out);
        double[] zero = operand(view, 2, out);
        double[] bits = operand(view, 3, out);
        DoubleUnaryOperator rounding = rounding(view, quant.roundingMode());
        for (int i = 0; i < x.length; i++) {
            double code = round(out.type(), round(out.type(), x[i] / scale[i]) + zero[i]);
            if (bits[i] == 1 && quant.signed()) {
                code = code >= 0 ? 1 : -1;
            } else {
                double min = quant.signed() ? -Math.pow(2, bits[i] - 1) + (quant.narrow() ? 1 : 0) : 0;
                double max = quant.signed() ? Math.pow(2, bits[i] - 1) - 1
                        : Math.pow(2, bits[i]) - 1 - (quant.narrow() ? 1 : 0);
                code = rounding.applyAsDouble(Math.max(Math.min(code, max), min));
            }
            x[i] = code;
        }
        return x;
    }

    /** The floats that the codes of a constant stand for. */
    public static Tensor dequantize(Tensor codes, Quantization how) {
        int[] channel = channels(codes.shape(), how);
        double[] values = new double[channel.length];
        for (int i = 0; i < values.length; i++) {
            values[i] = (codes.longAt(i) - how.zeroPoint().longAt(channel[i])) * how.scale().doubleAt(channel[i]);
        }
        return Numbers.real(how.scale().type(), codes.shape(), values);
    }

    /** The floats that stand for each element after rounding to codes. */
    public static Tensor roundToCodes(Tensor x, Quantization how) {
        int[] channel = channels(x.shape(), how);
        double[] values = Numbers.floats(x);
        for (int i = 0; i < values.length; i++) {
            double scale = how.scale().doubleAt(channel[i]);
            values[i] = (code(x.type(), values[i], channel[i], how) - how.zeroPoint().longAt(channel[i])) * scale;
        }
        return Numbers.real(x.type(), x.shape(), values);
    }

    /** Codes of a real tensor, as INT8 or UINT8. */
    public static Tensor codes(Tensor x, Quantization how) {
        int[] channel = channels(x.shape(), how);
        double[] values = Numbers.floats(x);
        long[] codes = new long[values.length];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = code(x.type(), values[i], channel[i], how);
        }
        return Tensor.of(how.signed() ? DataType.INT8 : DataType.UINT8, x.shape(), codes);
    }

    /** Codes that are at least {@code low} and at most {@code high}. */
    public static Tensor clamped(Tensor codes, int low, int high) {
        long[] values = codes.toLongs();
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.clamp(values[i], low, high);
        }
        return Tensor.of(codes.type(), codes.shape(), values);
    }

    /** Codes with the zero point where the mask, repeated to their shape, is 0; empty unless all else of it is 1. */
    public static Optional<Tensor> masked(Tensor codes, Quantization how, Tensor mask) {
        double[] factors = Numbers.floats(Numbers.expand(mask, codes.shape()));
        int[] channel = channels(codes.shape(), how);
        long[] values = codes.toLongs();
        for (int i = 0; i < values.length; i++) {
            if (factors[i] == 0) {
                values[i] = how.zeroPoint().longAt(channel[i]);
            } else if (factors[i] != 1) {
                return Optional.empty();
            }
        }
        return Optional.of(Tensor.of(codes.type(), codes.shape(), values));
    }

    private static long code(DataType type, double value, int channel, Quantization how) {
        if (how.bipolar()) {
            return value >= 0 ? 1 : -1;
        }
        double code = Math.rint(round(type, value / how.scale().doubleAt(channel))) + how.zeroPoint().longAt(channel);
        return code > how.minCode() ? (long) Math.min(code, how.maxCode()) : how.minCode();
    }

    private static int[] channels(Shape shape, Quantization how) {
        int[] channel = new int[Math.toIntExact(shape.elements())];
        int scales = Math.toIntExact(how.scale().elements());
        if (scales == 1) {
            return channel;
        }
        if (how.axis() >= shape.rank() || shape.dim(how.axis()) != scales) {
            throw new ModelException(scales + " scales do not fit axis " + how.axis() + " of " + shape);
        }
        int inner = Indices.product(shape, how.axis() + 1, shape.rank());
        for (int i = 0; i < channel.length; i++) {
            channel[i] = i / inner % scales;
        }
        return channel;
    }

    public static Tensor bipolar(NodeView view, TensorType out) {
        double[] x = operand(view, 0, out);
        double[] scale = operand(view, 1, out);
        for (int i = 0; i < x.length; i++) {
            x[i] = x[i] >= 0 ? scale[i] : -scale[i];
        }
        return Numbers.real(out.type(), out.shape(), x);
    }

    /** QONNX Trunc: the code divided by {@code 2^(input bits - output bits)} and rounded. */
    public static Tensor trunc(NodeView view, Op.Trunc trunc, TensorType out) {
        double[] x = operand(view, 0, out);
        double[] scale = operand(view, 1, out);
        double[] zero = operand(view, 2, out);
        double[] inputBits = operand(view, 3, out);
        double[] outputBits = operand(view, 4, out);
        DoubleUnaryOperator rounding = rounding(view, trunc.roundingMode());
        for (int i = 0; i < x.length; i++) {
            double code = Math.rint(round(out.type(), round(out.type(), x[i] / scale[i]) + zero[i]));
            double cut = rounding.applyAsDouble(code / Math.pow(2, inputBits[i] - outputBits[i]));
            x[i] = (cut - zero[i]) * scale[i];
        }
        return Numbers.real(out.type(), out.shape(), x);
    }

    private static double[] operand(NodeView view, int index, TensorType out) {
        return Numbers.floats(Numbers.expand(view.known(index), out.shape()));
    }

    /** QONNX rounding modes. */
    private static DoubleUnaryOperator rounding(NodeView view, String mode) {
        return switch (mode.toUpperCase(Locale.ROOT)) {
            case "ROUND", "HALF_EVEN" -> Math::rint;
            case "CEIL" -> Math::ceil;
            case "FLOOR" -> Math::floor;
            case "UP" -> x -> Math.signum(x) * Math.ceil(Math.abs(x));
            case "DOWN", "ROUND_TO_ZERO" -> x -> Math.signum(x) * Math.floor(Math.abs(x));
            case "HALF_UP" -> x -> Math.signum(x) * Math.floor(Math.abs(x) + 0.5);
            case "HALF_DOWN" -> x -> Math.signum(x) * Math.ceil(Math.abs(x) - 0.5);
            default -> throw view.unsupported("rounding mode '" + mode + "' is not supported; known are ROUND, CEIL,"
                    + " FLOOR, UP, DOWN, ROUND_TO_ZERO, HALF_EVEN, HALF_UP and HALF_DOWN");
        };
    }

    private static double round(DataType type, double value) {
        return type == DataType.FLOAT64 ? value : (float) value;
    }
}
