package dev.shrike.calibration.training;

import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.activations.Subgraphs;
import dev.shrike.calibration.linear.Products;
import dev.shrike.calibration.quantize.QuantizableLayers;
import dev.shrike.calibration.quantize.SoleReaders;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.graph.passes.UnfuseConvolutions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.IntConsumer;

/**
 * What the channels of layers are on images, behind the activation that follows a layer, and what the loss of the
 * network would change without them.
 *
 * <p>Replacing channel c by its mean changes a loss by about {@code d^T H d / 2} with {@code d = mean - c} and the
 * Gauss-Newton matrix H. That is estimated as {@code (g^T d)^2 / 2} with the gradient g of a random probe of the heads
 * whose covariance is the curvature of their cross entropy (Hutchinson 1990; Fisher pruning of whole feature maps:
 * Theis et al. 2018; Molchanov et al. 2019).
 */
public final class ChannelSensitivity {
    private final Map<String, Channels> layers = new LinkedHashMap<>();
    private final List<Double> scores = new ArrayList<>();

    /** Channels of one layer, summed up over images. */
    public static final class Channels {
        private final int count;
        private final double[] sums;
        private final double[] products;
        private final List<double[]> weighted = new ArrayList<>();
        private final List<double[]> gradients = new ArrayList<>();
        private final List<double[]> images = new ArrayList<>();
        private final double[] ranks;
        private double positions;

        private Channels(int count) {
            this.count = count;
            this.sums = new double[count];
            this.products = new double[count * count];
            this.ranks = new double[count];
        }

        /** Number of channels. */
        public int count() {
            return count;
        }

        /** The mean of each channel over all positions of all images. */
        public double[] means() {
            double[] means = new double[count];
            for (int i = 0; i < count; i++) {
                means[i] = sums[i] / positions;
            }
            return means;
        }

        /** The mean of each channel on each image, {@code [image][channel]}. */
        public double[][] imageMeans() {
            return images.toArray(double[][]::new);
        }

        /** The rank of each channel's feature map as a matrix, its mean over images (HRank, Lin et al. 2020). */
        public double[] ranks() {
            double[] means = new double[count];
            for (int i = 0; i < count; i++) {
                means[i] = ranks[i] / images.size();
            }
            return means;
        }

        /** The covariance of the channels over all positions of all images, {@code count x count}. */
        public double[] covariance() {
            double[] means = means();
            double[] covariance = new double[count * count];
            for (int i = 0; i < covariance.length; i++) {
                covariance[i] = products[i] / positions - means[i / count] * means[i % count];
            }
            return covariance;
        }

        /** What each probe of each image changes if a channel becomes its mean, {@code [probe][channel]}. */
        public double[][] effects() {
            double[] means = means();
            double[][] effects = new double[weighted.size()][count];
            for (int p = 0; p < effects.length; p++) {
                for (int i = 0; i < count; i++) {
                    effects[p][i] = weighted.get(p)[i] - means[i] * gradients.get(p)[i];
                }
            }
            return effects;
        }
    }

    private record Image(Map<String, float[]> products, Map<String, double[]> sums, Map<String, double[]> ranks,
            double score, List<Map<String, double[]>> weighted, List<Map<String, double[]>> gradients) {}

    private record Shown(String layer, String value) {}

    /**
     * The sensitivity of a float network on images, which takes a pass of each image in both directions.
     *
     * @param graph with known shapes; names of layers are those of its convolutions
     * @param probes of each image
     * @param ranks whether ranks of feature maps are wanted, which takes time
     * @param threads worker threads; 0 takes one per processor
     * @param listener told of the images done
     * @throws UnsupportedModelException if an operation has no gradient here
     */
    public static ChannelSensitivity measure(Graph graph, CalibrationImages images, int probes, boolean ranks,
            int threads, IntConsumer listener) {
        ChannelSensitivity sensitivity = new ChannelSensitivity();
        sensitivity.run(graph, images, probes, ranks, threads, listener);
        return sensitivity;
    }

    private ChannelSensitivity() {}

    private void run(Graph graph, CalibrationImages images, int probes, boolean ranks, int threads,
            IntConsumer listener) {
        Graph prepared = new UnfuseConvolutions().apply(GraphPasses.forInference(graph, Map.of()));
        List<Node> convolutions = QuantizableLayers.convolutions(prepared).nodes();
        Graph real = Subgraphs.resized(prepared, images.shape(), convolutions.stream().map(Node::output).toList());
        Map<String, LayerParameters> parameters = TrainingNetwork.parameters(real);
        Map<String, Node> readers = SoleReaders.of(real);
        Set<String> read = new HashSet<>();
        real.nodes().forEach(node -> read.addAll(node.inputs()));
        List<String> heads = convolutions.stream().map(Node::output).filter(name -> !read.contains(name)).toList();
        List<Shown> shown = new ArrayList<>();
        for (Node layer : convolutions) {
            Node reader = readers.get(layer.output());
            shown.add(new Shown(layer.name(),
                    reader != null && reader.op() instanceof Op.Unary ? reader.output() : layer.output()));
        }
        ImagePasses passes = new ImagePasses(real, parameters, threads);
        passes.run(images, (network, image, pixels) -> measure(network, heads, shown, image, probes, ranks, pixels),
                image -> add(image, passes.network(), shown), listener);
    }

    /** The channels of each convolution by name, in the order of the graph. */
    public Map<String, Channels> layers() {
        return java.util.Collections.unmodifiableMap(layers);
    }

    /** The sum of the objectness of all candidates on each image; 0 where the heads are not YOLOv5's. */
    public double[] scores() {
        return scores.stream().mapToDouble(Double::doubleValue).toArray();
    }

    private static Image measure(TrainingNetwork network, List<String> heads, List<Shown> shown, int image,
            int probes, boolean wantsRanks, float[] pixels) {
        SplittableRandom random = new SplittableRandom(image);
        network.forward(pixels);
        Map<String, float[]> products = new HashMap<>();
        Map<String, double[]> sums = new HashMap<>();
        Map<String, double[]> ranks = new HashMap<>();
        for (Shown own : shown) {
            Value value = network.value(own.value());
            float[] gram = new float[value.channels * value.channels];
            Products.addTransposedTimes(value.exact, value.exact, gram, value.channels, value.channels,
                    value.pixels());
            products.put(own.layer(), gram);
            ranks.put(own.layer(), wantsRanks ? MatrixRank.ofChannels(value.exact, value.height, value.width,
                    value.channels) : new double[value.channels]);
            sums.put(own.layer(), summed(value.exact, null, value.channels));
        }
        double score = DistillationLoss.objects(network, heads);
        List<Map<String, double[]>> weighted = new ArrayList<>();
        List<Map<String, double[]>> gradients = new ArrayList<>();
        for (int probe = 0; probe < probes; probe++) {
            FisherPositions.probe(network, heads, random);
            Map<String, double[]> w = new HashMap<>();
            Map<String, double[]> g = new HashMap<>();
            for (Shown own : shown) {
                Value value = network.value(own.value());
                w.put(own.layer(), summed(value.exact, value.gradient, value.channels));
                g.put(own.layer(), summed(value.gradient, null, value.channels));
            }
            weighted.add(w);
            gradients.add(g);
        }
        return new Image(products, sums, ranks, score, weighted, gradients);
    }

    /** Sums over positions of each channel, of products if there is a second array. */
    private static double[] summed(float[] a, float[] b, int channels) {
        double[] sums = new double[channels];
        for (int i = 0; i < a.length; i += channels) {
            for (int c = 0; c < channels; c++) {
                sums[c] += b == null ? a[i + c] : (double) a[i + c] * b[i + c];
            }
        }
        return sums;
    }

    /** In the order of the images, so that sums do not depend on the number of threads. */
    private void add(Image image, TrainingNetwork network, List<Shown> shown) {
        scores.add(image.score());
        for (Shown own : shown) {
            Value value = network.value(own.value());
            Channels channels = layers.computeIfAbsent(own.layer(), _ -> new Channels(value.channels));
            channels.positions += value.pixels();
            float[] products = image.products().get(own.layer());
            for (int i = 0; i < products.length; i++) {
                channels.products[i] += products[i];
            }
            double[] sums = image.sums().get(own.layer());
            double[] ranks = image.ranks().get(own.layer());
            double[] means = new double[sums.length];
            for (int i = 0; i < sums.length; i++) {
                channels.sums[i] += sums[i];
                channels.ranks[i] += ranks[i];
                means[i] = sums[i] / value.pixels();
            }
            channels.images.add(means);
            image.weighted().forEach(w -> channels.weighted.add(w.get(own.layer())));
            image.gradients().forEach(g -> channels.gradients.add(g.get(own.layer())));
        }
    }
}
