package dev.shrike.cpu;

import dev.shrike.BackendUnavailableException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.cpu.binding.CpuFeatures;
import dev.shrike.cpu.binding.CpuModel;
import dev.shrike.cpu.binding.NativeLibrary;
import dev.shrike.cpu.binding.NativeLoader;
import dev.shrike.cpu.file.ShrikeFile;
import dev.shrike.cpu.plan.PlanBuilder;
import dev.shrike.cpu.steps.ConvKernel;
import dev.shrike.cpu.steps.CpuSettings;
import dev.shrike.cpu.steps.KernelChoice;
import dev.shrike.cpu.tuning.Choices;
import dev.shrike.cpu.tuning.Tuner;
import dev.shrike.graph.Graph;
import dev.shrike.spi.Availability;
import dev.shrike.spi.Backend;
import dev.shrike.spi.BuildOptions;
import dev.shrike.spi.BuiltModel;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

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
        NativeLibrary library = library();
        CpuSettings settings = CpuSettings.fromSystemProperties();
        return PlanBuilder.build(library, graph, options, settings,
                KernelChoice.of(settings, chosen(library, settings, graph, options)));
    }

    /** The kernels that tuning chose before, or that it chooses now if the settings want that. */
    private static Map<String, ConvKernel> chosen(
            NativeLibrary library, CpuSettings settings, Graph graph, ExecutorOptions options) {
        Optional<Choices> before = Optional.empty();
        if (!options.choices().isEmpty()) {
            String target = Choices.target(CpuModel.here(), library, settings, PlanBuilder.threads(options));
            before = Choices.read(options.choices(), target);
        }
        if (before.isEmpty() && CpuSettings.tunesOnOpening()) {
            before = Optional.of(
                    Tuner.here(library, settings).tune(graph, options, BuildOptions.Progress.NONE).choices());
        }
        return before.map(Choices::kernels).orElse(Map.of());
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
    public List<String> kernels() {
        return ConvKernel.labels();
    }

    @Override
    public BuiltModel read(Path model) {
        ShrikeFile file = ShrikeFile.read(model);
        return new BuiltModel(file.graph(), file.choices());
    }

    @Override
    public List<String> build(Graph graph, Path file, BuildOptions options) {
        if (options.batches().isPresent() || options.calibration().isPresent()) {
            throw new UnsupportedModelException(file + ": the engine 'cpu' runs one image at a time, and takes ranges"
                    + " from the model: batches and calibration are for .engine files");
        }
        if (!options.tune() && options.kernel().isEmpty()) {
            new ShrikeFile(graph, Map.of()).write(file);
            return List.of();
        }
        return new FileBuild(library(), CpuSettings.fromSystemProperties(), options).write(graph, file);
    }

    /** The bound library. */
    public static NativeLibrary library() {
        if (Library.LOADED == null) {
            throw new BackendUnavailableException(
                    "the CPU engine cannot run here: " + Library.FAILURE.getMessage(), Library.FAILURE);
        }
        return Library.LOADED;
    }
}
