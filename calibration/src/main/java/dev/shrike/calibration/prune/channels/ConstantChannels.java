package dev.shrike.calibration.prune.channels;

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
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What layers read from channels that are to be removed, taken as a constant for each channel, and what that adds to
 * their results. So the shift of a removed channel's batch normalisation goes, through the activation and whatever lies
 * between, into the bias of the next layers (Ye et al. 2018). It is exact where the channel is constant and the layer
 * does not pad; where it pads, the border of the image is not.
 */
public final class ConstantChannels {
    private ConstantChannels() {}

    /** The layers that sum over channels of what they read, in the order of the graph, if some of these are removed. */
    public static List<Node> readers(ChannelDependencies dependencies, Set<Integer> units) {
        List<Node> readers = new ArrayList<>();
        for (Node node : dependencies.graph().nodes()) {
            int[] read = read(dependencies, node);
            if (read != null && Arrays.stream(read).anyMatch(units::contains)) {
                readers.add(node);
            }
        }
        return readers;
    }

    /** Units of the channels that a layer sums over, by position in what it reads, or null. */
    public static int[] read(ChannelDependencies dependencies, Node node) {
        Graph graph = dependencies.graph();
        return switch (node.op()) {
            case Op.Conv conv when graph.constants().containsKey(node.input(1)) -> {
                int[] units = dependencies.units(node.input(0), 1);
                yield units != null && conv.group() == units.length && conv.group() > 1 ? null : units;
            }
            case Op.Gemm gemm when graph.constants().containsKey(node.input(1)) ->
                dependencies.units(node.input(0), gemm.transA() ? 0 : 1);
            case Op.MatMul _ when graph.constants().containsKey(node.input(1)) ->
                dependencies.units(node.input(0), -1);
            default -> null;
        };
    }

    /**
     * The constants that removed channels are without their weights, by value that a layer reads and position: the
     * network is run once with the units switched off. Positions of other channels hold no meaning.
     */
    public static Map<String, double[]> of(ChannelDependencies dependencies, Set<Integer> units, Backend backend) {
        Set<String> values = new LinkedHashSet<>();
        readers(dependencies, units).forEach(node -> values.add(node.input(0)));
        if (values.isEmpty()) {
            return Map.of();
        }
        Graph masked = ChannelMask.apply(dependencies, units);
        Map<String, ValueInfo> infos = ShapeInference.infer(masked);
        Graph wanted = masked.withOutputs(values.stream().map(infos::get).toList());
        Map<String, double[]> constants = new HashMap<>();
        try (GraphExecutor executor = backend.open(GraphPasses.forInference(wanted, Map.of()),
                ExecutorOptions.DEFAULT.withThreads(1))) {
            executor.run();
            for (Binding output : executor.outputs()) {
                constants.put(output.name(), middle(output));
            }
        }
        return constants;
    }

    /** The channels of a value in the middle of the image. */
    private static double[] middle(Binding value) {
        int rank = value.dims().size();
        int along = rank == 4 ? 1 : rank - 1;
        long at = 0;
        for (int axis = 0; axis < rank; axis++) {
            at += axis == along ? 0 : (long) (value.dims().get(axis) / 2) * value.strides().get(axis);
        }
        double[] channels = new double[value.dims().get(along)];
        for (int i = 0; i < channels.length; i++) {
            channels[i] = value.memory().getAtIndex(ValueLayout.JAVA_FLOAT,
                    at + (long) i * value.strides().get(along));
        }
        return channels;
    }

    /**
     * What removed channels add to the results of the layers that read them, by name of the layer and output channel.
     *
     * @param means of what each channel is, by value and position
     */
    public static Map<String, double[]> shifts(ChannelDependencies dependencies, Set<Integer> units,
            Map<String, double[]> means) {
        Map<String, double[]> shifts = new HashMap<>();
        for (Node node : readers(dependencies, units)) {
            double[] mean = means.get(node.input(0)).clone();
            int[] read = read(dependencies, node);
            for (int i = 0; i < mean.length; i++) {
                mean[i] = units.contains(read[i]) ? mean[i] : 0;
            }
            shifts.put(node.name(), product(node, dependencies.graph().constants().get(node.input(1)), mean));
        }
        return shifts;
    }

    private static double[] product(Node node, Tensor weights, double[] x) {
        float[] w = weights.toFloats();
        Shape shape = weights.shape();
        return switch (node.op()) {
            case Op.Conv conv -> convolved(w, shape, conv.group(), x);
            case Op.Gemm gemm -> gemm.transB() ? rows(w, shape, x, gemm.alpha()) : columns(w, shape, x, gemm.alpha());
            default -> columns(w, shape, x, 1);
        };
    }

    private static double[] convolved(float[] w, Shape shape, int group, double[] x) {
        int outputs = Math.toIntExact(shape.dim(0));
        int each = Math.toIntExact(shape.dim(1));
        int window = Math.toIntExact(shape.elements() / outputs / each);
        double[] sums = new double[outputs];
        for (int o = 0; o < outputs; o++) {
            int first = o / (outputs / group) * each;
            for (int c = 0; c < each; c++) {
                for (int k = 0; k < window; k++) {
                    sums[o] += w[(o * each + c) * window + k] * x[first + c];
                }
            }
        }
        return sums;
    }

    private static double[] rows(float[] w, Shape shape, double[] x, float factor) {
        double[] sums = new double[Math.toIntExact(shape.dim(0))];
        for (int i = 0; i < w.length; i++) {
            sums[i / x.length] += factor * w[i] * x[i % x.length];
        }
        return sums;
    }

    private static double[] columns(float[] w, Shape shape, double[] x, float factor) {
        double[] sums = new double[Math.toIntExact(shape.dim(-1))];
        for (int i = 0; i < w.length; i++) {
            sums[i % sums.length] += factor * w[i] * x[i / sums.length % x.length];
        }
        return sums;
    }
}
