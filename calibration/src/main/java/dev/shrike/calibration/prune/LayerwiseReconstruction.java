package dev.shrike.calibration.prune;

import dev.shrike.calibration.activations.ActivationMemory;
import dev.shrike.calibration.activations.ActivationStore;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.activations.Elements;
import dev.shrike.calibration.activations.Im2col;
import dev.shrike.calibration.activations.Stage;
import dev.shrike.calibration.activations.Subgraphs;
import dev.shrike.calibration.linear.BlasThreads;
import dev.shrike.calibration.linear.GramMatrix;
import dev.shrike.calibration.linear.RidgeRegression;
import dev.shrike.calibration.prune.channels.Normalizations;
import dev.shrike.calibration.prune.channels.TensorSlices;
import dev.shrike.calibration.quantize.LayerWeights;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * Fits the layers of a pruned network one after another so that each gives, from what the pruned layers before it make
 * of some images, what the original network gives there (He, Zhang and Sun 2017, "Channel Pruning", with the
 * asymmetric target of Zhang et al. 2015). No labels are needed.
 *
 * <p>Every part of both networks runs once for every image; what later parts need is kept and forgotten as soon as
 * nobody needs it.
 */
public final class LayerwiseReconstruction {
    private final Graph original;
    private final Graph pruned;
    private final Map<String, int[]> kept;
    private final Options options;
    private final Backend backend;
    /** Null where weights stay as they are. */
    private final WeightFit weightFit;
    private final Map<String, Tensor> constants;
    private final Map<String, List<String>> inputs = new HashMap<>();
    private final Map<String, Node> norms;
    private float[] buffer = new float[0];
    private float[] second = new float[0];

    /**
     * How to fit.
     *
     * @param positions of each image that a layer is fitted at
     * @param ridge how much is added to the diagonal of the Gram matrix, in mean variances of what the layer reads: it
     *     holds weights near the given ones
     * @param statistics whether mean and deviation of each channel become those of the original afterwards (EagleEye's
     *     adaptive batch normalisation, Li et al. 2020)
     * @param weights whether weights are fitted; else statistics alone
     * @param threads worker threads; 0 takes one per processor
     */
    public record Options(int positions, double ridge, boolean statistics, boolean weights, int threads) {
        /** What serves most networks. */
        public static final Options DEFAULT = new Options(128, 0.01, false, true, 0);
    }

    /** Finds the weights of a layer. */
    @FunctionalInterface
    interface WeightFit {
        /**
         * Weights, {@code outputs x size}, in the order of {@link LayerWeights}.
         *
         * @param layer name of the node
         * @param fit moments of what the layer reads and of what it is to give
         * @param prior the weights so far; may be overwritten
         */
        double[] weights(String layer, RidgeRegression fit, double[] prior);
    }

    /** Told of progress. */
    @FunctionalInterface
    public interface Listener {
        /** Layer {@code done} of {@code total} begins. */
        void layer(String name, int done, int total);
    }

    private LayerwiseReconstruction(Graph original, Graph pruned, Map<String, int[]> kept, Options options,
            Backend backend, WeightFit weightFit) {
        this.weightFit = weightFit;
        this.original = original;
        this.pruned = pruned;
        this.kept = kept;
        this.options = options;
        this.backend = backend;
        this.constants = new HashMap<>(pruned.constants());
        this.norms = Normalizations.of(pruned);
    }

    /**
     * The fitted network.
     *
     * @param original what it is to give
     * @param pruned the network to fit: layers have the names that they have in the original
     * @param kept the channels of the original that each layer still has, by name; a layer that is not named has all
     * @param images to fit on
     */
    public static Graph apply(Graph original, Graph pruned, Map<String, int[]> kept, CalibrationImages images,
            ActivationMemory memory, Options options, Backend backend, Listener listener) {
        return new LayerwiseReconstruction(original, pruned, kept, options, backend,
                options.weights() ? (_, fit, prior) -> ridge(fit, prior, options.ridge()) : null)
                .run(images, memory, listener);
    }

    /** As {@link #apply}, for a network with all channels whose weights are found in another way. */
    static Graph apply(Graph original, Graph pruned, CalibrationImages images, ActivationMemory memory,
            Options options, Backend backend, WeightFit weightFit, Listener listener) {
        return new LayerwiseReconstruction(original, pruned, Map.of(), options, backend, weightFit)
                .run(images, memory, listener);
    }

    /** Least squares with the prior weights as a ridge. */
    static double[] ridge(RidgeRegression fit, double[] prior, double ridge) {
        return fit.weights(Math.max(1e-12, ridge * fit.meanVariance()), prior);
    }

    private Graph run(CalibrationImages images, ActivationMemory memory, Listener listener) {
        Set<String> layers = layers();
        Graph wholes = cropped(original, images.shape(), layers);
        Graph parts = cropped(pruned, images.shape(), layers);
        Map<String, ValueInfo> wholeInfos = ShapeInference.infer(wholes);
        Map<String, ValueInfo> partInfos = ShapeInference.infer(parts);
        List<Stage> wholeStages = Stage.of(wholes, layers);
        List<Stage> partStages = Stage.of(parts, layers);
        try (BlasThreads _ = BlasThreads.use(options.threads());
                ActivationStore targets = new ActivationStore(images.size(), memory);
                ActivationStore given = new ActivationStore(images.size(), memory)) {
            ValueInfo input = wholes.inputs().getFirst();
            for (int i = 0; i < images.size(); i++) {
                int count = Math.toIntExact(input.shape().elements());
                images.read(i, buffer(count));
                targets.put(input.name(), i, buffer, count, null);
                given.put(input.name(), i, buffer, count, null);
            }
            for (int i = 0; i < wholeStages.size(); i++) {
                Stage whole = wholeStages.get(i);
                Stage part = partStages.get(i);
                listener.layer(whole.layer() == null ? "" : whole.layer().name(), i, wholeStages.size());
                stage(wholes, wholeInfos, whole, parts, partInfos, part, targets, given);
                free(wholeStages, i, targets);
                free(partStages, i, given);
            }
        }
        return assembled(pruned);
    }

    private static void free(List<Stage> stages, int done, ActivationStore store) {
        for (String name : stages.get(done).inputs()) {
            if (stages.stream().skip(done + 1L).noneMatch(later -> later.inputs().contains(name))) {
                store.free(name);
            }
        }
    }

    /** Convolutions that both networks have, with constant weights. */
    private Set<String> layers() {
        Set<String> names = new LinkedHashSet<>();
        for (Node node : pruned.nodes()) {
            if (node.op() instanceof Op.Conv && pruned.constants().containsKey(node.input(1))) {
                names.add(node.name());
            }
        }
        return names;
    }

    private static Graph cropped(Graph graph, Shape shape, Set<String> layers) {
        return Subgraphs.resized(graph, shape,
                graph.nodes().stream().filter(node -> layers.contains(node.name())).map(Node::output).toList());
    }

    private void stage(Graph wholes, Map<String, ValueInfo> wholeInfos, Stage whole, Graph parts,
            Map<String, ValueInfo> partInfos, Stage part, ActivationStore targets, ActivationStore given) {
        Node layer = part.layer();
        Set<String> more = layer == null ? Set.of() : Set.of(layer.output());
        try (GraphExecutor executor = open(whole.graph(wholes, wholeInfos, more));
                LayerSums sums = layer == null ? null : new LayerSums(layer, partInfos)) {
            for (int i = 0; i < targets.images(); i++) {
                load(executor, targets, i);
                executor.run();
                for (Binding output : executor.outputs()) {
                    Elements.read(output, buffer(output.elements()));
                    if (sums != null && output.name().equals(layer.output())) {
                        given.get(layer.input(0), i, second(given.elements(layer.input(0))));
                        sums.add(i, output.dims().get(1));
                    }
                    if (whole.results().contains(output.name())) {
                        targets.put(output.name(), i, buffer, output.elements(), null);
                    }
                }
            }
            if (sums != null) {
                fit(layer, sums);
            }
        }
        if (part.results().isEmpty()) {
            return;
        }
        try (GraphExecutor executor = open(assembled(part.graph(parts, partInfos, Set.of())))) {
            for (int i = 0; i < given.images(); i++) {
                load(executor, given, i);
                executor.run();
                for (Binding output : executor.outputs()) {
                    Elements.read(output, buffer(output.elements()));
                    given.put(output.name(), i, buffer, output.elements(), null);
                }
            }
        }
    }

    private GraphExecutor open(Graph stage) {
        return backend.open(GraphPasses.forInference(stage, Map.of()),
                ExecutorOptions.DEFAULT.withThreads(options.threads()));
    }

    private void load(GraphExecutor executor, ActivationStore store, int image) {
        for (Binding input : executor.inputs()) {
            store.get(input.name(), image, buffer(input.elements()));
            Elements.write(buffer, input);
        }
    }

    /** Pairs of what a layer of the pruned network reads and what it is to give. */
    private final class LayerSums implements AutoCloseable {
        private final Im2col windows;
        private final int positions;
        private final int outputs;
        private final int[] channels;
        /** Null where statistics are fitted alone, which do without a Gram matrix. */
        private final GramMatrix moments;
        private final double[] prior;
        private final float[] row;
        private final float[] wanted;
        private final double[] sum;
        private final double[] squares;
        private final double[] sumGiven;
        private final double[] squaresGiven;
        private long count;

        LayerSums(Node layer, Map<String, ValueInfo> infos) {
            Shape in = infos.get(layer.input(0)).shape();
            Shape out = infos.get(layer.output()).shape();
            Op.Conv conv = (Op.Conv) layer.op();
            boolean plain = conv.group() == 1 && out.rank() == 4;
            windows = plain ? new Im2col(conv.window(), (int) in.dim(2), (int) in.dim(3), (int) in.dim(1),
                    (int) out.dim(3)) : null;
            positions = (int) (out.elements() / out.dim(1));
            outputs = (int) out.dim(1);
            channels = kept.get(layer.name());
            moments = plain && weightFit != null ? new GramMatrix(windows.size(), outputs) : null;
            Tensor given = pruned.constants().get(layer.input(1));
            prior = plain && weightFit == null ? LayerWeights.of(given).fromTensor(given) : new double[0];
            row = new float[plain ? windows.size() : 0];
            wanted = new float[outputs];
            sum = new double[outputs];
            squares = new double[outputs];
            sumGiven = new double[outputs];
            squaresGiven = new double[outputs];
        }

        /** Adds an image: {@code second} is read, {@code buffer} is to be given, channels together. */
        void add(int image, int all) {
            if (windows == null) {
                return;
            }
            SplittableRandom random = new SplittableRandom(image);
            int most = Math.min(options.positions(), positions);
            for (int i = 0; i < most; i++) {
                int from = (int) ((long) i * positions / most);
                int to = (int) ((long) (i + 1) * positions / most);
                int position = from + random.nextInt(to - from);
                windows.gather(second, position, row, 0);
                for (int channel = 0; channel < outputs; channel++) {
                    float y = buffer[position * all + (channels == null ? channel : channels[channel])];
                    wanted[channel] = y;
                    sum[channel] += y;
                    squares[channel] += (double) y * y;
                }
                if (moments != null) {
                    moments.add(row, 0, wanted, 0, 1);
                } else {
                    addGiven();
                }
                count++;
            }
        }

        private void addGiven() {
            for (int channel = 0; channel < outputs; channel++) {
                double y = 0;
                for (int i = 0; i < row.length; i++) {
                    y += prior[channel * row.length + i] * row[i];
                }
                sumGiven[channel] += y;
                squaresGiven[channel] += y * y;
            }
        }

        /** The standard deviation of each wanted channel. */
        double[] deviations() {
            return deviations(sum, squares);
        }

        private double[] deviations(double[] sums, double[] squareSums) {
            double[] deviations = new double[outputs];
            for (int i = 0; i < outputs; i++) {
                double mean = sums[i] / count;
                deviations[i] = Math.sqrt(Math.max(0, squareSums[i] / count - mean * mean));
            }
            return deviations;
        }

        /** Scales the given weights so that results deviate as wanted, and gives the offsets for the wanted means. */
        double[] normalize(double[] weights) {
            double[] own = deviations(sumGiven, squaresGiven);
            double[] aim = deviations();
            double[] offsets = new double[outputs];
            for (int channel = 0; channel < outputs; channel++) {
                double factor = options.statistics() && own[channel] > 0 ? aim[channel] / own[channel] : 1;
                for (int i = 0; i < row.length; i++) {
                    weights[channel * row.length + i] *= factor;
                }
                offsets[channel] = (sum[channel] - factor * sumGiven[channel]) / count;
            }
            return offsets;
        }

        @Override
        public void close() {
            if (moments != null) {
                moments.close();
            }
        }
    }

    private void fit(Node layer, LayerSums sums) {
        if (sums.windows == null) {
            return;
        }
        Tensor given = pruned.constants().get(layer.input(1));
        LayerWeights form = LayerWeights.of(given);
        double[] weights = form.fromTensor(given);
        double[] offsets;
        if (sums.moments == null) {
            offsets = sums.normalize(weights);
        } else {
            RidgeRegression fit = sums.moments.fit();
            weights = weightFit.weights(layer.name(), fit, weights);
            if (options.statistics()) {
                scale(fit, weights, sums.deviations());
            }
            offsets = fit.offsets(weights);
        }
        String name = layer.name() + ".weights.fitted";
        String bias = layer.name() + ".bias.fitted";
        constants.put(name, form.toTensor(weights));
        Node norm = norms.get(layer.name());
        if (norm != null) {
            Node shifted = Normalizations.shifted(norm, offsets, norm.name() + ".mean.fitted", constants);
            inputs.put(norm.name(), shifted.inputs());
            inputs.put(layer.name(), List.of(layer.input(0), name));
            return;
        }
        constants.put(bias, TensorSlices.vector(offsets));
        inputs.put(layer.name(), List.of(layer.input(0), name, bias));
    }

    /** Scales rows so that results deviate from their means as much as what is wanted. */
    private static void scale(RidgeRegression fit, double[] weights, double[] wanted) {
        int size = fit.size();
        for (int row = 0; row < wanted.length; row++) {
            double variance = 0;
            for (int i = 0; i < size; i++) {
                double product = 0;
                for (int j = 0; j < size; j++) {
                    product += fit.covariance()[i * size + j] * weights[row * size + j];
                }
                variance += weights[row * size + i] * product;
            }
            double factor = variance > 0 ? wanted[row] / Math.sqrt(variance) : 1;
            for (int i = 0; i < size; i++) {
                weights[row * size + i] *= factor;
            }
        }
    }

    /** The graph with what is fitted by now. */
    private Graph assembled(Graph part) {
        List<Node> nodes = new ArrayList<>();
        Set<String> names = new LinkedHashSet<>();
        for (Node node : part.nodes()) {
            Node fitted = inputs.containsKey(node.name()) ? node.withInputs(inputs.get(node.name())) : node;
            nodes.add(fitted);
            names.addAll(fitted.inputs());
        }
        Map<String, Tensor> used = new HashMap<>(constants);
        used.keySet().retainAll(names);
        return part.withNodes(nodes, used);
    }

    private float[] buffer(int size) {
        buffer = buffer.length < size ? new float[size] : buffer;
        return buffer;
    }

    private float[] second(int size) {
        second = second.length < size ? new float[size] : second;
        return second;
    }
}
