package dev.shrike.calibration.prune;

import dev.shrike.calibration.activations.ActivationMemory;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.linear.RidgeRegression;
import dev.shrike.calibration.quantize.LayerWeights;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.spi.Backend;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Sets single weights of convolutions to zero. Those that stay can make up for those that go: in the order of the
 * columns, the error that a weight leaves when it goes is spread over later ones by the inverse Gram matrix of what the
 * layer reads (optimal brain surgeon, Hassibi and Stork 1993, in the column order of SparseGPT, Frantar and Alistarh
 * 2023). What the layer reads is what the pruned layers before it give, what it is to give is what it gives in the
 * original network.
 */
public final class WeightPruning {
    /** Added to the diagonal of the Gram matrix, in mean variances. */
    private static final double DAMPING = 0.01;

    private WeightPruning() {}

    /** Which weights go. */
    public sealed interface Pattern {
        /**
         * Single weights.
         *
         * @param share of all weights
         * @param global whether all layers compete; else each layer loses that share
         */
        record Weights(double share, boolean global) implements Pattern {
            public Weights {
                checkShare(share);
            }
        }

        /** Whole kernels from an input to an output channel; otherwise as {@link Weights}. */
        record Kernels(double share, boolean global) implements Pattern {
            public Kernels {
                checkShare(share);
            }
        }

        /** Of each {@code of} weights along the input channels {@code stay} stay. */
        record OfEach(int stay, int of) implements Pattern {
            public OfEach {
                if (stay < 1 || of < 2 || stay >= of || of > 64) {
                    throw new IllegalArgumentException(stay + ":" + of + " is no pattern: of M weights N stay, such as"
                            + " 2:4, M at most 64");
                }
            }
        }

        private static void checkShare(double share) {
            if (!(share > 0 && share < 1)) {
                throw new IllegalArgumentException("a share of " + share + " is not between 0 and 1");
            }
        }
    }

    /** The network with the smallest weights zero and the others as they are. */
    public static Graph apply(Graph graph, Pattern pattern) {
        return WeightMasks.apply(graph, masks(graph, pattern));
    }

    private static Map<String, boolean[]> masks(Graph graph, Pattern pattern) {
        Map<String, float[]> scores = WeightMasks.magnitudes(graph);
        return switch (pattern) {
            case Pattern.Weights weights -> WeightMasks.lowest(scores, weights.share(), weights.global());
            case Pattern.Kernels kernels -> WeightMasks.kernels(graph, scores, kernels.share(), kernels.global());
            case Pattern.OfEach each -> WeightMasks.ofEach(graph, scores, each.stay(), each.of());
        };
    }

    /**
     * The network with weights zero that were smallest, and the others fitted to images.
     *
     * @param options of these, positions, ridge and threads count
     */
    public static Graph compensated(Graph graph, Pattern pattern, CalibrationImages images,
            ActivationMemory memory, LayerwiseReconstruction.Options options, Backend backend,
            LayerwiseReconstruction.Listener listener) {
        Map<String, boolean[]> masks = masks(graph, pattern);
        Graph masked = WeightMasks.apply(graph, masks);
        Map<String, LayerWeights> forms = new java.util.HashMap<>();
        Map<String, double[]> given = new java.util.HashMap<>();
        for (Node layer : WeightMasks.layers(graph)) {
            LayerWeights form = LayerWeights.of(graph.constants().get(layer.input(1)));
            forms.put(layer.name(), form);
            given.put(layer.name(), form.fromTensor(graph.constants().get(layer.input(1))));
        }
        return LayerwiseReconstruction.apply(graph, masked, images, memory, options, backend, (layer, fit, _) -> {
            LayerWeights form = forms.get(layer);
            boolean[] mask = new boolean[masks.get(layer).length];
            for (int i = 0; i < mask.length; i++) {
                mask[form.position(i)] = masks.get(layer)[i];
            }
            double[] wanted = LayerwiseReconstruction.ridge(fit, given.get(layer), options.ridge());
            return compensated(wanted, mask, fit);
        }, listener);
    }

    /** Weights with zeros under the mask, {@code outputs x size}. */
    static double[] compensated(double[] weights, boolean[] mask, RidgeRegression fit) {
        int size = fit.size();
        double[] factor =
                RidgeRegression.inverseFactor(fit.damped(Math.max(1e-12, DAMPING * fit.meanVariance())), size);
        double[] result = weights.clone();
        IntStream.range(0, weights.length / size).parallel().forEach(row -> {
            int at = row * size;
            for (int column = 0; column < size; column++) {
                if (!mask[at + column]) {
                    continue;
                }
                double error = result[at + column] / factor[column * size + column];
                result[at + column] = 0;
                for (int later = column + 1; error != 0 && later < size; later++) {
                    // A later one that goes as well passes on what it is given in its turn.
                    result[at + later] -= error * factor[column * size + later];
                }
            }
        });
        return result;
    }
}
