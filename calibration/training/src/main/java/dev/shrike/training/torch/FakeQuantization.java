package dev.shrike.training.torch;

import dev.shrike.graph.Graph;
import dev.shrike.training.qat.QuantizedLayer;
import dev.shrike.training.qat.QuantizedTwin;
import dev.shrike.training.qat.QuantizedValue;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/**
 * Rounds the weights and values of a network as an integer engine does. Made once for a network, which stays the
 * caller's; afterwards the network has the parameters of the rounding.
 */
final class FakeQuantization implements Regularizer {
    private static final double LEAST_GAMMA = 1e-6;

    private final TorchNetwork network;
    private final QuantizedTwin twin;
    private final QuantizationMethod method;

    /**
     * Sets the rounding up.
     *
     * @param network made from {@link QuantizedTwin#graph}
     */
    FakeQuantization(TorchNetwork network, QuantizedTwin twin, QuantizationMethod method) {
        this.network = network;
        this.twin = twin;
        this.method = method;
        for (QuantizedLayer layer : twin.layers()) {
            Tensor step =
                    network.addParameter(layer.step(), TensorMath.ofFloats(new float[layer.rows()], layer.rows()));
            network.hookParameter(layer.weights(), weights -> method.weights(layer, weights, step));
        }
        for (QuantizedValue value : twin.values()) {
            Tensor step = value.learned()
                    ? network.addParameter(value.step(), TensorMath.ofFloats(new float[1], 1)) : null;
            for (String name : value.names()) {
                network.hookValue(name, x -> method.values(value, name, x, step));
            }
        }
    }

    /**
     * Gives the batch normalisations the statistics that their inputs have on images, and gammas and betas with which
     * they still change nothing.
     *
     * @param batches floats from 0 to 1
     */
    void initialize(List<Tensor> batches) {
        Map<String, ChannelStatistics> measured = measured(batches, false);
        for (QuantizedLayer layer : normalized()) {
            ChannelStatistics found = measured.get(layer.sums());
            float[] variance = found.variances();
            float[] gamma = new float[variance.length];
            float[] beta = TensorMath.floats(network.parameters().get(layer.beta()));
            float[] mean = found.means();
            for (int row = 0; row < gamma.length; row++) {
                gamma[row] = (float) Math.sqrt(variance[row] + QuantizedTwin.EPSILON);
                beta[row] += mean[row];
            }
            set(network.parameters().get(layer.gamma()), gamma);
            set(network.parameters().get(layer.beta()), beta);
            set(network.buffers().get(layer.mean()), mean);
            set(network.buffers().get(layer.variance()), variance);
        }
    }

    /**
     * Gives the batch normalisations the statistics that their inputs have now. The running ones lag behind: a code
     * that changes moves the sums of a channel at once, and over many layers that adds up to another network. Each
     * layer is measured behind layers that are normalised by the batch, as in training.
     *
     * @param batches floats from 0 to 1
     */
    void measureStatistics(List<Tensor> batches) {
        Map<String, ChannelStatistics> measured = measured(batches, true);
        for (QuantizedLayer layer : normalized()) {
            set(network.buffers().get(layer.mean()), measured.get(layer.sums()).means());
            set(network.buffers().get(layer.variance()), measured.get(layer.sums()).variances());
        }
    }

    private List<QuantizedLayer> normalized() {
        return twin.layers().stream().filter(QuantizedLayer::normalized).toList();
    }

    /** Statistics of what the normalisations read, by its name. */
    private Map<String, ChannelStatistics> measured(List<Tensor> batches, boolean byBatch) {
        network.train(byBatch);
        return ChannelStatistics.of(network, normalized().stream().map(QuantizedLayer::sums).toList(), batches);
    }

    private static void set(Tensor tensor, float[] values) {
        try (PointerScope _ = new PointerScope()) {
            tensor.detach().copy_(TensorMath.ofFloats(values, values.length));
        }
    }

    /** Gives the {@link #codeParameters} these values. */
    void hold(Map<String, Tensor> held) {
        for (QuantizedLayer layer : twin.layers()) {
            for (String name : List.of(layer.weights(), layer.step())) {
                try (PointerScope _ = new PointerScope()) {
                    network.parameters().get(name).detach().copy_(held.get(name));
                }
            }
        }
    }

    /** Names of the parameters that decide about the codes of weights. */
    List<String> codeParameters() {
        return twin.layers().stream().flatMap(layer -> Stream.of(layer.weights(), layer.step())).toList();
    }

    @Override
    public void addGradients(TorchNetwork same, double progress) {
        try (PointerScope _ = new PointerScope()) {
            method.addGradients(network, twin);
        }
    }

    /** Keeps gammas positive, without which batch normalisation could not go into the scales. */
    @Override
    public void afterStep(TorchNetwork same, double progress) {
        for (QuantizedLayer layer : twin.layers()) {
            if (layer.normalized()) {
                try (PointerScope _ = new PointerScope()) {
                    network.parameters().get(layer.gamma()).detach().clamp_min_(new Scalar(LEAST_GAMMA));
                }
            }
        }
        try (PointerScope _ = new PointerScope()) {
            method.afterStep(network, twin, progress);
        }
    }

    /** The quantised network with what was learned so far. */
    Graph assembled() {
        Map<String, QuantizedLayer> byWeights = new HashMap<>();
        twin.layers().forEach(layer -> byWeights.put(layer.weights(), layer));
        return twin.assembled(name -> {
            try (PointerScope _ = new PointerScope()) {
                Tensor own = network.parameters().containsKey(name) ? network.parameters().get(name)
                        : network.buffers().get(name);
                QuantizedLayer layer = byWeights.get(name);
                return TensorMath.floats(layer == null ? own
                        : method.rounded(layer, own.detach(), network.parameters().get(layer.step()).detach()));
            }
        }, method.widths());
    }
}
