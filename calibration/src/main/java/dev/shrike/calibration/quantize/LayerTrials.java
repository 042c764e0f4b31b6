package dev.shrike.calibration.quantize;

import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.activations.Elements;
import dev.shrike.calibration.activations.Subgraphs;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.spi.Backend;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How far the results of the last layers move on a few images when one layer of a quantised network gets other
 * weights: the mean squared distance as a share of the mean square of what they were, summed over the last layers.
 */
final class LayerTrials {
    private final Graph graph;
    private final Backend backend;
    private final int threads;
    private final List<float[]> images = new ArrayList<>();
    private final List<Map<String, float[]>> wanted = new ArrayList<>();

    /**
     * @param quantized the network
     * @param last names of the results to watch
     * @param count how many of the images to use
     */
    LayerTrials(Graph quantized, List<String> last, CalibrationImages images, int count, Backend backend,
            int threads) {
        this.graph = Subgraphs.resized(quantized, images.shape(), last);
        this.backend = backend;
        this.threads = threads;
        for (int i = 0; i < Math.min(count, images.size()); i++) {
            float[] image = new float[Math.toIntExact(images.shape().elements())];
            images.read(i, image);
            this.images.add(image);
        }
        run(graph, (_, results) -> wanted.add(results));
    }

    private interface Sink {
        void take(int image, Map<String, float[]> results);
    }

    private void run(Graph network, Sink sink) {
        try (GraphExecutor executor = backend.open(network, ExecutorOptions.DEFAULT.withThreads(threads))) {
            for (int i = 0; i < images.size(); i++) {
                Elements.write(images.get(i), executor.inputs().getFirst());
                executor.run();
                sink.take(i, Elements.all(executor.outputs()));
            }
        }
    }

    /** The distance if the layer has these weights. */
    double distance(String layer, Tensor codes, Quantization how) {
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        Map<String, Quantization> quantization = new HashMap<>(graph.quantization());
        for (Node node : graph.nodes()) {
            if (node.name().equals(layer)) {
                constants.put(node.input(1), codes);
                quantization.put(node.input(1), how);
            }
        }
        Map<String, double[]> sums = new HashMap<>();
        run(graph.withNodes(graph.nodes(), constants, quantization), (image, results) -> {
            for (Map.Entry<String, float[]> entry : results.entrySet()) {
                float[] was = wanted.get(image).get(entry.getKey());
                double[] sum = sums.computeIfAbsent(entry.getKey(), _ -> new double[2]);
                for (int i = 0; i < was.length; i++) {
                    double moved = entry.getValue()[i] - (double) was[i];
                    sum[0] += moved * moved;
                    sum[1] += (double) was[i] * was[i];
                }
            }
        });
        return sums.values().stream().mapToDouble(sum -> sum[1] == 0 ? 0 : sum[0] / sum[1]).sum();
    }
}
