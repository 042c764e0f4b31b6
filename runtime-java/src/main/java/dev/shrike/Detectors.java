package dev.shrike;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import dev.shrike.spi.BuiltModel;
import dev.shrike.vision.Letterbox;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/** Opens detectors on the best engine that runs the model here. */
public final class Detectors {
    private Detectors() {}

    /** A detector for the model file with default options; see {@link #open(Path, DetectorOptions)}. */
    public static Detector open(Path model) {
        return open(model, DetectorOptions.DEFAULT);
    }

    /**
     * A detector for a model of YOLOv5 or YOLOv8: an ONNX file, or one that an engine built from it. The contents tell
     * them apart, not the name.
     *
     * @throws ModelException if the file is missing, broken or no model; names it
     * @throws UnsupportedModelException if the model is sound but no engine runs it, or it does not detect, or it fixes
     *     another input size than the options ask for
     * @throws BackendUnavailableException if no engine can run here; says what each is missing
     * @throws OperationInterruptedException if the thread was interrupted while it read the file
     * @throws IllegalArgumentException if the options ask for classes that the model does not have
     */
    public static Detector open(Path model, DetectorOptions options) {
        List<Backend> backends = Backends.installed();
        for (Backend backend : backends) {
            if (backend.reads(model)) {
                return besidePictures(() -> openBuilt(model, options, backend));
            }
        }
        requireUnbuilt(model);
        return besidePictures(() -> {
            Graph network = OnnxModels.read(model);
            return named(model, () -> open(network, options, backends));
        });
    }

    /** What the supplier gives, while another thread loads what letterboxes need; it has ended afterwards. */
    private static Detector besidePictures(Supplier<Detector> opening) {
        Thread loading = Letterbox.prepare();
        try {
            return opening.get();
        } finally {
            join(loading);
        }
    }

    private static void join(Thread thread) {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** A detector for a file that the engine built. */
    static Detector openBuilt(Path model, DetectorOptions options, Backend backend) {
        if (!options.engine().isEmpty() && !backend.name().equalsIgnoreCase(options.engine())) {
            throw new UnsupportedModelException(model + ": was built for the engine '" + backend.name()
                    + "' and does not run on '" + options.engine() + "'; name no engine, or give the ONNX file");
        }
        BuiltModel built = backend.read(model);
        return named(model, () -> {
            requireBuiltSize(built.graph(), options);
            return open(built, options, List.of(backend));
        });
    }

    /** Fails for names of built models whose contents no engine took for its own. */
    private static void requireUnbuilt(Path model) {
        String name = String.valueOf(model.getFileName()).toLowerCase(Locale.ROOT);
        boolean built = name.endsWith(".shrike") || name.endsWith(".engine");
        if (!built || !Files.exists(model)) {
            return;
        }
        throw new ModelException(model + ": its name is that of a built model, but it does not begin like one that an"
                + " installed engine built: build it again with 'shrike build', or give the ONNX file");
    }

    private static void requireBuiltSize(Graph network, DetectorOptions options) {
        if (network.inputs().size() != 1 || network.inputs().getFirst().shape().rank() != 4) {
            return;
        }
        Shape shape = network.inputs().getFirst().shape();
        boolean height = options.inputHeight() == 0 || options.inputHeight() == shape.dim(2);
        boolean width = options.inputWidth() == 0 || options.inputWidth() == shape.dim(3);
        if (!height || !width) {
            throw new UnsupportedModelException("it was built for pictures of " + shape.dim(3) + "x" + shape.dim(2)
                    + " (width x height), another size was asked for: leave the size out, or build it again with"
                    + " 'shrike build --imgsz " + options.inputHeight()
                    + (options.inputHeight() == options.inputWidth() ? "" : "," + options.inputWidth()) + "'");
        }
    }

    /** What the supplier gives; errors about the model name its file. */
    private static Detector named(Path model, Supplier<Detector> opening) {
        try {
            return opening.get();
        } catch (UnsupportedModelException e) {
            throw new UnsupportedModelException(model + ": " + e.getMessage(), e);
        } catch (ModelException e) {
            throw new ModelException(model + ": " + e.getMessage(), e);
        }
    }

    /** A detector for a network in memory; errors are those of {@link #open(Path, DetectorOptions)}. */
    public static Detector open(Graph network, DetectorOptions options) {
        return open(network, options, Backends.installed());
    }

    /** A detector on one of these engines, tried by descending rank. */
    static Detector open(Graph network, DetectorOptions options, List<Backend> backends) {
        return open(new BuiltModel(network, Map.of()), options, backends);
    }

    private static Detector open(BuiltModel model, DetectorOptions options, List<Backend> backends) {
        ShrikeException first = null;
        for (Backend backend : Backends.usable(backends, options.engine())) {
            try {
                return NetworkDetector.open(model.graph(), model.choices(), options, backend);
            } catch (UnsupportedModelException | BackendUnavailableException e) {
                if (first == null) {
                    first = e;
                } else {
                    first.addSuppressed(e);
                }
            }
        }
        throw first;
    }
}
