package dev.shrike.calibration.prune;

import dev.shrike.calibration.prune.channels.ChannelDependencies;
import dev.shrike.calibration.prune.channels.ConstantChannels;
import dev.shrike.calibration.prune.channels.Normalizations;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/** Multiplications, parameters and latency of a network while units are removed from it one by one. */
final class MacModel {
    private final List<Layer> layers = new ArrayList<>();
    private final Map<Integer, List<Touch>> touched = new HashMap<>();

    /** How many inputs and outputs of a layer belong to a unit. */
    private record Touch(Layer layer, int inputs, int outputs) {}

    private final ChannelLatencies latencies;
    private long macs;
    private long parameters;

    private static final class Layer {
        String name;
        /** Before anything was removed. */
        int allInputs;
        int allOutputs;
        /** Positions times kernel, over groups. */
        double perPair;
        double weightsPerPair;
        int extraPerOutput;
        /** Whether it has no bias, but gets one where something is removed. */
        boolean gainsBias;
        int inputs;
        int outputs;

        double macs() {
            return perPair * inputs * outputs;
        }

        double parameters() {
            return weightsPerPair * inputs * outputs + (double) extraPerOutput * outputs;
        }
    }

    /**
     * A model of the network as it is.
     *
     * @param latencies of its layers; null where nobody asks for latency
     */
    MacModel(ChannelDependencies dependencies, ChannelLatencies latencies) {
        this.latencies = latencies;
        Graph graph = dependencies.graph();
        Map<String, ValueInfo> infos = ShapeInference.infer(graph);
        Map<String, Node> nodes = new HashMap<>();
        graph.nodes().forEach(node -> nodes.put(node.name(), node));
        Map<String, Node> norms = Normalizations.of(graph);
        for (LayerCost cost : LayerCost.of(graph)) {
            Node node = nodes.get(cost.layer());
            boolean conv = node.op() instanceof Op.Conv;
            boolean depthwise = node.op() instanceof Op.Conv c && c.group() > 1 && c.group() == cost.inputs();
            Layer layer = new Layer();
            layer.inputs = depthwise ? 1 : cost.inputs();
            layer.outputs = cost.outputs();
            layer.perPair = (double) cost.macs() / layer.inputs / layer.outputs;
            layer.weightsPerPair = (double) cost.weights() / layer.inputs / layer.outputs;
            layer.extraPerOutput = (int) ((cost.parameters() - cost.weights()) / cost.outputs());
            layer.name = cost.layer();
            layer.gainsBias = !node.hasInput(2) && !norms.containsKey(node.name()) && !(node.op() instanceof Op.MatMul);
            layer.allInputs = layer.inputs;
            layer.allOutputs = layer.outputs;
            layers.add(layer);
            Map<Integer, int[]> counts = new HashMap<>();
            count(ConstantChannels.read(dependencies, node), depthwise, counts, 0);
            count(dependencies.units(node.output(), conv ? 1 : -1), false, counts, 1);
            counts.forEach((unit, count) -> touched.computeIfAbsent(unit, _ -> new ArrayList<>())
                    .add(new Touch(layer, count[0], count[1])));
        }
        sum();
    }

    private static void count(int[] units, boolean skip, Map<Integer, int[]> counts, int side) {
        for (int i = 0; units != null && !skip && i < units.length; i++) {
            counts.computeIfAbsent(units[i], _ -> new int[2])[side]++;
        }
    }

    private void sum() {
        macs = Math.round(layers.stream().mapToDouble(Layer::macs).sum());
        boolean whole = layers.stream()
                .allMatch(layer -> layer.inputs == layer.allInputs && layer.outputs == layer.allOutputs);
        parameters = Math.round(layers.stream().mapToDouble(
                layer -> layer.parameters() + (layer.gainsBias && !whole ? layer.outputs : 0)).sum());
    }

    long macs() {
        return macs;
    }

    long parameters() {
        return parameters;
    }

    /** What is left of what a budget counts; channels are not known here. */
    double value(Budget.Measure measure) {
        return switch (measure) {
            case MACS -> macs;
            case PARAMETERS -> parameters;
            case BYTES -> (double) Float.BYTES * parameters;
            case LATENCY -> layers.stream().mapToDouble(layer -> latency(layer, layer.inputs, layer.outputs)).sum();
            case CHANNELS -> throw new IllegalArgumentException("channels are no cost");
        };
    }

    /** What would be left of the whole network without these units. */
    double value(Budget.Measure measure, Set<Integer> units) {
        int[] before = layers.stream().flatMapToInt(layer -> IntStream.of(layer.inputs, layer.outputs)).toArray();
        layers.forEach(layer -> {
            layer.inputs = layer.allInputs;
            layer.outputs = layer.allOutputs;
        });
        units.forEach(this::take);
        sum();
        double value = value(measure);
        for (int i = 0; i < layers.size(); i++) {
            layers.get(i).inputs = before[2 * i];
            layers.get(i).outputs = before[2 * i + 1];
        }
        sum();
        return value;
    }

    /** What goes with a unit now, of what a budget counts. */
    double valueOf(Budget.Measure measure, int unit) {
        double saved = 0;
        for (Touch touch : touched.getOrDefault(unit, List.of())) {
            Layer layer = touch.layer();
            int inputs = layer.inputs - touch.inputs();
            int outputs = layer.outputs - touch.outputs();
            saved += switch (measure) {
                case MACS -> layer.macs() - layer.perPair * inputs * outputs;
                case PARAMETERS, BYTES -> (measure == Budget.Measure.BYTES ? Float.BYTES : 1) * (layer.parameters()
                        - layer.weightsPerPair * inputs * outputs - (double) layer.extraPerOutput * outputs);
                case LATENCY -> latency(layer, layer.inputs, layer.outputs) - latency(layer, inputs, outputs);
                case CHANNELS -> throw new IllegalArgumentException("channels are no cost");
            };
        }
        return saved;
    }

    private double latency(Layer layer, int inputs, int outputs) {
        return latencies.nanos(layer.name, inputs, outputs);
    }

    /** Removes a unit. */
    void remove(int unit) {
        take(unit);
        sum();
    }

    private void take(int unit) {
        for (Touch touch : touched.getOrDefault(unit, List.of())) {
            touch.layer().inputs -= touch.inputs();
            touch.layer().outputs -= touch.outputs();
        }
    }
}
