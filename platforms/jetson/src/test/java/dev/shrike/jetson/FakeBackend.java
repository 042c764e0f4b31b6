package dev.shrike.jetson;

import dev.shrike.graph.Graph;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.engine.EngineFile;
import dev.shrike.jetson.engine.EngineOptions;
import dev.shrike.spi.Availability;
import dev.shrike.spi.Backend;
import dev.shrike.spi.BuildOptions;
import dev.shrike.spi.BuiltModel;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The TensorRT engine as a backend of its own, {@code played}, on a GPU and a TensorRT that the processor plays: for
 * the GPU suite where there is no GPU. A build does not end while a file {@code hold} lies in the cache.
 */
public final class FakeBackend implements Backend {
    /** Name of the engine. */
    static final String NAME = "played";

    /** Name of the file in the cache that keeps builds from ending. */
    static final String HOLD = "hold";

    private static final HostGpu GPU = new HostGpu();

    /** As the service loader wants it. */
    public FakeBackend() {}

    static Gpu gpu() {
        return GPU;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public Availability probe() {
        return new Availability.Available("a TensorRT that the processor plays: its figures mean nothing");
    }

    /** Above the real engine, whose files it reads and builds here. */
    @Override
    public int rank() {
        return 20;
    }

    @Override
    public boolean runsBatches() {
        return true;
    }

    @Override
    public GraphExecutor open(Graph graph, ExecutorOptions options) {
        String built = options.choices().get(JetsonBackend.BUILT);
        return engines(EngineOptions.fromSystemProperties()).open(graph, options,
                built == null ? null : Path.of(built));
    }

    private static TensorRtEngines engines(EngineOptions options) {
        FakeTensorRt tensorRt = new FakeTensorRt(GPU);
        tensorRt.duringBuild = () -> awaitRelease(options.cache().resolve(HOLD));
        return new TensorRtEngines(GPU, tensorRt, options);
    }

    @Override
    public boolean isPortable() {
        return false;
    }

    @Override
    public String extension() {
        return ".engine";
    }

    @Override
    public boolean reads(Path model) {
        return EngineFile.isOne(model);
    }

    @Override
    public BuiltModel read(Path model) {
        return new JetsonBackend().read(model);
    }

    @Override
    public List<String> build(Graph graph, Path file, BuildOptions options) {
        EngineFile engine = engines(EngineOptions.fromSystemProperties().with(options)).engine(graph);
        engine.write(file);
        return engine.record().describe();
    }

    private static void awaitRelease(Path hold) {
        try {
            while (Files.exists(hold)) {
                Thread.sleep(20);
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("a build cannot be interrupted", e);
        }
    }
}
