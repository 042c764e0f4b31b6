package dev.shrike.calibration.prune;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.ShapeInference;
import dev.shrike.graph.ValueInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Multiplications and parameters of a network while units are removed from it one by one. */
final class MacModel {
    private final List<Layer> layers = new ArrayList<>();
    private final Map<Integer, Set<Layer>> touched = new HashMap<>();
    private long macs;
    private long parameters;

    private static final class Layer {
        /** Positions times kernel, over groups. */
        double perPair;
        double weightsPerPair;
        int extraPerOutput;
        int inputs;
        int outputs;
        int[] in;
        int[] out;

        double macs() {
            return perPair * inputs * outputs;
        }

        double parameters() {
            return weightsPerPair * inputs * outputs + (double) extraPerOutput * outputs;
        }
    }

    MacModel(ChannelDependencies dependencies) {
        Graph graph = dependencies.graph();
        Map<String, ValueInfo> infos = ShapeInference.infer(graph);
        Map<String, Node> nodes = new HashMap<>();
        graph.nodes().forEach(node -> nodes.put(node.name(), node));
        for (LayerCost cost : LayerCost.of(graph)) {
            Node node = nodes.get(cost.layer());
            boolean conv = node.op() instanceof Op.Conv;
            boolean depthwise = node.op() instanceof Op.Conv c && c.group() > 1 && c.group() == cost.inputs();
            Layer layer = new Layer();
            layer.in = depthwise ? null : ConstantChannels.read(dependencies, node);
            layer.out = dependencies.units(node.output(), conv ? 1 : -1);
            layer.inputs = depthwise ? 1 : cost.inputs();
            layer.outputs = cost.outputs();
            layer.perPair = (double) cost.macs() / layer.inputs / layer.outputs;
            layer.weightsPerPair = (double) cost.weights() / layer.inputs / layer.outputs;
            layer.extraPerOutput = (int) ((cost.parameters() - cost.weights()) / cost.outputs());
            layers.add(layer);
            for (int[] units : new int[][] { layer.in, layer.out }) {
                for (int i = 0; units != null && i < units.length; i++) {
                    touched.computeIfAbsent(units[i], _ -> new LinkedHashSet<>()).add(layer);
                }
            }
        }
        sum();
    }

    private void sum() {
        macs = Math.round(layers.stream().mapToDouble(Layer::macs).sum());
        parameters = Math.round(layers.stream().mapToDouble(Layer::parameters).sum());
    }

    long macs() {
        return macs;
    }

    long parameters() {
        return parameters;
    }

    /** The multiplications that go with a unit now. */
    double macsOf(int unit) {
        double saved = 0;
        for (Layer layer : touched.getOrDefault(unit, Set.of())) {
            saved += layer.macs()
                    - layer.perPair * (layer.inputs - count(layer.in, unit)) * (layer.outputs - count(layer.out, unit));
        }
        return saved;
    }

    /** The parameters that go with a unit now. */
    double parametersOf(int unit) {
        double saved = 0;
        for (Layer layer : touched.getOrDefault(unit, Set.of())) {
            int outputs = layer.outputs - count(layer.out, unit);
            saved += layer.parameters() - layer.weightsPerPair * (layer.inputs - count(layer.in, unit)) * outputs
                    - (double) layer.extraPerOutput * outputs;
        }
        return saved;
    }

    /** Removes a unit. */
    void remove(int unit) {
        for (Layer layer : touched.getOrDefault(unit, Set.of())) {
            layer.inputs -= count(layer.in, unit);
            layer.outputs -= count(layer.out, unit);
        }
        sum();
    }

    private static int count(int[] units, int unit) {
        int count = 0;
        for (int i = 0; units != null && i < units.length; i++) {
            count += units[i] == unit ? 1 : 0;
        }
        return count;
    }
}
