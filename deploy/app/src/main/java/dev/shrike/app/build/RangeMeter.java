package dev.shrike.app.build;

import dev.shrike.Frame;
import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.ranges.ActivationStatistics;
import dev.shrike.graph.Graph;
import dev.shrike.graph.ValueInfo;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.vision.Letterbox;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * The smallest and largest values that a float network gives on images. Keeps nothing of an image but these. Owns an
 * executor; confined to one thread.
 */
public final class RangeMeter implements AutoCloseable {
    private final GraphExecutor executor;
    private final Letterbox letterbox;
    private final Set<String> wanted;
    private final Map<String, float[]> ranges = new HashMap<>();

    private RangeMeter(GraphExecutor executor, Letterbox letterbox, Set<String> wanted) {
        this.executor = executor;
        this.letterbox = letterbox;
        this.wanted = wanted;
    }

    /**
     * A meter for these values of a graph.
     *
     * @throws UnsupportedModelException if the graph does not take one image
     */
    public static RangeMeter open(Graph graph, Set<String> wanted, Backend backend, int threads) {
        Set<String> taps = new HashSet<>(wanted);
        graph.inputs().stream().map(ValueInfo::name).forEach(taps::remove);
        GraphExecutor executor = backend.open(graph, ExecutorOptions.DEFAULT.withThreads(threads).withTaps(taps));
        try {
            if (executor.inputs().size() != 1) {
                throw new UnsupportedModelException("ranges are measured on images, but this network has "
                        + executor.inputs().size() + " inputs");
            }
            return new RangeMeter(executor, new Letterbox(executor.inputs().getFirst()), Set.copyOf(wanted));
        } catch (IllegalArgumentException e) {
            executor.close();
            throw new UnsupportedModelException("ranges are measured on images, but " + e.getMessage(), e);
        } catch (RuntimeException | Error e) {
            executor.close();
            throw e;
        }
    }

    /**
     * Runs the network on an image and widens the ranges.
     *
     * @throws dev.shrike.SourceException if the image cannot be read
     * @throws ModelException if a value is no finite number
     */
    void measure(Path image) {
        measure(Frame.read(image), image.toString());
    }

    /**
     * As {@link #measure(Path)}, of an image in memory.
     *
     * @param image what messages call it
     */
    public void measure(Frame frame, String image) {
        letterbox.apply(frame);
        // Before the run: it may use the memory of the input for something else once that was read.
        executor.inputs().stream().filter(input -> wanted.contains(input.name())).forEach(b -> widen(b, image));
        executor.run();
        executor.taps().forEach(b -> widen(b, image));
    }

    /** Smallest and largest value by name. */
    public Map<String, float[]> ranges() {
        return Map.copyOf(ranges);
    }

    /** The same for a quantiser; a value without elements has no range. */
    public Map<String, ActivationStatistics> statistics() {
        Map<String, ActivationStatistics> statistics = new HashMap<>();
        ranges.forEach((name, range) -> {
            if (range[0] <= range[1]) {
                statistics.put(name, ActivationStatistics.ofRange(range[0], range[1]));
            }
        });
        return statistics;
    }

    private void widen(Binding binding, String image) {
        float[] range = ranges.computeIfAbsent(
                binding.name(), _ -> new float[] {Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY});
        // Along memory, whatever the order of the dimensions.
        List<Integer> order = new ArrayList<>(IntStream.range(0, binding.dims().size()).boxed().toList());
        order.sort(Comparator.comparingInt((Integer d) -> -binding.strides().get(d)));
        if (!scan(binding, order, 0, 0, range)) {
            throw new ModelException("value '" + binding.name() + "' is no finite number on " + image
                    + ": the network overflows or is broken, so it cannot be quantised");
        }
    }

    /** Whether all elements from {@code at} on, over the dimensions from {@code depth} of the order, are finite. */
    private static boolean scan(Binding binding, List<Integer> order, int depth, long at, float[] range) {
        if (depth < order.size() - 1) {
            int d = order.get(depth);
            boolean finite = true;
            for (int i = 0; finite && i < binding.dims().get(d); i++) {
                finite = scan(binding, order, depth + 1, at + (long) i * binding.strides().get(d), range);
            }
            return finite;
        }
        int count = order.isEmpty() ? 1 : binding.dims().get(order.getLast());
        long stride = order.isEmpty() ? 0 : binding.strides().get(order.getLast());
        MemorySegment memory = binding.memory();
        float low = range[0];
        float high = range[1];
        boolean finite = true;
        for (int i = 0; i < count; i++) {
            float value = memory.getAtIndex(ValueLayout.JAVA_FLOAT, at + i * stride);
            finite &= Float.isFinite(value);
            low = Math.min(low, value);
            high = Math.max(high, value);
        }
        range[0] = low;
        range[1] = high;
        return finite;
    }

    @Override
    public void close() {
        letterbox.close();
        executor.close();
    }
}
