package dev.shrike.app.bench.harness;

import dev.shrike.OperationInterruptedException;
import java.util.Locale;

/**
 * When runs begin and how long they go on.
 *
 * @param framesPerSecond a run begins at each tick of this clock, as a camera's frames come; 0 for at once after
 *     another
 * @param minutes how long to go on; 0 for until the medians are known well enough
 */
public record Pace(double framesPerSecond, double minutes) {
    /** One run after another, until the medians are known well enough. */
    public static final Pace BACK_TO_BACK = new Pace(0, 0);

    private static final double MOST_FRAMES = 10_000;
    private static final double MOST_MINUTES = 7 * 24 * 60;

    public Pace {
        if (!(framesPerSecond >= 0 && framesPerSecond <= MOST_FRAMES)) {
            throw new IllegalArgumentException(framesPerSecond + " frames a second are not within 0 to 10000");
        }
        if (!(minutes >= 0 && minutes <= MOST_MINUTES)) {
            throw new IllegalArgumentException(minutes + " minutes are not within 0 to a week");
        }
    }

    /** The name of the mode. */
    public String mode() {
        String paced = "paced " + String.format(Locale.ROOT, "%.3f", framesPerSecond).replaceFirst("\\.?0+$", "");
        return framesPerSecond > 0 ? minutes > 0 ? "long, " + paced : paced : minutes > 0 ? "long" : "back-to-back";
    }

    /** Waits for a moment of {@link System#nanoTime}; how late it is then, in nanoseconds, 0 if it was waited for. */
    static long await(long moment) {
        long wait = moment - System.nanoTime();
        if (wait <= 0) {
            return -wait;
        }
        try {
            Thread.sleep(wait / 1_000_000, (int) (wait % 1_000_000));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new OperationInterruptedException("interrupted while it waited for the next frame", e);
        }
        return 0;
    }
}
