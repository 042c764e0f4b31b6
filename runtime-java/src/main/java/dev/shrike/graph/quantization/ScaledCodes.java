package dev.shrike.graph.quantization;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Indices;
import dev.shrike.graph.Numbers;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.util.Optional;

/**
 * Codes of weights whose floats are those of others times a factor per output channel.
 *
 * @param codes the codes
 * @param how what they mean
 */
public record ScaledCodes(Tensor codes, Quantization how) {
    /**
     * The scaled weights, if the factors can be put into positive scales. A negative one negates codes, which needs a
     * zero point of 0; and if the lowest code is among them, one bit more. A channel whose factor leaves less than the
     * smallest scale gets codes of 0.
     *
     * @param axis the dimension of the output channels
     * @param given factors, one per output channel
     */
    public static Optional<ScaledCodes> of(Tensor codes, Quantization how, int axis, double[] given) {
        double[] factors = given.clone();
        if (!how.isPerTensor() && how.axis() != axis || codes.shape().dim(axis) != factors.length) {
            return Optional.empty();
        }
        double[] scale = new double[factors.length];
        long[] zero = new long[factors.length];
        for (int i = 0; i < scale.length; i++) {
            int index = how.isPerTensor() ? 0 : i;
            scale[i] = (float) (how.scale().doubleAt(index) * Math.abs(factors[i]));
            zero[i] = how.zeroPoint().longAt(index);
            boolean vanishes = scale[i] < Float.MIN_NORMAL && zero[i] == 0 && !how.bipolar();
            if (vanishes) {
                scale[i] = Float.MIN_NORMAL;
                factors[i] = 0;
            }
            if (!(scale[i] > 0) || Double.isInfinite(scale[i]) || (factors[i] < 0 && zero[i] != 0)) {
                return Optional.empty();
            }
        }
        long[] values = codes.toLongs();
        boolean wider = false;
        int inner = Indices.product(codes.shape(), axis + 1, codes.shape().rank());
        for (int i = 0; i < values.length; i++) {
            double factor = factors[i / inner % factors.length];
            if (factor == 0) {
                values[i] = 0;
            } else if (factor < 0) {
                values[i] = -values[i];
                wider |= values[i] > how.maxCode() || values[i] < how.minCode();
            }
        }
        if (wider && (how.bits() == 8 || !how.signed())) {
            return Optional.empty();
        }
        Shape shape = Shape.of(factors.length);
        return Optional.of(new ScaledCodes(Tensor.of(codes.type(), codes.shape(), values),
                new Quantization(Numbers.real(how.scale().type(), shape, scale), Tensor.of(DataType.INT32, shape, zero),
                        how.bits() + (wider ? 1 : 0), how.signed(), how.narrow() || wider, axis, how.bipolar())));
    }
}
