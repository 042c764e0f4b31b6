package dev.shrike.calibration.quantize;

import dev.shrike.calibration.quantize.rounding.WeightFormat;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Widths of the codes of one layer.
 *
 * @param weights bits that a weight is stored with, 2 to 8; of symmetric codes also 1, which are -1 and +1
 * @param activations bits of what the layer reads, 2 to 8; beside symmetric codes also 1
 * @param codes which integers the weights may be; powers of two have 2 to 5 bits, entropy-coded ones 8
 * @param rate bits a weight on the average: the entropy of entropy-coded weights, 0.5 to 8, of others their width
 */
public record BitWidths(int weights, int activations, WeightFormat codes, double rate) {
    /** 8 bits for both. */
    public static final BitWidths EIGHT = new BitWidths(8, 8);
    /** The least entropy of a layer's weights, in bits. */
    static final double LEAST_RATE = 0.5;

    /** The least width that a fitted layer can have. */
    private static final int LEAST_FITTED = 2;

    private static final Pattern TEXT =
            Pattern.compile("w([0-8](?:\\.[0-9]{1,6})?)a([2-8])( symmetric| power-of-two| entropy-coded)?");
    private static final Pattern SYMMETRIC_TEXT = Pattern.compile("w([1-8])a([1-8])");

    public BitWidths {
        int least = codes == WeightFormat.SYMMETRIC ? 1 : LEAST_FITTED;
        if (weights < least || weights > 8 || activations < least || activations > 8) {
            throw new IllegalArgumentException("w" + weights + "a" + activations + " is not within " + least
                    + " to 8 bits each");
        }
        if (codes == WeightFormat.ENTROPY_CODED ? !(rate >= LEAST_RATE && rate <= 8) : rate != weights) {
            throw new IllegalArgumentException(codes + " weights of " + rate + " bits; " + (codes
                    == WeightFormat.ENTROPY_CODED ? "0.5 to 8 are possible" : "whole numbers are possible"));
        }
        if (weights >= LEAST_FITTED) {
            codes.sets(weights);
        }
    }

    /** Widths of codes that all take as many bits. */
    public BitWidths(int weights, int activations, WeightFormat codes) {
        this(codes == WeightFormat.ENTROPY_CODED ? 8 : weights, activations, codes, weights);
    }

    /** Widths of uniform codes. */
    public BitWidths(int weights, int activations) {
        this(weights, activations, WeightFormat.UNIFORM);
    }

    /** Entropy-coded weights. */
    static BitWidths entropyCoded(double rate, int activations) {
        return new BitWidths(8, activations, WeightFormat.ENTROPY_CODED, rate);
    }

    /**
     * The widths written as {@code w4a8}, {@code w4a8 power-of-two} or {@code w3.62a8 entropy-coded}.
     *
     * @throws IllegalArgumentException if the text is of another form, or there are no such codes of that width
     */
    public static BitWidths parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is not of the form w4a8, with 2 to 8 bits each");
        }
        double rate = Double.parseDouble(matcher.group(1));
        int activations = Integer.parseInt(matcher.group(2));
        WeightFormat codes = matcher.group(3) == null ? WeightFormat.UNIFORM
                : WeightFormat.parse(matcher.group(3).strip());
        if (codes == WeightFormat.ENTROPY_CODED) {
            return entropyCoded(rate, activations);
        }
        BitWidths widths = new BitWidths((int) rate, activations, codes, rate);
        if (!widths.canBeFitted()) {
            throw new IllegalArgumentException("'" + text + "' is not within 2 to 8 bits each");
        }
        return widths;
    }

    /**
     * The widths written as {@code w4a8}, of codes about 0 for layers that are rounded and not fitted.
     *
     * @throws IllegalArgumentException if the text is of another form, or a width is not within 1 to 8
     */
    public static BitWidths symmetric(String text) {
        Matcher matcher = SYMMETRIC_TEXT.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is not of the form w4a8, with 1 to 8 bits each");
        }
        return new BitWidths(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)),
                WeightFormat.SYMMETRIC);
    }

    /** Whether a layer can be fitted to these widths; codes of one bit come from training or plain rounding. */
    boolean canBeFitted() {
        return weights >= LEAST_FITTED && activations >= LEAST_FITTED;
    }

    /** Whether the codes of weights are the consecutive integers about 0, as rounding alone gives them. */
    boolean isSymmetric() {
        return codes == WeightFormat.SYMMETRIC || codes == WeightFormat.UNIFORM && weights == 8;
    }

    @Override
    public String toString() {
        String bits = rate == Math.rint(rate) ? Integer.toString((int) rate) : String.format(Locale.ROOT, "%.2f", rate);
        return "w" + bits + "a" + activations + (codes == WeightFormat.UNIFORM ? "" : " " + codes);
    }
}
