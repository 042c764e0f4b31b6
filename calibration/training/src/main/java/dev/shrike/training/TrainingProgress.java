package dev.shrike.training;

/**
 * How far a training run is.
 *
 * @param epoch epochs that are done
 * @param epochs epochs that were asked for
 * @param step steps of the running epoch that are done
 * @param steps steps of an epoch
 * @param loss mean loss of the running epoch's steps
 */
public record TrainingProgress(int epoch, int epochs, int step, int steps, double loss) {}
