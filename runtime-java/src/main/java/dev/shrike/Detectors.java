package dev.shrike;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import dev.shrike.spi.BuiltModel;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.AccessDeniedException;
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
                return openBuilt(model, options, backend);
            }
        }
        requireUnbuilt(model);
        Graph network = OnnxModels.read(model);
        return named(model, () -> open(network, options, backends));
    }

    /** The file of a model for an input of that many pixels. */
    @FunctionalInterface
    public interface SizedModel {
        /**
         * The file; the same one for each size if the model leaves its size open.
         *
         * @param width width of the input in pixels, 0 for the usual one
         * @param height height of the input in pixels, 0 for the usual one
         */
        Path model(int width, int height);
    }

    /**
     * A detector that runs on each frame three times, as YOLOv5 does with {@code --augment}: in full size, in 0.83 of
     * it and mirrored, and in 0.67 of it; what it saw in all three goes through one suppression.
     *
     * @param model an ONNX model of YOLOv5 with decoded outputs whose input size is open, or one for each size
     * @throws UnsupportedModelException also if the model is built or has one size only, or has other outputs
     */
    public static Detector openAugmented(SizedModel model, DetectorOptions options) {
        return AugmentedDetector.open(model, options, Backends.installed());
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
        requireReadable(model);
        throw new ModelException(model + ": its name is that of a built model, but it does not begin like one that an"
                + " installed engine built: build it again with 'shrike build', or give the ONNX file");
    }

    /**
     * Fails for what is no readable file, whatever it is called, so that it is not taken for a damaged one.
     *
     * @throws ModelException if it is a folder, may not be read or is empty
     */
    private static void requireReadable(Path model) {
        if (Files.isDirectory(model)) {
            throw new ModelException(model + ": is a folder, not a model file");
        }
        try (InputStream in = Files.newInputStream(model)) {
            if (in.read() < 0) {
                throw new ModelException(model + ": is empty (0 bytes): build it again with 'shrike build', or copy it"
                        + " again");
            }
        } catch (AccessDeniedException e) {
            throw new ModelException(model + ": may not be read: permission denied", e);
        } catch (IOException e) {
            throw new ModelException(model + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static void requireBuiltSize(Graph network, DetectorOptions options) {
        if (network.inputs().size() != 1 || network.inputs().getFirst().shape().rank() != 4) {
            return;
        }
        Shape shape = network.inputs().getFirst().shape();
        boolean height = options.inputHeight() == 0 || options.inputHeight() == shape.dim(2);
        boolean width = options.inputWidth() == 0 || options.inputWidth() == shape.dim(3);
        if (!height || !width) {
            throw new UnsupportedModelException("it was built for images of " + shape.dim(3) + "x" + shape.dim(2)
                    + " (width x height), another size was asked for: leave the size out, or build it again with"
                    + " 'shrike build --imgsz " + options.inputHeight()
                    + (options.inputHeight() == options.inputWidth() ? "" : "," + options.inputWidth()) + "'");
        }
    }

    /** What the supplier gives; errors about the model name its file. */
    static Detector named(Path model, Supplier<Detector> opening) {
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
                return NetworkOpening.open(model.graph(), model.choices(), options, backend);
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
