package dev.shrike.calibration.training;

import dev.shrike.calibration.quantize.SoleReaders;
import dev.shrike.calibration.ranges.Histogram;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Op;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Histograms of the values of a network in which each element counts by its Fisher information, so that
 * codes can be finest where it matters. Where only an activation reads a value, an error is one of what the activation
 * gives, as range methods see it. Threads may add images at the same time; their order changes nothing.
 */
final class FisherSensitivity {
    /** What an element counts whatever its Fisher information, as a share of the mean. */
    private static final double FLOOR = 0.2;
    /** Counts of an element of mean sensitivity. */
    private static final double UNIT = 1000;

    private final Map<String, Histogram> histograms = new HashMap<>();
    /** What the activation that alone reads a value gives. */
    private final Map<String, String> activated = new HashMap<>();

    FisherSensitivity(Graph graph) {
        graph.nodes().forEach(node -> histograms.put(node.output(), new Histogram()));
        SoleReaders.of(graph).forEach((name, node) -> {
            if (node.op() instanceof Op.Unary) {
                activated.put(name, node.output());
            }
        });
    }

    /** Adds an image, after a probe of the heads was led back through the network. */
    void add(TrainingNetwork network) {
        histograms.forEach((name, histogram) -> {
            Value value = network.value(name);
            long[] weights = weights(network.value(activated.getOrDefault(name, name)).gradient);
            synchronized (histogram) {
                histogram.add(value.exact, 0, value.exact.length, weights);
            }
        });
    }

    /** Squares of the gradients, with a mean of {@link #UNIT}. */
    private static long[] weights(float[] gradient) {
        double mean = 0;
        for (float own : gradient) {
            mean += (double) own * own / gradient.length;
        }
        long[] weights = new long[gradient.length];
        for (int i = 0; i < weights.length; i++) {
            double own = mean > 0 ? (double) gradient[i] * gradient[i] / mean : 1;
            weights[i] = Math.round(UNIT * (FLOOR + (1 - FLOOR) * own));
        }
        return weights;
    }

    /** The histogram of a value; empty for the input, which has no gradient. */
    Optional<Histogram> of(String value) {
        return Optional.ofNullable(histograms.get(value)).filter(histogram -> histogram.total() > 0);
    }
}
