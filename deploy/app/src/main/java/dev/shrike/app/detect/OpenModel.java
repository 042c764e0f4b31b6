package dev.shrike.app.detect;

import dev.shrike.Detections;
import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Frame;
import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.app.UsageException;
import dev.shrike.calibration.data.DataSets;
import java.nio.file.Path;
import java.util.List;

/**
 * A model that is open, with the names that its classes have here. Whoever opened it closes it.
 *
 * @param file the file of the model
 * @param detector what runs on images
 * @param names names of its classes
 */
record OpenModel(Path file, Detector detector, ClassNames names) implements AutoCloseable {
    /**
     * The model of that name or file.
     *
     * @throws UsageException if the options ask for classes that it does not have
     */
    static OpenModel open(String weights, DetectorOptions options, ModelReading reading, ModelStore store) {
        List<String> given = reading.data().map(DataSets::classNames).orElse(List.of());
        Path file = Weights.resolve(weights, options.inputWidth(), options.inputHeight(), store);
        DetectorOptions wanted = options;
        if (reading.classes().hasNames()) {
            // What the classes are called shows only once the model is open.
            try (Detector first = Openings.open(file, weights, options, false, store)) {
                wanted = options.withClasses(reading.classes().ids(ClassNames.of(first.labels(), given).labels()));
            }
        }
        Detector detector = Openings.open(file, weights, wanted, reading.augment(), store);
        try {
            return new OpenModel(file, detector, ClassNames.of(detector.labels(), given));
        } catch (RuntimeException e) {
            detector.close();
            throw e;
        }
    }

    /** What is seen in the frame; errors about the model's outputs, which show when it runs, name its file. */
    Detections detect(Frame frame) {
        try {
            return names.name(detector.detect(frame));
        } catch (UnsupportedModelException | ModelException e) {
            throw named(e);
        }
    }

    /** The error with the name of the model's file. */
    ShrikeException named(ShrikeException e) {
        return switch (e) {
            case UnsupportedModelException _ -> new UnsupportedModelException(file + ": " + e.getMessage(), e);
            case ModelException _ -> new ModelException(file + ": " + e.getMessage(), e);
            default -> e;
        };
    }

    @Override
    public void close() {
        detector.close();
    }
}
