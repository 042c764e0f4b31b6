package dev.shrike.graph.quantization;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Node;
import dev.shrike.graph.Numbers;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** What the nodes of ONNX and QONNX that quantise say, as {@link Quantization}; empty where that cannot hold it. */
public final class Quantizers {
    private final Map<String, Tensor> constants;
    private final Map<String, ValueInfo> infos;

    public Quantizers(Map<String, Tensor> constants, Map<String, ValueInfo> infos) {
        this.constants = constants;
        this.infos = infos;
    }

    /** What a QuantizeLinear or DequantizeLinear between floats and codes of that type says. */
    public Optional<Quantization> linear(Node node, int axis, DataType type) {
        Tensor scale = constants.get(node.input(1));
        Tensor zero = constants.get(node.input(2));
        boolean signed = type == DataType.INT8 || type == DataType.INT4;
        if (type.bits() > 8 || type == DataType.BOOL || !isPositive(scale) || (node.hasInput(2) && zero == null)) {
            return Optional.empty();
        }
        int count = Math.toIntExact(scale.elements());
        int rank = infos.get(node.input(0)).shape().rank();
        int at = count == 1 ? -1 : axis < 0 ? axis + rank : axis;
        long[] zeros = zero == null ? new long[count] : zero.toLongs();
        Shape shape = count == 1 ? Shape.of() : Shape.of(count);
        return Optional.of(new Quantization(scale.reshaped(shape), Tensor.of(DataType.INT32, shape, zeros),
                type.bits(), signed, false, at));
    }

    /** What a Quant of the value says, whatever its rounding. */
    public Optional<Quantization> quant(Node node, Op.Quant quant) {
        Tensor bits = constants.get(node.input(3));
        if (bits == null || bits.elements() != 1) {
            return Optional.empty();
        }
        return quant(node, bits.doubleAt(0), quant.signed(), quant.narrow());
    }

    private Optional<Quantization> quant(Node node, double bits, boolean signed, boolean narrow) {
        Tensor scale = constants.get(node.input(1));
        Tensor zero = constants.get(node.input(2));
        int axis = axis(scale, node);
        if (!(bits >= 1 && bits <= 8) || bits != Math.rint(bits) || axis == UNFIT || zero == null
                || (zero.elements() != 1 && !zero.shape().equals(scale.shape()))) {
            return Optional.empty();
        }
        long[] zeros = new long[Math.toIntExact(scale.elements())];
        for (int i = 0; i < zeros.length; i++) {
            double value = zero.doubleAt(zero.elements() == 1 ? 0 : i);
            if (value != Math.rint(value) || Math.abs(value) > 255) {
                return Optional.empty();
            }
            zeros[i] = (long) value;
        }
        Tensor scales = flat(scale, infos.get(node.input(0)).type());
        if (signed && bits == 1) {
            return java.util.Arrays.stream(zeros).anyMatch(value -> value != 0)
                    ? Optional.empty() : Optional.of(Quantization.bipolar(scales, axis));
        }
        return Optional.of(new Quantization(scales, Tensor.of(DataType.INT32, scales.shape(), zeros), (int) bits,
                signed, narrow, axis));
    }

    /** What a BipolarQuant of the value says. */
    public Optional<Quantization> bipolar(Node node) {
        Tensor scale = constants.get(node.input(1));
        int axis = axis(scale, node);
        return axis == UNFIT ? Optional.empty()
                : Optional.of(Quantization.bipolar(flat(scale, infos.get(node.input(0)).type()), axis));
    }

    /**
     * How the result of a Trunc of a value with that quantisation is quantised. Trunc does not clamp, so the largest
     * code rounded up is one more than its bits say: 255 / 16 becomes 16.
     */
    public Optional<Quantization> trunc(Node node, Op.Trunc trunc, Quantization from) {
        Tensor output = constants.get(node.input(4));
        boolean plain = from.isPerTensor() && !from.bipolar();
        for (int i = 1; i < 5 && plain; i++) {
            Tensor tensor = constants.get(node.input(i));
            plain = tensor != null && tensor.elements() == 1;
        }
        if (!plain || from.scale().floatAt(0) != constants.get(node.input(1)).floatAt(0)
                || from.zeroPoint().longAt(0) != 0 || constants.get(node.input(2)).floatAt(0) != 0
                || from.bits() != constants.get(node.input(3)).doubleAt(0)
                || output.doubleAt(0) == 1 || output.doubleAt(0) > from.bits()) {
            return Optional.empty();
        }
        boolean cuts = output.doubleAt(0) < from.bits()
                && !List.of("FLOOR", "DOWN", "ROUND_TO_ZERO").contains(trunc.roundingMode().toUpperCase(Locale.ROOT));
        return quant(node, output.doubleAt(0) + (cuts ? 1 : 0), from.signed(), false);
    }

    /** Whether activations may be rounded so: half to even. */
    public static boolean isHalfToEven(String roundingMode) {
        return List.of("ROUND", "HALF_EVEN").contains(roundingMode.toUpperCase(Locale.ROOT));
    }

    private static final int UNFIT = -2;

    /** The dimension of input 0 along which the scales lie, -1 if there is one scale, or UNFIT. */
    private int axis(Tensor scale, Node node) {
        if (!isPositive(scale)) {
            return UNFIT;
        }
        if (scale.elements() == 1) {
            return -1;
        }
        Shape x = infos.get(node.input(0)).shape();
        int shift = x.rank() - scale.shape().rank();
        for (int i = 0; i < scale.shape().rank(); i++) {
            if (scale.shape().dim(i) == scale.elements() && shift + i >= 0
                    && x.dim(shift + i) == scale.elements()) {
                return shift + i;
            }
        }
        return UNFIT;
    }

    private static Tensor flat(Tensor scale, DataType type) {
        return Numbers.cast(scale, type)
                .reshaped(scale.elements() == 1 ? Shape.of() : Shape.of(scale.elements()));
    }

    private static boolean isPositive(Tensor scale) {
        if (scale == null || scale.elements() == 0 || !scale.type().isFloating()) {
            return false;
        }
        for (long i = 0; i < scale.elements(); i++) {
            if (!(scale.doubleAt(i) > 0) || Double.isInfinite(scale.doubleAt(i))) {
                return false;
            }
        }
        return true;
    }
}
