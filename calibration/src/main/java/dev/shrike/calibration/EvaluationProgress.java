package dev.shrike.calibration;

/** Hears how far an evaluation is. */
@FunctionalInterface
public interface EvaluationProgress {
    /** Hears nothing. */
    EvaluationProgress NONE = (_, _, _) -> {};

    /** Told before each picture: its name, the number of those done, and of all. */
    void at(String picture, int done, int total);
}
