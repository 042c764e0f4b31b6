package dev.shrike.training;

/**
 * What a run does beside learning labels.
 *
 * @param sparse penalties that make a network sparse; null for none
 * @param rounding how the network learns to be rounded; null for a float network
 * @param teacher a network to learn from; null for none
 */
public record TrainingMethods(SparseTraining sparse, QuantizedTraining rounding, Teaching teacher) {
    /** Labels alone. */
    public static final TrainingMethods NONE = new TrainingMethods(null, null, null);

    /** The same with another rounding. */
    TrainingMethods with(QuantizedTraining other) {
        return new TrainingMethods(sparse, other, teacher);
    }

    /** The same with another teacher. */
    TrainingMethods with(Teaching other) {
        return new TrainingMethods(sparse, rounding, other);
    }
}
