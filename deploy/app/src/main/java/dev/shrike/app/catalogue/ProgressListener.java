package dev.shrike.app.catalogue;

/** Who is told what a fetch is doing. Calls come from the fetching thread, a few times a second. */
public interface ProgressListener {
    /** A listener that says nothing. */
    ProgressListener NONE = new ProgressListener() {
        @Override
        public void note(String line) {}

        @Override
        public void progress(String what, long done, long total) {}

        @Override
        public void end() {}
    };

    /** A line worth reading on its own: what begins, a licence, a wait. */
    void note(String line);

    /**
     * How far a step is.
     *
     * @param what the step, the same text in every call about it
     * @param done bytes so far, never more than {@code total}
     * @param total bytes in all
     */
    void progress(String what, long done, long total);

    /** The step that {@link #progress} told of is over, well or badly. */
    void end();
}
