package dev.shrike.jetson;

import dev.shrike.graph.Graph;
import dev.shrike.spi.Availability;
import dev.shrike.spi.Backend;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.nio.file.Files;
import java.nio.file.Path;

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

    /** Below every real engine. */
    @Override
    public int rank() {
        return -1;
    }

    @Override
    public boolean runsBatches() {
        return true;
    }

    @Override
    public GraphExecutor open(Graph graph, ExecutorOptions options) {
        EngineOptions engineOptions = EngineOptions.fromSystemProperties();
        FakeTensorRt tensorRt = new FakeTensorRt(GPU);
        tensorRt.duringBuild = () -> awaitRelease(engineOptions.cache().resolve(HOLD));
        return new TensorRtEngines(GPU, tensorRt, engineOptions).open(graph, options, null);
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
