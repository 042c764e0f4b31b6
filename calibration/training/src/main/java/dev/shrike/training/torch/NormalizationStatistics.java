package dev.shrike.training.torch;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

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
        Map<String, double[][]> sums = new HashMap<>();
        network.train(false);
        network.keep(norms.stream().map(node -> node.input(0)).toList());
        for (Tensor batch : batches) {
            try (PointerScope _ = new PointerScope(); NoGradGuard _ = new NoGradGuard()) {
                network.forward(batch);
                norms.forEach(norm -> add(sums, norm, network.value(norm.input(0))));
            }
        }
        network.keep(List.of());
        norms.forEach(norm -> set(network, norm, sums.get(norm.name())));
    }

    private static void add(Map<String, double[][]> sums, Node norm, Tensor value) {
        Tensor exact = value.to(torch.ScalarType.Double);
        float[] mean = Tensors.toFloats(exact.mean(0, 2, 3).to(torch.ScalarType.Float));
        float[] square = Tensors.toFloats(exact.mul(exact).mean(0, 2, 3).to(torch.ScalarType.Float));
        double[][] sum = sums.computeIfAbsent(norm.name(), _ -> new double[3][mean.length]);
        for (int i = 0; i < mean.length; i++) {
            sum[0][i] += mean[i];
            sum[1][i] += square[i];
            sum[2][i]++;
        }
    }

    private static void set(GraphNetwork network, Node norm, double[][] sums) {
        float epsilon = ((Op.BatchNormalization) norm.op()).epsilon();
        float[] gamma = Tensors.toFloats(network.parameters().get(norm.input(1)));
        float[] beta = Tensors.toFloats(network.parameters().get(norm.input(2)));
        float[] mean = Tensors.toFloats(network.buffers().get(norm.input(3)));
        float[] variance = Tensors.toFloats(network.buffers().get(norm.input(4)));
        for (int i = 0; i < gamma.length; i++) {
            double scale = gamma[i] / Math.sqrt(variance[i] + epsilon);
            double measured = sums[0][i] / sums[2][i];
            double spread = Math.max(0, sums[1][i] / sums[2][i] - measured * measured);
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
