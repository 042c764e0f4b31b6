package dev.shrike;

import dev.shrike.graph.Graph;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Availability;
import dev.shrike.spi.Backend;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;

/** Opens detectors on the best engine that runs the model here. */
public final class Detectors {
    private Detectors() {}

    /** A detector for the model file with default options; see {@link #open(Path, DetectorOptions)}. */
    public static Detector open(Path model) {
        return open(model, DetectorOptions.DEFAULT);
    }

    /**
     * A detector for an ONNX model of YOLOv5 or YOLOv8.
     *
     * @throws ModelException if the file is missing, broken or no model; names it
     * @throws UnsupportedModelException if the model is sound but no engine runs it, or it does not detect, or it fixes
     *     another input size than the options ask for
     * @throws BackendUnavailableException if no engine can run here; says what each is missing
     * @throws IllegalArgumentException if the options ask for classes that the model does not have
     */
    public static Detector open(Path model, DetectorOptions options) {
        String name = String.valueOf(model.getFileName()).toLowerCase(Locale.ROOT);
        // Compiled plans (.shrike) and engines will be told apart here and handed to the engine that wrote them.
        if (name.endsWith(".shrike") || name.endsWith(".engine")) {
            throw new UnsupportedModelException(model + ": compiled models cannot be opened yet: give the .onnx file "
                    + "that it was made from");
        }
        Graph network = OnnxModels.read(model);
        try {
            return open(network, options);
        } catch (UnsupportedModelException e) {
            throw new UnsupportedModelException(model + ": " + e.getMessage(), e);
        } catch (ModelException e) {
            throw new ModelException(model + ": " + e.getMessage(), e);
        }
    }

    /** A detector for a network in memory; errors are those of {@link #open(Path, DetectorOptions)}. */
    public static Detector open(Graph network, DetectorOptions options) {
        return open(network, options, installed());
    }

    /** A detector on one of these engines, tried by descending rank. */
    static Detector open(Graph network, DetectorOptions options, List<Backend> backends) {
        ShrikeException first = null;
        for (Backend backend : usable(backends, options.engine())) {
            try {
                return NetworkDetector.open(network, options, backend);
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

    private static List<Backend> installed() {
        List<Backend> backends = new ArrayList<>();
        Iterator<Backend> found = ServiceLoader.load(Backend.class, Detectors.class.getClassLoader())
                .iterator();
        while (true) {
            try {
                if (!found.hasNext()) {
                    return backends;
                }
                backends.add(found.next());
            } catch (ServiceConfigurationError e) {
                throw new BackendUnavailableException("an engine on the class path is broken: " + e.getMessage(), e);
            }
        }
    }

    /** The engines that can run here, best first; never empty. */
    private static List<Backend> usable(List<Backend> backends, String wanted) {
        List<Backend> usable = new ArrayList<>();
        StringBuilder reasons = new StringBuilder();
        Throwable cause = null;
        for (Backend backend : backends) {
            if (!wanted.isEmpty() && !backend.name().equalsIgnoreCase(wanted)) {
                continue;
            }
            switch (backend.probe()) {
                case Availability.Available _ -> usable.add(backend);
                case Availability.Missing missing -> {
                    reasons.append("; ").append(backend.name()).append(": ").append(missing.reason());
                    cause = cause == null ? missing.cause() : cause;
                }
            }
        }
        if (usable.isEmpty()) {
            throw unavailable(backends, wanted, reasons.toString(), cause);
        }
        usable.sort(Comparator.comparingInt(Backend::rank).reversed().thenComparing(Backend::name));
        return usable;
    }

    private static BackendUnavailableException unavailable(
            List<Backend> backends, String wanted, String reasons, Throwable cause) {
        if (!reasons.isEmpty()) {
            return new BackendUnavailableException("no engine can run here" + reasons, cause);
        }
        if (backends.isEmpty()) {
            return new BackendUnavailableException(
                    "no engine is installed: add dev.shrike:shrike-cpu to the class path", cause);
        }
        List<String> names = backends.stream().map(Backend::name).sorted().toList();
        return new BackendUnavailableException("there is no engine '" + wanted + "', installed are " + names, cause);
    }
}
