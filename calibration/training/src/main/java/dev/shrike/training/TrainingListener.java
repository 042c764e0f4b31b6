package dev.shrike.training;

/** Hears how a run goes on. Called on the thread that runs it. */
public interface TrainingListener {
    /** A line for people. */
    void note(String text);

    /**
     * A step is done.
     *
     * @param secondsLeft until the last epoch ends; 0 as long as it cannot be told
     */
    void progress(TrainingProgress progress, double secondsLeft);

    /** Something before or between the epochs is done to a part. */
    void working(String what, int done, int total);

    /** An epoch is done and measured. */
    void epoch(EpochResult result);
}
