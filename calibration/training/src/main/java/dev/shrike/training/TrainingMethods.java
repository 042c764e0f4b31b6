package dev.shrike.training;

/**
 * What a run does beside learning labels.
 *
 * @param sparse penalties that make a network sparse; null for none
 * @param rounding how the network learns to be rounded; null for a float network
 * @param teacher a network to learn from; null for none
 * @param frozenStatistics whether batch normalisation keeps its statistics, in place of those of each batch
 */
public record TrainingMethods(SparseTraining sparse, QuantizedTraining rounding, Teaching teacher,
        boolean frozenStatistics) {
    /** Labels alone. */
    public static final TrainingMethods NONE = new TrainingMethods(null, null, null);

    /** Methods of a run whose batch normalisation takes the statistics of each batch. */
    public TrainingMethods(SparseTraining sparse, QuantizedTraining rounding, Teaching teacher) {
        this(sparse, rounding, teacher, false);
    }

    /** The same with another rounding. */
    TrainingMethods with(QuantizedTraining other) {
        return new TrainingMethods(sparse, other, teacher, frozenStatistics);
    }

    /** The same with another teacher. */
    TrainingMethods with(Teaching other) {
        return new TrainingMethods(sparse, rounding, other, frozenStatistics);
    }
}
