package dev.shrike.calibration.training;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/** All that is learned of a quantised network: weights, their scales, biases, and the steps of narrow values. */
final class StudentParameters {
    // Shares of the rate of weights. Scales act on a whole channel, steps on a whole value.
    private static final double SCALES = 0.1;
    private static final double STEPS = 0.2;
    private static final double BIASES = 0.25;
    /** What stands for a code of 4 bits where a result stays real, as those of the head do: of logits. */
    private static final double REAL = 0.5;

    private final Map<String, LayerParameters> layers;
    private final Map<String, Rounding> roundings = new HashMap<>();
    /** A code of 4 bits of what becomes of each layer's result, in floats. */
    private final Map<String, Double> units = new HashMap<>();

    /**
     * The given parameters of a network.
     *
     * @param teacher parameters of the float network, between which and the given codes the weights begin
     * @throws UnsupportedModelException if a layer was left in float
     */
    StudentParameters(Graph quantized, Map<String, LayerParameters> teacher) {
        layers = TrainingNetwork.parameters(quantized);
        if (layers.values().stream().anyMatch(layer -> !layer.isQuantized())) {
            throw new UnsupportedModelException("a layer is left in float, which cannot be tuned with the others");
        }
        layers.forEach((name, layer) -> layer.lean(teacher.get(name)));
        // Values with the same codes share what is learned of them.
        quantized.quantization().forEach((name, how) -> {
            if (how.isPerTensor() && !quantized.constants().containsKey(name)) {
                roundings.put(name, roundings.values().stream().filter(other -> other.given().isSameAs(how)).findFirst()
                        .orElseGet(() -> new Rounding(how, how.bits() < 8)));
            }
        });
        for (Node node : quantized.nodes()) {
            if (layers.containsKey(node.name())) {
                units.put(node.name(), following(quantized, node.output())
                        .map(how -> how.scale().doubleAt(0) * Math.pow(2, how.bits() - 4)).orElse(REAL));
            }
        }
    }

    /** The codes of a value, or of what an activation makes of it. */
    private static Optional<Quantization> following(Graph graph, String value) {
        Quantization how = graph.quantization().get(value);
        if (how != null) {
            return Optional.of(how);
        }
        return graph.nodes().stream().filter(node -> node.op() instanceof Op.Unary && node.input(0).equals(value))
                .map(node -> graph.quantization().get(node.output())).filter(Objects::nonNull).findFirst();
    }

    Map<String, LayerParameters> layers() {
        return layers;
    }

    /** Of values by name. */
    Map<String, Rounding> roundings() {
        return roundings;
    }

    /**
     * Takes a step against the sum of the gradients of some networks that share these parameters.
     *
     * @param networks whose gradients are overwritten
     * @param rate in codes of 4 bits
     */
    void step(List<TrainingNetwork> networks, double rate) {
        TrainingNetwork first = networks.getFirst();
        for (int i = 0; i < first.convolutions().size(); i++) {
            Convolution all = first.convolutions().get(i);
            for (TrainingNetwork network : networks.subList(1, networks.size())) {
                Convolution other = network.convolutions().get(i);
                add(other.weightGradients, all.weightGradients);
                add(other.biasGradients, all.biasGradients);
            }
            LayerParameters layer = all.parameters();
            layer.step(all.weightGradients, all.biasGradients, new LayerParameters.Rates(
                    (float) (rate * Math.pow(2, layer.bits() - 4)),
                    (float) (BIASES * rate * units.get(all.name())), (float) (SCALES * rate)));
        }
        Map<Rounding, Double> gradients = new LinkedHashMap<>();
        for (TrainingNetwork network : networks) {
            network.values().forEach((_, value) -> {
                if (value.rounding != null && value.rounding.isLearned()) {
                    gradients.merge(value.rounding, value.stepGradient, Double::sum);
                }
            });
        }
        gradients.forEach((rounding, gradient) -> rounding.step(gradient.floatValue(), (float) (STEPS * rate)));
    }

    private static void add(float[] from, float[] to) {
        for (int i = 0; i < to.length; i++) {
            to[i] += from[i];
        }
    }

    /** All parameters at one time. */
    final class State {
        private final Map<String, float[][]> saved = new HashMap<>();
        private final Map<Rounding, Float> steps = new HashMap<>();

        State() {
            layers.forEach((name, layer) -> saved.put(name, layer.saved()));
            roundings.values().forEach(rounding -> steps.put(rounding, rounding.parameter()));
        }

        /** Goes a share of the way to what the parameters are now, which makes it an exponential moving average. */
        void follow(float share) {
            layers.forEach((name, layer) -> layer.draw(saved.get(name), share));
            steps.replaceAll((rounding, step) -> step + share * (rounding.parameter() - step));
        }

        void restore() {
            saved.forEach((name, values) -> layers.get(name).restore(values));
            steps.forEach(Rounding::parameter);
        }
    }

    /** The network with what was learned. */
    Graph assembled(Graph quantized) {
        Map<String, Tensor> constants = new HashMap<>(quantized.constants());
        Map<String, Quantization> quantization = new HashMap<>(quantized.quantization());
        List<Node> nodes = new ArrayList<>();
        for (Node node : quantized.nodes()) {
            LayerParameters layer = layers.get(node.name());
            if (layer == null) {
                nodes.add(node);
                continue;
            }
            String bias = node.name() + ".bias.tuned";
            constants.put(node.input(1), layer.codes(constants.get(node.input(1))));
            quantization.put(node.input(1), layer.quantization());
            constants.put(bias, Tensor.ofFloats(Shape.of(layer.rows()), layer.bias().clone()));
            nodes.add(node.withInputs(List.of(node.input(0), node.input(1), bias)));
        }
        quantization.replaceAll((name, how) -> !roundings.containsKey(name) ? how
                : new Quantization(Tensor.scalar(roundings.get(name).scale()), how.zeroPoint(), how.bits(),
                        how.signed(), how.narrow(), how.axis()));
        Set<String> used = new HashSet<>();
        nodes.forEach(node -> used.addAll(node.inputs()));
        nodes.forEach(node -> used.addAll(node.outputs()));
        constants.keySet().retainAll(used);
        return quantized.withNodes(nodes, constants, quantization);
    }
}
