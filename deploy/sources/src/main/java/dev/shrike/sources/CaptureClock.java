package dev.shrike.sources;

/** Says when a frame was captured that has just come. */
interface CaptureClock {
    /**
     * The time on the clock of {@link System#nanoTime}.
     *
     * @param senderMicros the sender's wall clock at the capture, or {@link FfmpegInput#NO_TIME}
     */
    long capturedNanos(long senderMicros);
}
