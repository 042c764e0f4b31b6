package dev.shrike.training.torch;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** Mean and variance of each channel of a value over some batches. */
final class ChannelStatistics {
    private final double[] sum;
    private final double[] squares;
    private long count;

    private ChannelStatistics(int channels) {
        this.sum = new double[channels];
        this.squares = new double[channels];
    }

    /**
     * The statistics of values by their names, in the mode that the network is in. No other hooks see these values.
     *
     * @param batches images as {@link TorchNetwork#forward} takes them
     */
    static Map<String, ChannelStatistics> of(TorchNetwork network, List<String> names, List<Tensor> batches) {
        Map<String, ChannelStatistics> statistics = new HashMap<>();
        // Seen as they are computed: kept until the end of a batch they would take what a step takes.
        names.forEach(name -> network.hookValue(name, value -> {
            statistics.computeIfAbsent(name, _ -> new ChannelStatistics((int) value.size(1))).add(value);
            return value;
        }));
        try {
            for (Tensor batch : batches) {
                try (PointerScope _ = new PointerScope(); NoGradGuard _ = new NoGradGuard()) {
                    network.forward(batch);
                }
            }
        } finally {
            names.forEach(name -> network.hookValue(name, null));
        }
        return statistics;
    }

    private void add(Tensor values) {
        for (long image = 0; image < values.size(0); image++) {
            try (PointerScope _ = new PointerScope()) {
                addImage(values.narrow(0, image, 1));
            }
        }
    }

    private void addImage(Tensor values) {
        Tensor doubles = values.detach().to(torch.ScalarType.Double);
        float[] means = TensorMath.floats(doubles.mean(0, 2, 3));
        float[] meanSquares = TensorMath.floats(doubles.square().mean(0, 2, 3));
        long size = values.numel() / sum.length;
        for (int i = 0; i < sum.length; i++) {
            sum[i] += (double) means[i] * size;
            squares[i] += (double) meanSquares[i] * size;
        }
        count += size;
    }

    double mean(int channel) {
        return sum[channel] / count;
    }

    double variance(int channel) {
        return Math.max(0, squares[channel] / count - mean(channel) * mean(channel));
    }

    float[] means() {
        float[] means = new float[sum.length];
        for (int i = 0; i < means.length; i++) {
            means[i] = (float) mean(i);
        }
        return means;
    }

    float[] variances() {
        float[] variances = new float[sum.length];
        for (int i = 0; i < variances.length; i++) {
            variances[i] = (float) variance(i);
        }
        return variances;
    }
}
