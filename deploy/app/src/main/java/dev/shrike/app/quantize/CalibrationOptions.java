package dev.shrike.app.quantize;

import dev.shrike.app.Console;
import dev.shrike.app.PathArgument;
import dev.shrike.app.PixelLimit;
import dev.shrike.app.detect.InputSizeOption;
import dev.shrike.app.detect.ThreadsOption;
import dev.shrike.calibration.ranges.RangeCalibrator;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What {@code shrike calibrate} and {@code shrike quantize} have in common on the command line. */
final class CalibrationOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Parameters(
            arity = "1",
            paramLabel = "FILE|NAME",
            description = "Model: an ONNX file, or a name that 'shrike models' lists.")
    private String model;

    @Option(
            names = "--data",
            required = true,
            split = ",",
            paramLabel = "FOLDER",
            description = "Images like those that the model will see: folders, files or globs, split by commas, a"
                    + " data.yaml, or a text file that lists them. Labels are not needed.")
    private List<String> data;

    @Option(
            names = "--images",
            paramLabel = "N",
            defaultValue = "256",
            description = "Most images to take of --data, at even distances (default: ${DEFAULT-VALUE}).")
    private int images;

    @Option(
            names = "--strict",
            description = "Stop, before anything else, where an image cannot be read; else it is left out.")
    private boolean strict;

    @Mixin
    private PixelLimit pixels;

    @Mixin
    private InputSizeOption inputSize;

    @Mixin
    private ThreadsOption threads;

    @Option(names = "--no-progress", description = "Draw no progress bar.")
    private boolean noProgress;

    @Option(names = "--quiet", description = "Print errors only.")
    private boolean quiet;

    String model() {
        return model;
    }

    int threads() {
        return threads.count();
    }

    boolean progress() {
        return !noProgress && !quiet;
    }

    boolean quiet() {
        return quiet;
    }

    int width() {
        return inputSize.width();
    }

    int height() {
        return inputSize.height();
    }

    /** Complains of what makes no sense. */
    void check() {
        inputSize.check();
        threads.count();
        if (images < 1) {
            throw usage("--images " + images + " is less than 1");
        }
    }

    /** At most as many images as wanted, at even distances, but those that the cache is about. */
    CalibrationData images(Console console, Optional<Path> cache, Steps steps) {
        CalibrationData chosen = CalibrationData.choose(console,
                new CalibrationData.Wanted(data, images, strict, cache),
                (image, done, total) -> steps.show("reading " + image.getFileName(), done, total));
        steps.clear();
        return chosen;
    }

    Path path(String text) {
        return PathArgument.of(text, spec);
    }

    /** The method of that name, or a usage error that names the option. */
    String method(String option, String text) {
        try {
            RangeCalibrator.parse(text);
            return text;
        } catch (IllegalArgumentException e) {
            throw usage(option + ": " + e.getMessage());
        }
    }

    ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
