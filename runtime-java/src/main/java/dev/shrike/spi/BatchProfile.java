package dev.shrike.spi;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Sizes of the batch that an engine is built for, where the model leaves that open.
 *
 * @param least fewest images of a run
 * @param best images of the runs that are to be quickest
 * @param most most images of a run
 */
public record BatchProfile(int least, int best, int most) {
    /** More than any device has use for; the letterboxes of all of them are kept. */
    public static final int LARGEST = 256;

    private static final Pattern TEXT = Pattern.compile("(\\d{1,6})(?:,(\\d{1,6}),(\\d{1,6}))?");

    public BatchProfile {
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
    public static BatchProfile parse(String text) {
        Matcher matcher = TEXT.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException("'" + text + "' is neither a number of images, such as 8, nor the"
                    + " least, best and most of them, such as 1,4,8");
        }
        int first = Integer.parseInt(matcher.group(1));
        return matcher.group(2) == null
                ? new BatchProfile(1, first, first)
                : new BatchProfile(first, Integer.parseInt(matcher.group(2)), Integer.parseInt(matcher.group(3)));
    }

    /** Whether there is one size only. */
    public boolean hasOneSize() {
        return least == most;
    }

    /** For people: {@code "1 to 8 images, best at 4"}. */
    public String describe() {
        return hasOneSize() ? most + (most == 1 ? " image" : " images")
                : least + " to " + most + " images, best at " + best;
    }
}
