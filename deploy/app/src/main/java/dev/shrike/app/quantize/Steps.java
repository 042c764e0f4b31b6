package dev.shrike.app.quantize;

import dev.shrike.app.Progress;
import java.time.Duration;

/** A progress bar that says how long the rest of a phase may take. */
public final class Steps {
    private final Progress progress;
    private long started = System.nanoTime();
    private int last = Integer.MAX_VALUE;

    /** One that draws on this. */
    public Steps(Progress progress) {
        this.progress = progress;
    }

    /** Shows that {@code done} of {@code total} are done; a smaller number than before begins a new phase. */
    public void show(String what, int done, int total) {
        if (done < last) {
            started = System.nanoTime();
        }
        last = done;
        progress.show(left(done, total) + what, done, total);
    }

    private String left(int done, int total) {
        if (done == 0) {
            return "";
        }
        long seconds = Duration.ofNanos((System.nanoTime() - started) / done * (total - done)).toSeconds();
        return String.format("%d:%02d left, ", seconds / 60, seconds % 60);
    }

    /** Takes the bar away. */
    public void clear() {
        last = Integer.MAX_VALUE;
        progress.clear();
    }
}
