package dev.shrike.calibration;

/** Hears how far an evaluation is. */
@FunctionalInterface
public interface EvaluationProgress {
    /** Hears nothing. */
    EvaluationProgress NONE = (_, _, _) -> {};

    /** Told before each image: its name, the number of those done, and of all. */
    void at(String image, int done, int total);
}
