package dev.shrike.cpu;

import dev.shrike.BackendUnavailableException;
import dev.shrike.graph.Graph;
import dev.shrike.spi.Availability;
import dev.shrike.spi.Backend;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.nio.file.Path;
import java.util.Map;

/** The engine for the machine's own processor. */
public final class CpuBackend implements Backend {
    /** Loads the library when it is first needed, and remembers why it could not. */
    private static final class Library {
        private static final NativeLibrary LOADED;
        private static final Throwable FAILURE;

        static {
            NativeLibrary library = null;
            Throwable failure = null;
            try {
                library = NativeLibrary.bind(NativeLoader.load());
            } catch (RuntimeException | LinkageError e) {
                failure = e;
            }
            LOADED = library;
            FAILURE = failure;
        }

        private Library() {}
    }

    /** The CPU engine; loads nothing yet. */
    public CpuBackend() {}

    @Override
    public String name() {
        return "cpu";
    }

    @Override
    public int rank() {
        return 0;
    }

    @Override
    public Availability probe() {
        if (Library.LOADED == null) {
            return new Availability.Missing(String.valueOf(Library.FAILURE.getMessage()), Library.FAILURE);
        }
        return new Availability.Available("libshrike " + Library.LOADED.versionText() + ", "
                + CpuFeatures.describe(Library.LOADED.features()));
    }

    @Override
    public GraphExecutor open(Graph graph, ExecutorOptions options) {
        return PlanBuilder.build(library(), graph, options, CpuSettings.fromSystemProperties());
    }

    @Override
    public String extension() {
        return ".shrike";
    }

    @Override
    public boolean reads(Path model) {
        return ShrikeFile.isOne(model);
    }

    @Override
    public Graph load(Path model) {
        return ShrikeFile.read(model).graph();
    }

    @Override
    public void build(Graph graph, Path file) {
        new ShrikeFile(graph, Map.of()).write(file);
    }

    /** The bound library. */
    static NativeLibrary library() {
        if (Library.LOADED == null) {
            throw new BackendUnavailableException(
                    "the CPU engine cannot run here: " + Library.FAILURE.getMessage(), Library.FAILURE);
        }
        return Library.LOADED;
    }
}
