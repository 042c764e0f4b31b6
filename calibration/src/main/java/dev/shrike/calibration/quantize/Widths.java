package dev.shrike.calibration.quantize;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Widths of the codes of one layer.
 *
 * @param weights bits of a weight, 2 to 8
 * @param activations bits of what the layer reads, 2 to 8
 */
public record Widths(int weights, int activations) {
    /** 8 bits for both. */
    public static final Widths EIGHT = new Widths(8, 8);

    private static final Pattern TEXT = Pattern.compile("w([2-8])a([2-8])");

    public Widths {
        if (weights < 2 || weights > 8 || activations < 2 || activations > 8) {
            throw new IllegalArgumentException("w" + weights + "a" + activations + " is not within 2 to 8 bits each");
        }
    }

    /**
     * The widths written as {@code w4a8}.
     *
     * @throws IllegalArgumentException if the text is of another form
     */
    public static Widths parse(String text) {
        Matcher matcher = TEXT.matcher(text);
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is not of the form w4a8, with 2 to 8 bits each");
        }
        return new Widths(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
    }

    @Override
    public String toString() {
        return "w" + weights + "a" + activations;
    }
}
