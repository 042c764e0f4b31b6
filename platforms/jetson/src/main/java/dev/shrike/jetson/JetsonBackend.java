package dev.shrike.jetson;

import dev.shrike.BackendUnavailableException;
import dev.shrike.DeviceException;
import dev.shrike.graph.Graph;
import dev.shrike.jetson.binding.CudaLibrary;
import dev.shrike.jetson.binding.DeviceNodes;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.binding.MissingLibraries;
import dev.shrike.jetson.binding.TensorRt;
import dev.shrike.jetson.binding.TensorRtLibrary;
import dev.shrike.jetson.engine.EngineFile;
import dev.shrike.jetson.engine.EngineOptions;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Availability;
import dev.shrike.spi.Backend;
import dev.shrike.spi.BuildOptions;
import dev.shrike.spi.BuiltModel;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The engine for NVIDIA GPUs: TensorRT, built for a Jetson with JetPack 5. */
public final class JetsonBackend implements Backend {
    /** The choice that names the file which a network was read from. */
    static final String BUILT = "shrike.tensorrt.file";

    /** The libraries, loaded when they are first needed. */
    private static final class Libraries {
        private static final Gpu GPU;
        private static final TensorRt TENSOR_RT;
        private static final BackendUnavailableException FAILURE;

        static {
            Gpu gpu = null;
            TensorRt tensorRt = null;
            BackendUnavailableException failure = null;
            try {
                DeviceNodes.require();
                // The device first: TensorRT 8.6 crashes when its runtime is created without one.
                gpu = CudaLibrary.open();
                tensorRt = TensorRtLibrary.open();
            } catch (BackendUnavailableException e) {
                failure = e;
            } catch (DeviceException e) {
                failure = new BackendUnavailableException("the GPU does not answer: " + e.getMessage(), e);
            } catch (LinkageError | RuntimeException e) {
                failure = MissingLibraries.explain("CUDA or TensorRT", e);
            }
            GPU = gpu;
            TENSOR_RT = tensorRt;
            FAILURE = failure;
        }

        private Libraries() {}
    }

    /** The TensorRT engine; loads nothing yet. */
    public JetsonBackend() {}

    @Override
    public String name() {
        return "tensorrt";
    }

    @Override
    public int rank() {
        return 10;
    }

    @Override
    public boolean runsBatches() {
        return true;
    }

    @Override
    public Availability probe() {
        if (Libraries.FAILURE != null) {
            return new Availability.Missing(Libraries.FAILURE.getMessage(), Libraries.FAILURE);
        }
        Optional<String> lost = Libraries.GPU.lost();
        if (lost.isPresent()) {
            return new Availability.Missing(TensorRtEngines.lost(lost.get()),
                    new BackendUnavailableException(TensorRtEngines.lost(lost.get())));
        }
        return new Availability.Available("TensorRT " + Libraries.TENSOR_RT.version() + ", "
                + Libraries.GPU.device().describe());
    }

    @Override
    public List<String> details() {
        require();
        return new EngineReport(Libraries.GPU, EngineOptions::fromSystemProperties).lines();
    }

    private static void require() {
        if (Libraries.FAILURE != null) {
            throw new BackendUnavailableException(
                    "the engine 'tensorrt' cannot run here: " + Libraries.FAILURE.getMessage(), Libraries.FAILURE);
        }
    }

    @Override
    public GraphExecutor open(Graph graph, ExecutorOptions options) {
        require();
        String built = options.choices().get(BUILT);
        return engines().open(graph, options, built == null ? null : Path.of(built));
    }

    private static TensorRtEngines engines() {
        return new TensorRtEngines(Libraries.GPU, Libraries.TENSOR_RT, EngineOptions.fromSystemProperties());
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
        EngineFile file = EngineFile.read(model);
        Graph graph = OnnxModels.read(file.onnx().toArray(ValueLayout.JAVA_BYTE), model.toString(), null);
        return new BuiltModel(graph, Map.of(BUILT, model.toAbsolutePath().toString()));
    }

    @Override
    public List<String> build(Graph graph, Path file, BuildOptions options) {
        require();
        if (!options.kernel().isEmpty()) {
            throw new IllegalArgumentException("TensorRT chooses its kernels itself; leave the kernel out");
        }
        EngineOptions how = EngineOptions.fromSystemProperties().with(options);
        EngineFile engine = new TensorRtEngines(Libraries.GPU, Libraries.TENSOR_RT, how).engine(graph);
        engine.write(file);
        return engine.record().describe();
    }
}
