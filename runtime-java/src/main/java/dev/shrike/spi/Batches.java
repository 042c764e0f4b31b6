package dev.shrike.spi;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Sizes of the batch that an engine is built for, where the model leaves that open.
 *
 * @param least fewest pictures of a run
 * @param best pictures of the runs that are to be quickest
 * @param most most pictures of a run
 */
public record Batches(int least, int best, int most) {
    /** More than any device has use for; the letterboxes of all of them are kept. */
    public static final int LARGEST = 256;

    private static final Pattern TEXT = Pattern.compile("(\\d{1,6})(?:,(\\d{1,6}),(\\d{1,6}))?");

    public Batches {
        if (least < 1 || best < least || most < best || most > LARGEST) {
            throw new IllegalArgumentException("batches of " + least + " to " + most + ", best at " + best
                    + ", are not ascending numbers within 1 to " + LARGEST);
        }
    }

    /**
     * The sizes in a text: {@code "8"} for 1 to 8, best at 8, or all three as in {@code "1,4,8"}.
     *
     * @throws IllegalArgumentException if it is neither
     */
    public static Batches parse(String text) {
        Matcher matcher = TEXT.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is neither a number of pictures, such as 8, nor the"
                    + " least, best and most of them, such as 1,4,8");
        }
        int first = Integer.parseInt(matcher.group(1));
        return matcher.group(2) == null
                ? new Batches(1, first, first)
                : new Batches(first, Integer.parseInt(matcher.group(2)), Integer.parseInt(matcher.group(3)));
    }

    /** Whether there is one size only. */
    public boolean hasOneSize() {
        return least == most;
    }

    /** For people: {@code "1 to 8 pictures, best at 4"}. */
    public String describe() {
        return hasOneSize() ? most + (most == 1 ? " picture" : " pictures")
                : least + " to " + most + " pictures, best at " + best;
    }
}
