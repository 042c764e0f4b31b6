package dev.shrike.calibration.quantize;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Widths of the codes of one layer.
 *
 * @param weights bits of a weight, 2 to 8
 * @param activations bits of what the layer reads, 2 to 8
 * @param codes which integers the weights may be; powers of two have 2 to 5 bits
 */
public record Widths(int weights, int activations, WeightCodes codes) {
    /** 8 bits for both. */
    public static final Widths EIGHT = new Widths(8, 8);

    private static final Pattern TEXT = Pattern.compile("w([2-8])a([2-8])( power-of-two)?");

    public Widths {
        if (weights < 2 || weights > 8 || activations < 2 || activations > 8) {
            throw new IllegalArgumentException("w" + weights + "a" + activations + " is not within 2 to 8 bits each");
        }
        codes.of(weights);
    }

    /** Widths of uniform codes. */
    public Widths(int weights, int activations) {
        this(weights, activations, WeightCodes.UNIFORM);
    }

    /** The codes that the weights may have. */
    CodeSet codeSet() {
        return codes.of(weights);
    }

    /**
     * The widths written as {@code w4a8}, or {@code w4a8 power-of-two}.
     *
     * @throws IllegalArgumentException if the text is of another form, or there are no such codes of that width
     */
    public static Widths parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is not of the form w4a8, with 2 to 8 bits each");
        }
        return new Widths(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)),
                matcher.group(3) == null ? WeightCodes.UNIFORM : WeightCodes.POWER_OF_TWO);
    }

    @Override
    public String toString() {
        return "w" + weights + "a" + activations + (codes == WeightCodes.UNIFORM ? "" : " " + codes);
    }
}
