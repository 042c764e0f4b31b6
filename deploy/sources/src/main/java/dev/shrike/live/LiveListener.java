package dev.shrike.live;

import dev.shrike.sources.SourceState;

/** Is told what a {@link LiveDetector} sees and what becomes of its source. */
public interface LiveListener {
    /** One frame was run; on the detection thread, whose next frame waits for the return. */
    void onResult(LiveResult result);

    /**
     * Something failed: the detector on a frame, after which the next frame is tried; the listener itself; or, for
     * good, the source, after which {@link #onEnd} follows. From either thread, not at the same time as
     * {@link #onResult} of the same thread.
     *
     * @param error what failed, without credentials
     */
    void onError(Throwable error);

    /** The source runs, is lost or has ended; on the capture thread. */
    default void onSourceChanged(SourceState state) {
        // Of no interest to many.
    }

    /** The source has ended or failed and the last frame was run, on the detection thread; not after a close. */
    default void onEnd() {
        // Cameras never do.
    }
}
