package dev.shrike.app;

import dev.shrike.files.PrintableText;
import java.io.PrintStream;
import java.util.Locale;

/**
 * A progress bar in the last line of a terminal; where there is no terminal it draws nothing. Confined to one thread,
 * except for {@link #clear}.
 */
public final class Progress {
    private static final int BAR = 24;
    private static final String ERASE = "\r\033[K";

    private final PrintStream err;
    private final boolean enabled;
    private volatile boolean drawn;

    /** A bar on the console's error output if that is a terminal and {@code wanted}. */
    public Progress(Console console, boolean wanted) {
        this(console.err(), wanted && console.errTerminal());
    }

    /** A bar on this stream if {@code enabled}. */
    public Progress(PrintStream err, boolean enabled) {
        this.err = err;
        this.enabled = enabled;
    }

    /** Draws the bar at {@code done} of {@code total}, labelled with what is going on. */
    public void show(String what, long done, long total) {
        if (!enabled || total <= 0) {
            return;
        }
        err.print(ERASE + render(what, done, total));
        err.flush();
        drawn = true;
    }

    /** Removes the bar, so that a line can be written in its place. */
    public void clear() {
        if (drawn) {
            drawn = false;
            err.print(ERASE);
            err.flush();
        }
    }

    static String render(String name, long done, long total) {
        String what = PrintableText.of(name);
        double share = Math.clamp((double) done / total, 0, 1);
        int filled = (int) (share * BAR);
        return String.format(
                Locale.ROOT,
                "%s%s %3d%% %s",
                "█".repeat(filled),
                "░".repeat(BAR - filled),
                (int) (share * 100),
                what.length() > 44 ? "…" + what.substring(what.length() - 43) : what);
    }
}
