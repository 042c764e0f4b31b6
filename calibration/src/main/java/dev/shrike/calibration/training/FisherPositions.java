package dev.shrike.calibration.training;

import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.activations.Subgraphs;
import dev.shrike.calibration.linear.Products;
import dev.shrike.calibration.quantize.QuantizableLayers;
import dev.shrike.calibration.quantize.SampledPositions;
import dev.shrike.calibration.ranges.Histogram;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;

/**
 * Chooses and weighs positions by the sensitivity of the head of a network to an error there: most of an image is
 * background,
 * where much may go wrong before anything is detected.
 *
 * <p>An error e of what a layer gives changes the loss by about {@code e^T J^T C J e / 2}, J being the derivative of
 * the head's logits and C the diagonal curvature of their cross entropy (the Gauss-Newton matrix). The diagonal of
 * {@code J^T C J} is estimated as the square of the gradient of {@code z^T C^(1/2) head} for random signs z (Hutchinson
 * 1990; Fisher information as in BRECQ, Li et al. 2021), summed over the channels of a position.
 */
public final class FisherPositions implements SampledPositions.Choice {
    /** What a position counts whatever its Fisher information, as a share of the mean. */
    private static final double FLOOR = 0.2;
    /** Share of the positions that are drawn as if all counted alike. */
    private static final double EVEN = 0.5;

    /**
     * Sensitivity of the head to the channels of a layer on one image.
     *
     * @param squares of the gradients of each channel, summed over the positions
     * @param products of those of two channels, with a trace of 1
     */
    private record Sensitivity(float[] squares, float[] products) {}

    private final Map<String, SampledPositions[]> chosen = new HashMap<>();
    /** Sums of the squared gradients of each channel, by layer. */
    private final Map<String, double[]> importances = new HashMap<>();
    /** Sums of the products of the gradients of the channels, an image counting as much as the next, by layer. */
    private final Map<String, double[]> couplings = new HashMap<>();
    private final FisherSensitivity values;

    /**
     * The positions of a float network on images, which takes a pass of each image in both directions.
     *
     * @param prepared as the quantiser prepared it
     * @param images the same, with the same windows, that the layers are fitted to
     * @param most positions of each image for a layer
     * @param listener told of the images done
     * @throws UnsupportedModelException if an operation has no gradient here
     */
    public static FisherPositions measure(Graph prepared, CalibrationImages images, int most, int threads,
            IntConsumer listener) {
        List<Node> layers = QuantizableLayers.convolutions(prepared).nodes();
        Graph real = Subgraphs.resized(prepared, images.shape(), layers.stream().map(Node::output).toList());
        FisherPositions positions = new FisherPositions(new FisherSensitivity(real));
        positions.measure(real, layers, images, most, threads, listener);
        return positions;
    }

    private FisherPositions(FisherSensitivity values) {
        this.values = values;
    }

    private void measure(Graph real, List<Node> layers, CalibrationImages images, int most, int threads,
            IntConsumer listener) {
        Map<String, LayerParameters> parameters = TrainingNetwork.parameters(real);
        Set<String> read = new HashSet<>();
        real.nodes().forEach(node -> read.addAll(node.inputs()));
        List<String> heads = layers.stream().map(Node::output).filter(name -> !read.contains(name)).toList();
        for (Node layer : layers) {
            chosen.put(layer.name(), new SampledPositions[images.size()]);
        }
        new ImagePasses(real, parameters, threads).run(images,
                (network, image, pixels) -> measure(network, heads, layers, image, pixels, most), this::add, listener);
    }

    private Map<String, Sensitivity> measure(TrainingNetwork network, List<String> heads, List<Node> layers, int image,
            float[] pixels,
            int most) {
        SplittableRandom random = new SplittableRandom(image);
        network.forward(pixels);
        probe(network, heads, random);
        Map<String, Sensitivity> sensitivity = new HashMap<>();
        for (Node layer : layers) {
            Value value = network.value(layer.output());
            chosen.get(layer.name())[image] = choose(importance(sensitivities(value)), most, random);
            sensitivity.put(layer.name(), new Sensitivity(ofChannels(value), products(value)));
        }
        values.add(network);
        return sensitivity;
    }

    /** In the order of the images, so that sums do not depend on the number of threads. */
    private void add(Map<String, Sensitivity> image) {
        image.forEach((layer, sensitivity) -> {
            importances.merge(layer, floats(sensitivity.squares()), FisherPositions::sum);
            couplings.merge(layer, floats(sensitivity.products()), FisherPositions::sum);
        });
    }

    private static double[] floats(float[] values) {
        double[] floats = new double[values.length];
        Arrays.setAll(floats, i -> values[i]);
        return floats;
    }

    private static double[] sum(double[] sums, double[] more) {
        Arrays.setAll(sums, i -> sums[i] + more[i]);
        return sums;
    }

    /** The products of the gradients of the channels, summed over the positions, with a trace of 1. */
    private static float[] products(Value value) {
        int channels = value.channels;
        float[] products = new float[channels * channels];
        Products.addTransposedTimes(value.gradient, value.gradient, products, channels, channels, value.pixels());
        double trace = 0;
        for (int i = 0; i < channels; i++) {
            trace += products[i * channels + i];
        }
        for (int i = 0; i < products.length; i++) {
            products[i] = trace > 0 ? (float) (products[i] / trace) : 0;
        }
        return products;
    }

    /** The sum of the squared gradients of each channel. */
    private static float[] ofChannels(Value value) {
        double[] sums = new double[value.channels];
        for (int i = 0; i < value.gradient.length; i++) {
            sums[i % value.channels] += (double) value.gradient[i] * value.gradient[i];
        }
        float[] rounded = new float[sums.length];
        for (int i = 0; i < sums.length; i++) {
            rounded[i] = (float) sums[i];
        }
        return rounded;
    }

    /** Leads a random probe of the heads back to all values, after the network ran forwards. */
    static void probe(TrainingNetwork network, List<String> heads, SplittableRandom random) {
        network.clearValues();
        double objects = DistillationLoss.objects(network, heads);
        heads.forEach(head -> DistillationLoss.probe(network.value(head), objects, random));
        network.backward();
    }

    /** The sum of the squared gradients of each position. */
    static double[] sensitivities(Value value) {
        double[] sums = new double[value.pixels()];
        for (int i = 0; i < value.gradient.length; i++) {
            sums[i / value.channels] += (double) value.gradient[i] * value.gradient[i];
        }
        return sums;
    }

    /** What each position counts, 1 in the mean. */
    private static double[] importance(double[] sensitivities) {
        double mean = Arrays.stream(sensitivities).average().orElse(0);
        return Arrays.stream(sensitivities).map(own -> FLOOR + (1 - FLOOR) * (mean > 0 ? own / mean : 1)).toArray();
    }

    /** Positions drawn systematically, in proportion to a mixture of what they count and of 1; weights undo that. */
    static SampledPositions choose(double[] importance, int most, SplittableRandom random) {
        int count = Math.min(most, importance.length);
        int[] indices = new int[count];
        float[] weights = new float[count];
        if (count == importance.length) {
            for (int i = 0; i < count; i++) {
                indices[i] = i;
                weights[i] = (float) importance[i];
            }
            return new SampledPositions(indices, weights);
        }
        double step = (double) importance.length / count;
        double next = random.nextDouble() * step;
        double sum = 0;
        int drawn = 0;
        for (int position = 0; position < importance.length; position++) {
            double chance = EVEN + (1 - EVEN) * importance[position];
            sum += chance;
            while (drawn < count && next < sum) {
                indices[drawn] = position;
                weights[drawn++] = (float) (importance[position] / chance);
                next += step;
            }
        }
        return new SampledPositions(Arrays.copyOf(indices, drawn), Arrays.copyOf(weights, drawn));
    }

    @Override
    public Optional<Histogram> weighted(String value) {
        return values.of(value);
    }

    @Override
    public double[] importance(String layer) {
        return importances.getOrDefault(layer, new double[0]).clone();
    }

    @Override
    public double[] coupling(String layer) {
        return couplings.getOrDefault(layer, new double[0]);
    }

    @Override
    public SampledPositions of(String layer, int image, int count, int most) {
        if (!chosen.containsKey(layer)) {
            throw new IllegalArgumentException("the layer '" + layer + "' was not measured");
        }
        return chosen.get(layer)[image];
    }
}
