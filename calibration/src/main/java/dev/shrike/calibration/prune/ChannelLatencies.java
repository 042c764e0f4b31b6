package dev.shrike.calibration.prune;

import dev.shrike.ModelException;
import dev.shrike.calibration.activations.Subgraphs;
import dev.shrike.calibration.quantize.YamlText;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * What each layer takes with fewer channels on some machine, as YAML that can be carried to another one. Between the
 * numbers of channels that were measured it is interpolated. All numbers are scaled so that the layers of the whole
 * network together take what the network takes.
 *
 * @param engine what was measured, for people
 * @param grids of the layers, by name
 */
public record ChannelLatencies(String engine, Map<String, Grid> grids) {
    private static final double[] SHARES = {0.25, 0.5, 0.75, 1};
    private static final double MOST = 1e12;

    /**
     * Nanoseconds of a layer, {@code [inputs][outputs]}. Where there is a single number it stands for all channels, and
     * fewer take less in proportion.
     *
     * @param inputs numbers of input channels, ascending
     * @param outputs numbers of output channels, ascending
     */
    public record Grid(List<Integer> inputs, List<Integer> outputs, List<List<Double>> nanos) {
        public Grid {
            inputs = List.copyOf(inputs);
            outputs = List.copyOf(outputs);
            nanos = nanos.stream().map(List::copyOf).toList();
            int columns = outputs.size();
            if (!ascending(inputs) || !ascending(outputs) || nanos.size() != inputs.size()
                    || nanos.stream().anyMatch(row -> row.size() != columns)
                    || nanos.stream().flatMap(List::stream).anyMatch(time -> !(time >= 0 && time <= MOST))) {
                throw new IllegalArgumentException("no grid of nanoseconds by ascending numbers of channels");
            }
        }

        private static boolean ascending(List<Integer> counts) {
            for (int i = 0; i < counts.size(); i++) {
                if (counts.get(i) <= (i == 0 ? 0 : counts.get(i - 1))) {
                    return false;
                }
            }
            return !counts.isEmpty();
        }

        double nanos(int in, int out) {
            if (inputs.size() == 1 && outputs.size() == 1) {
                return nanos.getFirst().getFirst() * in / inputs.getFirst() * out / outputs.getFirst();
            }
            double row = position(inputs, in);
            double column = position(outputs, out);
            int r = (int) Math.min(row, Math.max(0, inputs.size() - 2));
            int c = (int) Math.min(column, Math.max(0, outputs.size() - 2));
            double[] along = new double[2];
            for (int i = 0; i < 2; i++) {
                List<Double> times = nanos.get(Math.min(r + i, inputs.size() - 1));
                double from = times.get(c);
                along[i] = from + (column - c) * (times.get(Math.min(c + 1, outputs.size() - 1)) - from);
            }
            return along[0] + (row - r) * (along[1] - along[0]);
        }

        /** Where a number lies among these, by index; numbers outside count as the nearest one inside. */
        private static double position(List<Integer> counts, int count) {
            int i = 0;
            while (i < counts.size() - 1 && counts.get(i + 1) <= count) {
                i++;
            }
            if (count <= counts.getFirst() || i == counts.size() - 1) {
                return i;
            }
            return i + (double) (count - counts.get(i)) / (counts.get(i + 1) - counts.get(i));
        }

        private Grid times(double factor) {
            return new Grid(inputs, outputs,
                    nanos.stream().map(row -> row.stream().map(time -> time * factor).toList()).toList());
        }
    }

    public ChannelLatencies {
        grids = Map.copyOf(grids);
    }

    /** Nanoseconds of a layer with that many channels; 0 of a layer that is not in the table. */
    double nanos(String layer, int inputs, int outputs) {
        Grid grid = grids.get(layer);
        return grid == null ? 0 : grid.nanos(inputs, outputs);
    }

    /**
     * Measures on this machine: each layer alone with a quarter, half, three quarters and all of its input and output
     * channels. Layers with several groups, and products of matrices, are measured with all channels only.
     *
     * @param graph float, with known shapes
     * @param engine what is measured, for people
     */
    public static ChannelLatencies measure(Graph graph, LatencyMeter meter, String engine, Pruner.Listener listener) {
        Map<String, ValueInfo> infos = ShapeInference.infer(graph);
        List<LayerCost> costs = LayerCost.of(graph);
        Map<String, Node> nodes = new HashMap<>();
        graph.nodes().forEach(node -> nodes.put(node.name(), node));
        Map<List<Object>, Grid> known = new HashMap<>();
        Map<String, Grid> grids = new LinkedHashMap<>();
        double sum = 0;
        for (LayerCost cost : costs) {
            listener.at("timing " + cost.layer(), grids.size(), costs.size());
            Node node = nodes.get(cost.layer());
            Shape in = infos.get(node.input(0)).shape();
            // Equal layers take equal time.
            Grid grid = known.computeIfAbsent(List.of(node.op(), in, graph.constants().get(node.input(1)).shape(),
                    node.hasInput(2)), _ -> grid(graph, infos, node, cost, meter));
            grids.put(cost.layer(), grid);
            sum += grid.nanos().getLast().getLast();
        }
        double factor = sum > 0 ? meter.networks(graph)[0] / sum : 1;
        grids.replaceAll((_, grid) -> grid.times(factor));
        return new ChannelLatencies(engine, grids);
    }

    private static Grid grid(Graph graph, Map<String, ValueInfo> infos, Node node, LayerCost cost,
            LatencyMeter meter) {
        boolean conv = node.op() instanceof Op.Conv;
        int group = node.op() instanceof Op.Conv own ? own.group() : 1;
        boolean depthwise = conv && group > 1 && group == cost.inputs() && cost.outputs() == group;
        if (!conv || group > 1 && !depthwise || infos.get(node.output()).shape().rank() != 4) {
            Graph alone = Subgraphs.of(graph, List.of(node), List.of(infos.get(node.input(0))),
                    List.of(infos.get(node.output())));
            return new Grid(List.of(depthwise || group == cost.inputs() && group > 1 ? 1 : cost.inputs()),
                    List.of(cost.outputs()), List.of(List.of((double) meter.networks(alone)[0])));
        }
        List<Integer> inputs = depthwise ? List.of(1) : counts(cost.inputs());
        List<Integer> outputs = counts(cost.outputs());
        List<List<Double>> nanos = new ArrayList<>();
        for (int in : inputs) {
            Graph[] graphs = outputs.stream().map(out -> alone(graph, infos, node, depthwise ? out : in, out))
                    .toArray(Graph[]::new);
            nanos.add(Arrays.stream(meter.networks(graphs)).mapToObj(time -> (double) time).toList());
        }
        return new Grid(inputs, outputs, nanos);
    }

    private static List<Integer> counts(int all) {
        TreeSet<Integer> counts = new TreeSet<>();
        for (double share : SHARES) {
            counts.add(Math.max(1, (int) Math.round(share * all)));
        }
        return List.copyOf(counts);
    }

    /** A convolution alone with the first of its channels. */
    private static Graph alone(Graph graph, Map<String, ValueInfo> infos, Node node, int inputs, int outputs) {
        Op.Conv conv = (Op.Conv) node.op();
        boolean depthwise = conv.group() > 1;
        Tensor weights = graph.constants().get(node.input(1));
        long[] dims = weights.shape().toArray();
        dims[0] = outputs;
        dims[1] = depthwise ? 1 : inputs;
        float[] values = Arrays.copyOf(weights.toFloats(), Math.toIntExact(new Shape(boxed(dims)).elements()));
        Map<String, Tensor> constants = new HashMap<>();
        constants.put(node.input(1), Tensor.ofFloats(new Shape(boxed(dims)), values));
        if (node.hasInput(2)) {
            constants.put(node.input(2), Tensor.ofFloats(Shape.of(outputs), new float[outputs]));
        }
        Node alone = depthwise ? node.withOp(new Op.Conv(conv.window(), outputs, conv.activation())) : node;
        return new Graph(graph.name(), List.of(narrow(infos.get(node.input(0)), inputs)),
                List.of(narrow(infos.get(node.output()), outputs)), List.of(alone), constants, Map.of(), Map.of());
    }

    private static List<Long> boxed(long[] dims) {
        return Arrays.stream(dims).boxed().toList();
    }

    private static ValueInfo narrow(ValueInfo value, int channels) {
        long[] dims = value.shape().toArray();
        dims[1] = channels;
        return new ValueInfo(value.name(), value.type(), new Shape(boxed(dims)));
    }

    /** Writes the table, all of it or nothing. */
    public void write(Path file) {
        StringBuilder text = new StringBuilder();
        text.append("# Nanoseconds of each layer, rows by input channels, for 'shrike prune --latencies'.\n");
        text.append("engine: ").append(YamlText.quoted(engine)).append("\nlayers:\n");
        grids.keySet().stream().sorted().forEach(layer -> {
            Grid grid = grids.get(layer);
            text.append("  ").append(YamlText.quoted(layer)).append(": {inputs: ").append(grid.inputs())
                    .append(", outputs: ").append(grid.outputs()).append(", nanos: ")
                    .append(grid.nanos().stream().map(row -> row.stream().map(Math::round).toList()).toList())
                    .append("}\n");
        });
        YamlText.write(file, text.toString());
    }

    /**
     * The table in a file.
     *
     * @throws ModelException if it is none; names the layer
     */
    public static ChannelLatencies read(Path file) {
        Object loaded = YamlText.parse(YamlText.read(file), file.toString());
        if (!(loaded instanceof Map<?, ?> map) || !(map.get("layers") instanceof Map<?, ?> entries)) {
            throw new ModelException(file + ": is no table of latencies by channels: a map 'layers' is missing;"
                    + " name a file that is not there yet to measure one");
        }
        Map<String, Grid> grids = new LinkedHashMap<>();
        entries.forEach((layer, grid) -> grids.put(String.valueOf(layer), parse(file, layer, grid)));
        return new ChannelLatencies(String.valueOf(map.get("engine")), grids);
    }

    private static Grid parse(Path file, Object layer, Object entry) {
        try {
            Map<?, ?> map = (Map<?, ?>) entry;
            List<List<Double>> nanos = new ArrayList<>();
            for (Object row : (List<?>) map.get("nanos")) {
                nanos.add(((List<?>) row).stream().map(time -> ((Number) time).doubleValue()).toList());
            }
            return new Grid(numbers(map.get("inputs")), numbers(map.get("outputs")), nanos);
        } catch (ClassCastException | NullPointerException | IllegalArgumentException e) {
            throw new ModelException(file + ": layer '" + layer + "': " + entry
                    + " is no grid of nanoseconds: inputs, outputs and nanos are needed", e);
        }
    }

    private static List<Integer> numbers(Object list) {
        return ((List<?>) list).stream().map(count -> (Integer) count).toList();
    }

    /**
     * The table itself.
     *
     * @param label where it is from
     * @throws ModelException if it was made for other layers; names the first
     */
    public ChannelLatencies forNetwork(Graph graph, String label) {
        for (LayerCost cost : LayerCost.of(graph)) {
            Grid grid = grids.get(cost.layer());
            if (grid == null || !grid.outputs().getLast().equals(cost.outputs())
                    || grid.inputs().getLast() != 1 && grid.inputs().getLast() != cost.inputs()) {
                throw new ModelException(label + ": " + (grid == null ? "does not have the layer '"
                        : "has another number of channels of the layer '") + cost.layer()
                        + "', so it is of another network; measure again with another file");
            }
        }
        return this;
    }
}
