package dev.shrike.sources;

import java.util.Objects;

/**
 * How a source does.
 *
 * @param phase what it does now
 * @param reason why it is not running, in words without credentials; empty while it runs
 * @param frames frames given since it was opened
 * @param reconnects times that it was lost and found again
 */
public record SourceState(Phase phase, String reason, long frames, long reconnects) {
    /** What a source does. */
    public enum Phase {
        /** Opened, no frame yet. */
        CONNECTING,
        /** Frames come. */
        RUNNING,
        /** Frames came, none do now; it tries again. */
        LOST,
        /** No more frames will come. */
        ENDED
    }

    public SourceState {
        Objects.requireNonNull(phase, "phase");
        Objects.requireNonNull(reason, "reason");
    }
}
