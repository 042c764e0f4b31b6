package dev.shrike.app.build;

import dev.shrike.app.Console;
import dev.shrike.app.HelpAll;
import dev.shrike.app.PathArgument;
import dev.shrike.app.PixelLimit;
import dev.shrike.app.detect.InputSizeOption;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.app.detect.ThreadsOption;
import dev.shrike.calibration.quantize.BitWidths;
import dev.shrike.spi.BatchProfile;
import dev.shrike.spi.BuildOptions;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code shrike build}: the command line, checked and handed to {@link BuildRun}. */
@Command(
        name = "build",
        description = {
                "Builds a model for an engine, by the ending of the file that is written.",
                "MODEL.shrike is for the CPU: a file that 'shrike detect --weights' opens at once on any processor."
                        + " With --bits the network becomes integer arithmetic: the ranges of its values are measured"
                        + " on images. That serves 8 bits; for fewer 'shrike quantize' fits what it rounds.",
                "The built model takes images of one size only, --imgsz.",
                "On this machine it also tries the kernels of each layer and keeps the quickest. Another machine"
                        + " ignores these choices: to tune for a Raspberry Pi, run 'shrike build MODEL.shrike -o"
                        + " TUNED.shrike' there.",
                "MODEL.engine is for NVIDIA's GPUs, by TensorRT, and is built on the device that runs it: in FP16, or"
                        + " with --data in INT8 as well. Further settings are those of -Dshrike.tensorrt.…",
                ""
        },
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = dev.shrike.app.Version.class)
public final class BuildCommand implements Callable<Integer> {
    private static final int IMAGES = 64;
    private static final int CALIBRATION_IMAGES = 500;
    private static final String EXTENSION = ".shrike";
    private static final String ENGINE_EXTENSION = ".engine";

    private final Console console;
    private final Function<Boolean, ModelStore> stores;

    @Mixin
    private HelpAll help;

    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "1",
            paramLabel = "FILE|NAME",
            description = "Model: an ONNX file, a name that 'shrike models' lists, or a .shrike file to be tuned on"
                    + " this machine.")
    private String model;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "MODEL.shrike|MODEL.engine",
            description = "File to write.")
    private String output;

    @Mixin
    private InputSizeOption inputSize;

    @Option(
            names = "--bits",
            paramLabel = "wXaY",
            description = "Quantise: X bits a weight, Y bits an activation, 1 to 8 each, such as w8a8. Needs --data.")
    private String bits;

    @Option(
            names = "--data",
            paramLabel = "FOLDER",
            description = "Images like those that the model will see, for --bits or for the INT8 of an engine: a"
                    + " folder; for --bits also a data.yaml or a text file that lists images.")
    private String data;

    @Option(
            names = "--strict",
            description = "Stop where an image of --data cannot be read; else it is left out.")
    private boolean strict;

    @Mixin
    private PixelLimit pixels;

    @Option(
            names = "--images",
            paramLabel = "N",
            description = "Most images to take of --data, at even distances (default: " + IMAGES + ", of an"
                    + " engine " + CALIBRATION_IMAGES + ").")
    private Integer images;

    @Option(
            names = "--batch",
            paramLabel = "N|LEAST,BEST,MOST",
            description = "Of MODEL.engine: images of one run, where the model leaves that open. N is for 1 to N,"
                    + " best at N; N,N,N for N only.")
    private String batch;

    @Option(
            names = "--first-last", hidden = true,
            paramLabel = "8|float",
            description = "What the first and last layers keep under --bits, which lose most: 8 bits, or float"
                    + " (default: 8).")
    private String firstLast;

    @Mixin
    private ThreadsOption threads;

    @Option(
            names = "--no-tune", hidden = true,
            description = "Measure nothing; the engine chooses its kernels by its own table.")
    private boolean noTune;

    @Option(
            names = "--kernel", hidden = true,
            paramLabel = "NAME",
            description = "Use this kernel wherever it can run, on any machine, and measure nothing. Float layers:"
                    + " native, onednn, acl; integer layers: int8, bitserial, onednn, reference.")
    private String kernel = "";

    @Option(names = "--no-progress", description = "Draw no progress bar.")
    private boolean noProgress;

    @Option(names = "--quiet", description = "Print errors only.")
    private boolean quiet;

    /**
     * A command that writes to the console.
     *
     * @param stores makes the store that named models come from, given whether it may draw a progress bar
     */
    public BuildCommand(Console console, Function<Boolean, ModelStore> stores) {
        this.console = console;
        this.stores = stores;
    }

    @Override
    public Integer call() {
        BuildRequest request = request();
        return new BuildRun(console, stores.apply(request.progress()), request).run();
    }

    private BuildRequest request() {
        boolean engine = output.endsWith(ENGINE_EXTENSION);
        return new BuildRequest(model, target(), inputSize.width(), inputSize.height(),
                engine ? Optional.empty() : quantization(),
                engine ? engine() : BuildRequest.Engine.NONE, new BuildRequest.Kernels(!noTune, kernel),
                threads.count(), quiet,
                !noProgress && !quiet);
    }

    private Path target() {
        if (!output.endsWith(EXTENSION) && !output.endsWith(ENGINE_EXTENSION)) {
            throw usage("-o '" + output + "' does not end in " + EXTENSION + " or " + ENGINE_EXTENSION);
        }
        return path(output);
    }

    private Path path(String text) {
        return PathArgument.of(text, spec);
    }

    /** What goes into a file of TensorRT's, which chooses kernels itself. */
    private BuildRequest.Engine engine() {
        requireCpu("--bits", bits != null, "for 4 bits and the like on a GPU there is no engine; a model that 'shrike"
                + " quantize --scheme w8a8' made, or --data, makes INT8");
        requireCpu("--first-last", firstLast != null, "leave it out");
        requireCpu("--kernel", !kernel.isEmpty(), "TensorRT chooses kernels itself");
        requireCpu("--no-tune", noTune, "TensorRT always measures");
        requireCpu("--threads", threads.count() != 0, "leave it out");
        if (images != null && data == null) {
            throw usage("--images goes with --data, which is missing");
        }
        try {
            return new BuildRequest.Engine(Optional.ofNullable(batch).map(BatchProfile::parse),
                    Optional.ofNullable(data)
                            .map(folder -> new BuildOptions.Calibration(path(folder), most(CALIBRATION_IMAGES))));
        } catch (IllegalArgumentException e) {
            throw usage("--batch: " + e.getMessage());
        }
    }

    private void requireCpu(String option, boolean given, String wayOut) {
        if (given) {
            throw usage(option + " is for files that end in " + EXTENSION + ": " + wayOut);
        }
    }

    private int most(int otherwise) {
        int most = images == null ? otherwise : images;
        if (most < 1) {
            throw usage("--images " + most + " is less than 1");
        }
        return most;
    }

    private Optional<BuildRequest.Quantization> quantization() {
        if (batch != null) {
            throw usage("--batch is for files that end in " + ENGINE_EXTENSION + ": the CPU runs one image at a"
                    + " time");
        }
        if (bits == null) {
            requireMissing("--data", data);
            requireMissing("--images", images);
            requireMissing("--first-last", firstLast);
            return Optional.empty();
        }
        BitWidths widths;
        try {
            widths = BitWidths.symmetric(bits);
        } catch (IllegalArgumentException e) {
            throw usage("--bits " + e.getMessage());
        }
        if (data == null) {
            throw usage("--bits needs --data FOLDER: images like those that the model will see");
        }
        return Optional.of(new BuildRequest.Quantization(widths, ofEnds(), data, most(IMAGES), strict));
    }

    /** Widths of the first and the last layers, or empty for float. */
    private Optional<BitWidths> ofEnds() {
        return switch (firstLast) {
            case null -> Optional.of(BitWidths.EIGHT);
            case "8" -> Optional.of(BitWidths.EIGHT);
            case "float" -> Optional.empty();
            default -> throw usage("--first-last '" + firstLast + "' is neither 8 nor float");
        };
    }

    private void requireMissing(String option, Object value) {
        if (value != null) {
            throw usage(option + " goes with --bits, which is missing");
        }
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
