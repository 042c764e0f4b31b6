package dev.shrike.calibration.prune;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.ShapeInference;
import dev.shrike.graph.ValueInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Multiplications and parameters of a network while units are removed from it one by one. */
final class MacModel {
    private final List<Layer> layers = new ArrayList<>();
    private final Map<Integer, List<Touch>> touched = new HashMap<>();

    /** How many inputs and outputs of a layer belong to a unit. */
    private record Touch(Layer layer, int inputs, int outputs) {}

    private long macs;
    private long parameters;

    private static final class Layer {
        /** Positions times kernel, over groups. */
        double perPair;
        double weightsPerPair;
        int extraPerOutput;
        int inputs;
        int outputs;

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
            layer.inputs = depthwise ? 1 : cost.inputs();
            layer.outputs = cost.outputs();
            layer.perPair = (double) cost.macs() / layer.inputs / layer.outputs;
            layer.weightsPerPair = (double) cost.weights() / layer.inputs / layer.outputs;
            layer.extraPerOutput = (int) ((cost.parameters() - cost.weights()) / cost.outputs());
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
        for (Touch touch : touched.getOrDefault(unit, List.of())) {
            Layer layer = touch.layer();
            saved += layer.macs()
                    - layer.perPair * (layer.inputs - touch.inputs()) * (layer.outputs - touch.outputs());
        }
        return saved;
    }

    /** The parameters that go with a unit now. */
    double parametersOf(int unit) {
        double saved = 0;
        for (Touch touch : touched.getOrDefault(unit, List.of())) {
            Layer layer = touch.layer();
            int outputs = layer.outputs - touch.outputs();
            saved += layer.parameters() - layer.weightsPerPair * (layer.inputs - touch.inputs()) * outputs
                    - (double) layer.extraPerOutput * outputs;
        }
        return saved;
    }

    /** Removes a unit. */
    void remove(int unit) {
        for (Touch touch : touched.getOrDefault(unit, List.of())) {
            touch.layer().inputs -= touch.inputs();
            touch.layer().outputs -= touch.outputs();
        }
        sum();
    }
}
