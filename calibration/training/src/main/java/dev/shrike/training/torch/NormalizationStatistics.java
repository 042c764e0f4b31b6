package dev.shrike.training.torch;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;

/** Gives batch normalisation that was inserted the statistics of images, so that it still changes nothing. */
final class NormalizationStatistics {
    private NormalizationStatistics() {}

    /**
     * Measures the inputs of all batch normalisations and sets mean and variance to theirs, gamma and beta to what
     * makes
     * up for it.
     *
     * @param graph that the network was made from
     * @param batches images as {@link TorchNetwork#forward} takes them
     */
    static void measure(GraphNetwork network, Graph graph, List<Tensor> batches) {
        List<Node> norms = graph.nodes().stream().filter(node -> node.op() instanceof Op.BatchNormalization).toList();
        network.train(false);
        Map<String, ChannelStatistics> statistics =
                ChannelStatistics.of(network, norms.stream().map(node -> node.input(0)).toList(), batches);
        norms.forEach(norm -> set(network, norm, statistics.get(norm.input(0))));
    }

    private static void set(GraphNetwork network, Node norm, ChannelStatistics statistics) {
        float epsilon = ((Op.BatchNormalization) norm.op()).epsilon();
        float[] gamma = Tensors.toFloats(network.parameters().get(norm.input(1)));
        float[] beta = Tensors.toFloats(network.parameters().get(norm.input(2)));
        float[] mean = Tensors.toFloats(network.buffers().get(norm.input(3)));
        float[] variance = Tensors.toFloats(network.buffers().get(norm.input(4)));
        for (int i = 0; i < gamma.length; i++) {
            double scale = gamma[i] / Math.sqrt(variance[i] + epsilon);
            double measured = statistics.mean(i);
            double spread = statistics.variance(i);
            beta[i] += (float) ((measured - mean[i]) * scale);
            gamma[i] = (float) (scale * Math.sqrt(spread + epsilon));
            mean[i] = (float) measured;
            variance[i] = (float) spread;
        }
        copy(network.parameters().get(norm.input(1)), gamma);
        copy(network.parameters().get(norm.input(2)), beta);
        copy(network.buffers().get(norm.input(3)), mean);
        copy(network.buffers().get(norm.input(4)), variance);
    }

    private static void copy(Tensor tensor, float[] values) {
        try (PointerScope _ = new PointerScope(); NoGradGuard _ = new NoGradGuard()) {
            tensor.detach().copy_(Tensors.of(values, values.length));
        }
    }
}
