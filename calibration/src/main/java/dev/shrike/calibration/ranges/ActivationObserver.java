package dev.shrike.calibration.ranges;

import dev.shrike.ModelException;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.activations.Elements;
import dev.shrike.calibration.activations.Subgraphs;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Runs a float network on images and keeps statistics of its values, in memory that does not grow with the number of
 * images. The owner closes it; confined to one thread.
 */
public final class ActivationObserver implements AutoCloseable {
    private final GraphExecutor executor;
    private final Set<String> values;
    private final Map<String, ActivationStatistics> statistics = new TreeMap<>();
    private float[] buffer = new float[0];

    /**
     * A collector for these values.
     *
     * @param graph a float graph with one input
     * @param values names of inputs and inner values
     * @param image shape of the images, {@code [1, 3, height, width]}
     */
    public ActivationObserver(Graph graph, Set<String> values, Shape image, Backend backend, int threads) {
        this.values = Set.copyOf(values);
        Set<String> inner = new HashSet<>(values);
        graph.inputs().forEach(input -> inner.remove(input.name()));
        executor = backend.open(Subgraphs.resized(graph, image, inner), ExecutorOptions.DEFAULT.withThreads(threads));
    }

    /** Continues statistics that were recorded before. */
    public void resume(Map<String, ActivationStatistics> recorded) {
        statistics.putAll(recorded);
    }

    /**
     * Runs the network on an image.
     *
     * @throws ModelException if a value is no finite number
     */
    public void add(CalibrationImages images, int index) {
        Binding input = executor.inputs().getFirst();
        images.read(index, buffer(input));
        Elements.write(buffer, input);
        // Before the run, which may use the memory of the input for something else.
        if (values.contains(input.name())) {
            take(input, images, index);
        }
        executor.run();
        for (Binding output : executor.outputs()) {
            take(output, images, index);
        }
    }

    private void take(Binding binding, CalibrationImages images, int index) {
        Elements.read(binding, buffer(binding));
        try {
            statistics.computeIfAbsent(binding.name(), _ -> new ActivationStatistics(Elements.channels(binding)))
                    .add(buffer, binding.elements());
        } catch (IllegalArgumentException e) {
            throw new ModelException("value '" + binding.name() + "' on " + images.file(index) + ": " + e.getMessage()
                    + ": the network overflows or is broken, so it cannot be quantised", e);
        }
    }

    private float[] buffer(Binding binding) {
        if (buffer.length < binding.elements()) {
            buffer = new float[binding.elements()];
        }
        return buffer;
    }

    /** What was seen, by the name of the value. */
    public Map<String, ActivationStatistics> statistics() {
        return Map.copyOf(statistics);
    }

    @Override
    public void close() {
        executor.close();
    }
}
