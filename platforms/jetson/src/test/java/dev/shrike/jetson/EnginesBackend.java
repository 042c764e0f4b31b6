package dev.shrike.jetson;

import dev.shrike.graph.Graph;
import dev.shrike.spi.Availability;
import dev.shrike.spi.Backend;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;

/** Engines as a backend, for detectors on a fake GPU. */
record EnginesBackend(TensorRtEngines engines) implements Backend {
    @Override
    public String name() {
        return "played";
    }

    @Override
    public Availability probe() {
        return new Availability.Available("always");
    }

    @Override
    public int rank() {
        return 0;
    }

    @Override
    public boolean runsBatches() {
        return true;
    }

    @Override
    public GraphExecutor open(Graph graph, ExecutorOptions options) {
        return engines.open(graph, options, null);
    }
}
