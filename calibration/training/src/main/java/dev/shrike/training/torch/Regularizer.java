package dev.shrike.training.torch;

/** What is added to the gradients of a network in each step, such as the L1 penalty on gammas of sparse training. */
@FunctionalInterface
public interface Regularizer {
    /**
     * Adds to the gradients of parameters. Called after the gradients of the loss are computed and before they are
     * clipped and the optimiser steps.
     *
     * @param progress share of all steps that are done, 0 to 1
     */
    void addGradients(TorchNetwork network, double progress);

    /** Called after the optimiser's step, for what keeps parameters in a set, such as masks. */
    default void afterStep(TorchNetwork network, double progress) {}
}
