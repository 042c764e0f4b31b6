package dev.shrike.calibration.prune;

import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.activations.Elements;
import dev.shrike.calibration.activations.Subgraphs;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.spi.Backend;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How far the heads of other networks are from those of a network on some images: the Kullback-Leibler divergence of
 * the probabilities that their results stand for as logits, the mean over all results. It needs no labels. A head is a
 * convolution that no other one follows.
 */
public final class HeadDivergence {
    private final Backend backend;
    private final int threads;
    private final Shape shape;
    private final List<String> heads;
    private final List<float[]> images = new ArrayList<>();
    private final List<Map<String, float[]>> expected = new ArrayList<>();

    /**
     * The divergence from a network, which runs on the images.
     *
     * @param graph float, with known shapes
     * @param threads worker threads; 0 takes one per processor
     * @throws UnsupportedModelException if there is no convolution
     */
    public static HeadDivergence from(Graph graph, CalibrationImages images, Backend backend, int threads) {
        List<String> heads = heads(graph);
        if (heads.isEmpty()) {
            throw new UnsupportedModelException("has no convolution whose results could judge a plan; search 'uniform'"
                    + " or 'saliency' instead");
        }
        HeadDivergence divergence = new HeadDivergence(images.shape(), heads, backend, threads);
        divergence.expect(graph, images);
        return divergence;
    }

    private HeadDivergence(Shape shape, List<String> heads, Backend backend, int threads) {
        this.backend = backend;
        this.threads = threads;
        this.shape = shape;
        this.heads = heads;
    }

    private void expect(Graph graph, CalibrationImages given) {
        try (GraphExecutor executor = open(graph)) {
            for (int i = 0; i < given.size(); i++) {
                float[] pixels = new float[Math.toIntExact(shape.elements())];
                given.read(i, pixels);
                images.add(pixels);
                expected.add(run(executor, pixels));
            }
        }
    }

    private static List<String> heads(Graph graph) {
        List<String> convolutions = graph.nodes().stream().filter(node -> node.op() instanceof Op.Conv
                && graph.constants().containsKey(node.input(1))).map(Node::output).toList();
        Set<String> read = new HashSet<>();
        Subgraphs.needed(graph, convolutions).forEach(node -> read.addAll(node.inputs()));
        return convolutions.stream().filter(name -> !read.contains(name)).toList();
    }

    /**
     * Nats of a result of the heads, 0 if they are equal.
     *
     * @param other a network whose heads have the names and sizes of the first one's
     */
    public double of(Graph other) {
        double sum = 0;
        long count = 0;
        try (GraphExecutor executor = open(other)) {
            for (int i = 0; i < images.size(); i++) {
                Map<String, float[]> actual = run(executor, images.get(i));
                for (Map.Entry<String, float[]> head : expected.get(i).entrySet()) {
                    float[] own = actual.get(head.getKey());
                    for (int j = 0; j < own.length; j++) {
                        sum += divergence(head.getValue()[j], own[j]);
                    }
                    count += own.length;
                }
            }
        }
        double mean = sum / count;
        return Double.isNaN(mean) ? Double.POSITIVE_INFINITY : mean;
    }

    /** The divergence of two Bernoulli distributions given by their logits. */
    static double divergence(double expected, double actual) {
        double p = 1 / (1 + Math.exp(-expected));
        return Math.max(0, p * (softplus(-actual) - softplus(-expected))
                + (1 - p) * (softplus(actual) - softplus(expected)));
    }

    private static double softplus(double x) {
        return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
    }

    private GraphExecutor open(Graph graph) {
        return backend.open(GraphPasses.forInference(Subgraphs.resized(graph, shape, heads), Map.of()),
                ExecutorOptions.DEFAULT.withThreads(threads));
    }

    private static Map<String, float[]> run(GraphExecutor executor, float[] pixels) {
        Elements.write(pixels, executor.inputs().getFirst());
        executor.run();
        return Elements.all(executor.outputs());
    }
}
