package dev.shrike.training;

import dev.shrike.files.Range;

/**
 * How fast a network learns in each step: a warm-up, then half a cosine from the learning rate down to a part of it, as
 * YOLOv5 documents it, but falling with each batch, so that runs of few epochs end at a low rate too. Gradients of
 * several batches are added up until they are those of the nominal batch.
 *
 * @param optimizer which method
 * @param epochs number of epochs
 * @param batch images of a batch
 * @param nominalBatch images whose gradients make one step
 * @param learningRate at the end of the warm-up
 * @param finalRate the last learning rate, as a part of the first
 * @param momentum of SGD, and the first beta of AdamW
 * @param weightDecay of weights of convolutions alone, for a nominal batch
 * @param warmupEpochs length of the warm-up
 */
public record LearningSchedule(Optimizer optimizer, int epochs, int batch, int nominalBatch, double learningRate,
        double finalRate, double momentum, double weightDecay, double warmupEpochs) {
    /** The methods, as PyTorch has them. */
    public enum Optimizer {
        /** Stochastic gradient descent with Nesterov's momentum. */
        SGD(0.01),
        /** Adam with decoupled weight decay (Loshchilov and Hutter 2019). */
        ADAMW(0.001);

        private final double usualRate;

        Optimizer(double usualRate) {
            this.usualRate = usualRate;
        }

        /** The learning rate where none is given. */
        public double usualRate() {
            return usualRate;
        }
    }

    private static final double WARMUP_MOMENTUM = 0.8;
    private static final double WARMUP_BIAS_RATE = 0.1;
    private static final long LEAST_WARMUP_STEPS = 100;

    public LearningSchedule {
        Range.require("epochs", epochs, 1, 1_000_000);
        Range.require("batch", batch, 1, 65_536);
        Range.require("nominal batch", nominalBatch, 1, 65_536);
        Range.requireAboveZero("learning rate", learningRate, 10);
        Range.require("final rate", finalRate, 0, 1);
        Range.require("momentum", momentum, 0, 0.9999);
        Range.require("weight decay", weightDecay, 0, 1);
        Range.require("warm-up", warmupEpochs, 0, 1000);
    }

    /** Batches of the warm-up, at most half of all. */
    public long warmupBatches(int batchesPerEpoch) {
        if (warmupEpochs == 0) {
            return 0;
        }
        long wanted = Math.max(Math.round(warmupEpochs * batchesPerEpoch), LEAST_WARMUP_STEPS);
        return Math.min(wanted, (long) epochs * batchesPerEpoch / 2);
    }

    private double share(long batch, int batchesPerEpoch) {
        long warmup = warmupBatches(batchesPerEpoch);
        return warmup == 0 ? 1 : Math.min(1, (double) batch / warmup);
    }

    /** Batches whose gradients are added up before a step. */
    public int accumulated(long batch, int batchesPerEpoch) {
        double full = Math.max(1, (double) nominalBatch / this.batch);
        return (int) Math.max(1, Math.rint(1 + share(batch, batchesPerEpoch) * (full - 1)));
    }

    /**
     * The learning rate.
     *
     * @param batch number of the batch, from 0, over all epochs
     * @param bias whether of biases, which SGD begins with a high rate instead of none
     */
    public double rate(long batch, int batchesPerEpoch, boolean bias) {
        double epoch = (double) batch / batchesPerEpoch;
        double cosine = (1 - Math.cos(epoch * Math.PI / epochs)) / 2 * (finalRate - 1) + 1;
        double start = bias && optimizer == Optimizer.SGD ? Math.max(WARMUP_BIAS_RATE, learningRate) : 0;
        double share = share(batch, batchesPerEpoch);
        return start + share * (learningRate * cosine - start);
    }

    /** The momentum. */
    public double momentum(long batch, int batchesPerEpoch) {
        double start = Math.min(WARMUP_MOMENTUM, momentum);
        return start + share(batch, batchesPerEpoch) * (momentum - start);
    }

    /** The weight decay of a step, for the images that its gradients are of. */
    public double stepDecay() {
        double accumulated = Math.max(1, Math.rint((double) nominalBatch / batch));
        return weightDecay * batch * accumulated / nominalBatch;
    }
}
