package dev.shrike.jetson;

import dev.shrike.BackendUnavailableException;
import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.binding.TensorRt;
import dev.shrike.jetson.engine.BuildProgress;
import dev.shrike.jetson.engine.CalibrationCache;
import dev.shrike.jetson.engine.CalibrationImages;
import dev.shrike.jetson.engine.EngineCache;
import dev.shrike.jetson.engine.EngineFile;
import dev.shrike.jetson.engine.EngineOptions;
import dev.shrike.jetson.engine.EngineRecord;
import dev.shrike.jetson.engine.NetworkSource;
import dev.shrike.jetson.engine.TensorRtBuilder;
import dev.shrike.jetson.execution.DecodeChoice;
import dev.shrike.jetson.execution.TensorRtExecutor;
import dev.shrike.spi.BatchProfile;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.lang.System.Logger;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Gets an engine for a network from where it is quickest: the file it was built into, the cache, or the builder. */
final class TensorRtEngines {
    private static final Logger LOG = System.getLogger(TensorRtEngines.class.getName());

    private final Gpu gpu;
    private final TensorRt tensorRt;
    private final EngineOptions options;
    private final EngineCache cache;
    private final TensorRtBuilder builder;
    private final DecodeChoice choice;

    TensorRtEngines(Gpu gpu, TensorRt tensorRt, EngineOptions options) {
        this(gpu, tensorRt, options, DecodeChoice.of(options.decode()));
    }

    /** With a choice in place of the options' own. */
    TensorRtEngines(Gpu gpu, TensorRt tensorRt, EngineOptions options, DecodeChoice choice) {
        this.choice = choice;
        this.gpu = gpu;
        this.tensorRt = tensorRt;
        this.options = options;
        this.cache = new EngineCache(options.cache());
        this.builder = new TensorRtBuilder(gpu, tensorRt, options, BuildProgress.logging());
    }

    /** An executor of the network; {@code built} is the file that it came from, or null. */
    GraphExecutor open(Graph graph, ExecutorOptions executorOptions, Path built) {
        TensorRtExecutor.requireNoTaps(executorOptions.taps());
        requireAlive(gpu);
        // Writing the network out takes as long as loading an engine, so a built file that is usable goes without.
        Supplier<NetworkSource> network =
                () -> NetworkSource.of(graph, executorOptions.inputShapes(), options.batches());
        EngineFile file = built == null
                ? engine(network.get()) : builtEngine(built, graph, executorOptions.inputShapes());
        TensorRtExecutor executor = new TensorRtExecutor(gpu, tensorRt, file, choice);
        try {
            requireShapes(executor, executorOptions.inputShapes());
            return executor;
        } catch (UnsupportedModelException e) {
            executor.close();
            throw e;
        }
    }

    /**
     * To be called before an engine is opened.
     *
     * @throws BackendUnavailableException if an error has ended the process's use of the GPU
     */
    static void requireAlive(Gpu gpu) {
        gpu.lost().ifPresent(why -> {
            throw new BackendUnavailableException(lost(why), null);
        });
    }

    /** That the process has lost the GPU. */
    static String lost(String why) {
        return "an earlier error ended this process's use of the GPU: restart the process (" + why + ")";
    }

    /** A built file has the sizes and the batch that it was built for. */
    private static void requireShapes(TensorRtExecutor executor, Map<String, Shape> wanted) {
        for (Binding input : executor.inputs()) {
            Shape shape = wanted.get(input.name());
            if (shape != null && !fits(input.dims(), shape.toArray())) {
                throw new UnsupportedModelException("the engine was built for '" + input.name() + "' of " + input.dims()
                        + ", " + shape.dims() + " was asked for: build it again for that shape");
            }
        }
    }

    /** Whether these are the wanted sizes; those that are left open are the engine's. */
    private static boolean fits(List<Integer> dims, long[] wanted) {
        boolean fits = dims.size() == wanted.length;
        for (int d = 0; fits && d < wanted.length; d++) {
            fits = wanted[d] == Shape.OPEN || wanted[d] == dims.get(d);
        }
        return fits;
    }

    /** The engine in a file, or the same built again if that one is for another GPU or TensorRT. */
    private EngineFile builtEngine(Path file, Graph graph, Map<String, Shape> inputShapes) {
        EngineFile engine = EngineFile.read(file);
        EngineRecord record = engine.record();
        Gpu.Device device = gpu.device();
        EngineRecord here = new EngineRecord(record.model(), record.precision(), record.calibration(), record.data(),
                record.dlaCore(), record.batches(), record.workspaceBytes(), record.detailed(),
                tensorRt.version(), device.model(),
                device.major() + "." + device.minor(),
                List.of(), 0);
        String difference = record.difference(here);
        if (difference.isEmpty()) {
            return engine;
        }
        LOG.log(Logger.Level.WARNING, file + ": is for " + difference + "; it is built again for this device");
        if (record.calibration() != null) {
            // The images are not in the file, but TensorRT's results on them are, and they hold for every GPU.
            CalibrationCache.of(options.cache(), here).write(engine.calibration());
        }
        Optional<BatchProfile> batches = Optional.ofNullable(record.batches());
        // For the case that this TensorRT does not take the other one's results.
        List<Path> images = record.calibration() == null ? List.of() : images();
        return cache.get(here, () -> builder.build(NetworkSource.of(graph, inputShapes, batches), images, here));
    }

    private List<Path> images() {
        return options.data().map(folder -> CalibrationImages.list(folder, options.images())).orElse(List.of());
    }

    /** The engine of a network as the options want it. */
    EngineFile engine(Graph graph) {
        return engine(NetworkSource.of(graph, Map.of(), options.batches()));
    }

    /** The engine of a network, from the cache or new. */
    EngineFile engine(NetworkSource network) {
        requireAlive(gpu);
        List<Path> images = images();
        EngineRecord record = builder.record(network, images);
        EngineFile engine = cache.get(record, () -> builder.build(network, images, record));
        if (engine.plan().byteSize() == 0) {
            throw new ModelException("the engine in the cache is empty; delete " + cache.folder());
        }
        return engine;
    }
}
