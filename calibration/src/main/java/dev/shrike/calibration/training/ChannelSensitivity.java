package dev.shrike.calibration.training;

import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.activations.CalibrationPictures;
import dev.shrike.calibration.activations.Subgraphs;
import dev.shrike.calibration.linear.Moments;
import dev.shrike.calibration.linear.Products;
import dev.shrike.calibration.quantize.CodedValues;
import dev.shrike.calibration.quantize.SoleReaders;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPasses;
import dev.shrike.graph.MinMaxQuantizer;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;

/**
 * What the channels of layers are on pictures, behind the activation that follows a layer, and what the loss of the
 * network would change without them.
 *
 * <p>Replacing channel c by its mean changes a loss by about {@code d^T H d / 2} with {@code d = mean - c} and the
 * Gauss-Newton matrix H. That is estimated as {@code (g^T d)^2 / 2} with the gradient g of a random probe of the heads
 * whose covariance is the curvature of their cross entropy (Hutchinson 1990; Fisher pruning of whole feature maps:
 * Theis et al. 2018; Molchanov et al. 2019).
 */
public final class ChannelSensitivity {
    private final Map<String, Channels> layers = new LinkedHashMap<>();

    /** Channels of one layer, summed up over pictures. */
    public static final class Channels {
        private final int count;
        private final double[] sums;
        private final double[] products;
        private final List<double[]> weighted = new ArrayList<>();
        private final List<double[]> gradients = new ArrayList<>();
        private double positions;

        private Channels(int count) {
            this.count = count;
            this.sums = new double[count];
            this.products = new double[count * count];
        }

        /** Number of channels. */
        public int count() {
            return count;
        }

        /** The mean of each channel over all positions of all pictures. */
        public double[] means() {
            double[] means = new double[count];
            for (int i = 0; i < count; i++) {
                means[i] = sums[i] / positions;
            }
            return means;
        }

        /** The covariance of the channels over all positions of all pictures, {@code count x count}. */
        public double[] covariance() {
            double[] means = means();
            double[] covariance = new double[count * count];
            for (int i = 0; i < covariance.length; i++) {
                covariance[i] = products[i] / positions - means[i / count] * means[i % count];
            }
            return covariance;
        }

        /** What each probe of each picture changes if a channel becomes its mean, {@code [probe][channel]}. */
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

    private record Picture(Map<String, float[]> products, Map<String, double[]> sums, List<Map<String, double[]>> weighted,
            List<Map<String, double[]>> gradients) {}

    private record Shown(String layer, String value) {}

    /**
     * Measures a float network on pictures.
     *
     * @param graph with known shapes; names of layers are those of its convolutions
     * @param probes of each picture
     * @param threads worker threads; 0 takes one per processor
     * @param listener told of the pictures done
     * @throws UnsupportedModelException if an operation has no gradient here
     */
    public ChannelSensitivity(Graph graph, CalibrationPictures pictures, int probes, int threads,
            IntConsumer listener) {
        Graph prepared = MinMaxQuantizer.prepare(GraphPasses.forInference(graph, Map.of()));
        List<Node> convolutions = CodedValues.layers(prepared);
        Graph real = Subgraphs.resized(prepared, pictures.shape(), convolutions.stream().map(Node::output).toList());
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
        int count = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
        Moments.useThreads(1);
        try (ExecutorService pool = Executors.newFixedThreadPool(count)) {
            List<TrainingNetwork> networks = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                networks.add(new TrainingNetwork(real, parameters, Map.of(), TrainingNetwork.Gradients.VALUES));
            }
            Deque<Future<Picture>> running = new ArrayDeque<>();
            for (int i = 0; i < pictures.size(); i++) {
                int picture = i;
                float[] pixels = new float[(int) pictures.shape().elements()];
                pictures.read(i, pixels);
                TrainingNetwork network = networks.get(i % count);
                if (i >= count) {
                    add(WindowReader.await(running.remove()), network, shown);
                }
                running.add(pool.submit(() -> measure(network, heads, shown, picture, probes, pixels)));
                listener.accept(i + 1);
            }
            running.forEach(future -> add(WindowReader.await(future), networks.getFirst(), shown));
        } finally {
            Moments.useThreads(threads);
        }
    }

    /** The channels of each convolution by name, in the order of the graph. */
    public Map<String, Channels> layers() {
        return java.util.Collections.unmodifiableMap(layers);
    }

    private static Picture measure(TrainingNetwork network, List<String> heads, List<Shown> shown, int picture,
            int probes, float[] pixels) {
        SplittableRandom random = new SplittableRandom(picture);
        network.forward(pixels);
        Map<String, float[]> products = new HashMap<>();
        Map<String, double[]> sums = new HashMap<>();
        for (Shown own : shown) {
            Value value = network.value(own.value());
            float[] own2 = new float[value.channels * value.channels];
            Products.addTransposedTimes(value.exact, value.exact, own2, value.channels, value.channels,
                    value.pixels());
            products.put(own.layer(), own2);
            sums.put(own.layer(), summed(value.exact, null, value.channels));
        }
        List<Map<String, double[]>> weighted = new ArrayList<>();
        List<Map<String, double[]>> gradients = new ArrayList<>();
        for (int probe = 0; probe < probes; probe++) {
            SensitivePlaces.probe(network, heads, random);
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
        return new Picture(products, sums, weighted, gradients);
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

    /** In the order of the pictures, so that sums do not depend on the number of threads. */
    private void add(Picture picture, TrainingNetwork network, List<Shown> shown) {
        for (Shown own : shown) {
            Value value = network.value(own.value());
            Channels channels = layers.computeIfAbsent(own.layer(), _ -> new Channels(value.channels));
            channels.positions += value.pixels();
            float[] products = picture.products().get(own.layer());
            for (int i = 0; i < products.length; i++) {
                channels.products[i] += products[i];
            }
            double[] sums = picture.sums().get(own.layer());
            for (int i = 0; i < sums.length; i++) {
                channels.sums[i] += sums[i];
            }
            picture.weighted().forEach(w -> channels.weighted.add(w.get(own.layer())));
            picture.gradients().forEach(g -> channels.gradients.add(g.get(own.layer())));
        }
    }
}
