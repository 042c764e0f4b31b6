package dev.shrike.calibration.training;

import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.activations.HeapGarbage;
import dev.shrike.calibration.linear.BlasThreads;
import dev.shrike.graph.Graph;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/** Runs a network with gradients of its values on images, several at a time, each on a network of its own. */
final class ImagePasses {
    private final List<TrainingNetwork> networks = new ArrayList<>();

    /** @param threads worker threads; 0 takes one per processor */
    ImagePasses(Graph graph, Map<String, LayerParameters> parameters, int threads) {
        int count = threads > 0 ? threads : Runtime.getRuntime().availableProcessors();
        for (int i = 0; i < count; i++) {
            networks.add(new TrainingNetwork(graph, parameters, Map.of(), TrainingNetwork.Gradients.VALUES));
        }
    }

    /** What is measured on an image. */
    @FunctionalInterface
    interface Measurement<T> {
        T of(TrainingNetwork network, int image, float[] pixels);
    }

    /** One of the networks, for the shapes of its values. */
    TrainingNetwork network() {
        return networks.getFirst();
    }

    /**
     * Measures all images.
     *
     * @param results takes what was measured, by the caller's thread, in the order of the images
     * @param listener told of the images begun
     */
    <T> void run(CalibrationImages images, Measurement<T> measurement, Consumer<T> results, IntConsumer listener) {
        HeapGarbage garbage = new HeapGarbage();
        // Each thread multiplies by itself.
        try (BlasThreads _ = BlasThreads.use(1);
                ExecutorService pool = Executors.newFixedThreadPool(networks.size())) {
            Deque<Future<T>> running = new ArrayDeque<>();
            for (int i = 0; i < images.size(); i++) {
                int image = i;
                float[] pixels = new float[(int) images.shape().elements()];
                images.read(i, pixels);
                TrainingNetwork network = networks.get(i % networks.size());
                if (i >= networks.size()) {
                    results.accept(WindowReader.await(running.remove()));
                }
                garbage.check();
                running.add(pool.submit(() -> measurement.of(network, image, pixels)));
                listener.accept(i + 1);
            }
            running.forEach(future -> results.accept(WindowReader.await(future)));
        }
    }
}
