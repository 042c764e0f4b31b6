package dev.shrike.app.compress;

import dev.shrike.ShrikeException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.app.Console;
import dev.shrike.app.HelpAll;
import dev.shrike.app.PathArgument;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.app.detect.ThreadsOption;
import dev.shrike.app.detect.Weights;
import dev.shrike.app.quantize.CalibrationData;
import dev.shrike.calibration.data.DataSet;
import dev.shrike.calibration.data.DataSets;
import dev.shrike.calibration.prune.ChannelLatencies;
import dev.shrike.files.FileDigest;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.training.TorchLibraries;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code shrike compress}: the command line, checked and handed to {@link CompressRun}. */
@Command(
        name = "compress",
        description = {
                "Makes a float model as quick as you want on this machine: quantises it and, where that is not enough,"
                        + " prunes it first, with what is lost in mAP and won in bytes and milliseconds at each step.",
                "The steps are commands of shrike, kept with their state in plan.json of the folder: each can be run"
                        + " alone, and the same 'shrike compress' goes on where it was stopped.",
                ""
        },
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = dev.shrike.app.Version.class)
public final class CompressCommand implements Callable<Integer> {
    private static final Pattern LATENCY = Pattern.compile("(\\d{1,6}(?:\\.\\d{1,6})?|\\.\\d{1,6})\\s?(ms)?");

    private final Console console;
    private final Function<Boolean, ModelStore> stores;
    private final StepRunner runner;

    @Mixin
    private HelpAll help;

    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "1",
            paramLabel = "FILE|NAME",
            description = "Float model: an ONNX file, or a name that 'shrike models' lists.")
    private String model;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "FOLDER",
            description = "Images like those that the model will see: a folder, a data.yaml or a list.")
    private String data;

    @Option(
            names = "--val",
            paramLabel = "DATA",
            description = "Labelled data that mAP is measured with, as 'shrike val' reads it, and, if it is a data.yaml"
                    + " or a folder with one, that is learned from (default: --data if that is a data.yaml).")
    private String val;

    @Option(
            names = "--latency",
            required = true,
            paramLabel = "REST",
            description = "Median time of an image that is wanted: milliseconds such as 35ms, or a share of the float"
                    + " model's such as 0.5.")
    private String latency;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FOLDER",
            description = "Folder of the plan and of all that it makes (default: MODEL-compressed here).")
    private String output;

    @Option(
            names = "--scheme",
            paramLabel = "wXaY",
            defaultValue = "w8a8",
            description = "Widths of the quantised model, as 'shrike quantize' takes them (default: ${DEFAULT-VALUE}).")
    private String scheme;

    @Option(
            names = "--latencies", hidden = true,
            paramLabel = "FILE.yaml",
            description = "Table of layer times for pruning, as 'shrike prune --latencies' writes and reads it.")
    private String latencies;

    @Option(
            names = "--images", hidden = true,
            paramLabel = "N",
            defaultValue = "256",
            description = "Most images to take of --data (default: ${DEFAULT-VALUE}).")
    private int images;

    @Option(
            names = "--epochs", hidden = true,
            paramLabel = "N",
            defaultValue = "50",
            description = "Epochs of fine-tuning after pruning (default: ${DEFAULT-VALUE}).")
    private int epochs;

    @Option(
            names = "--imgsz", hidden = true,
            paramLabel = "SIZE",
            description = "Side of the input in pixels (default: the model's own).")
    private int size;

    @Option(
            names = "--seconds", hidden = true,
            paramLabel = "N",
            defaultValue = "20",
            description = "Most time of each measurement of latency (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Mixin
    private ThreadsOption threads;

    @Option(names = "--quiet", description = "Print errors and the report only.")
    private boolean quiet;

    /**
     * A command that writes to the console.
     *
     * @param stores makes the store that named models come from, given whether it may draw a progress bar
     */
    public CompressCommand(Console console, Function<Boolean, ModelStore> stores) {
        this(console, stores, StepRunner.processes());
    }

    /** The command with another way to run its steps. */
    CompressCommand(Console console, Function<Boolean, ModelStore> stores, StepRunner runner) {
        this.console = console;
        this.stores = stores;
        this.runner = runner;
    }

    @Override
    public Integer call() {
        Matcher wanted = LATENCY.matcher(latency.strip());
        double budget = wanted.matches() ? Double.parseDouble(wanted.group(1)) : 0;
        boolean share = wanted.matches() && wanted.group(2) == null;
        if (!(budget > 0) || share && budget >= 1) {
            throw usage("--latency '" + latency + "' is neither milliseconds such as 35ms nor a share such as 0.5");
        }
        if (!scheme.matches("w[2-8]a[2-8]|int8")) {
            throw usage("--scheme '" + scheme + "' is not of the form w4a8, with 2 to 8 bits each");
        }
        if (images < 1 || epochs < 1 || !(seconds > 0 && seconds <= 86_400)) {
            throw usage("--images and --epochs are at least 1, --seconds within 0 to a day");
        }
        if (size != 0 && (size < 32 || size > 16_384)) {
            throw usage("--imgsz " + size + " is not within 32 to 16384");
        }
        Path file = Weights.resolve(model, size, size, stores.apply(false)).toAbsolutePath();
        Path folder = PathArgument.of(output != null ? output
                : file.getFileName().toString().replaceFirst("\\.onnx$", "") + "-compressed", spec);
        CompressRequest request = new CompressRequest(file, sha256(file), data, labels(), budget, share,
                Optional.ofNullable(latencies).map(text -> PathArgument.of(text, spec)), scheme, images, epochs,
                threads.count(), size, seconds);
        requireReadable(request);
        return new CompressRun(console, request, folder.toAbsolutePath(), () -> obstacle(request), runner, quiet).run();
    }

    /** Why nothing can be fine-tuned: it takes images to learn, and PyTorch. */
    private Optional<String> obstacle(CompressRequest request) {
        try {
            DataSet labelled = DataSets.open(PathArgument.of(request.val().orElseThrow(), spec), null, "train");
            if (!labelled.file().toString().toLowerCase(Locale.ROOT).matches(".*\\.ya?ml")) {
                return Optional.of("fine-tuning needs a data.yaml, or a folder with one, with images to learn (train)"
                        + " and others to measure with (val): give it with --val");
            }
            labelled.requireImages();
            TorchLibraries.ofMachine().require(false, text -> {});
            return Optional.empty();
        } catch (ShrikeException e) {
            return Optional.of("nothing is fine-tuned: " + e.getMessage());
        }
    }

    /** Opens what the steps will, so that nobody hears of a wrong name after half an hour. */
    private void requireReadable(CompressRequest request) {
        if (OnnxModels.read(request.model()).isQuantized()) {
            throw new UnsupportedModelException(request.model() + ": is quantised already: give the float network");
        }
        CalibrationData.require(request.data());
        request.val().ifPresent(labelled -> DataSets.open(PathArgument.of(labelled, spec)).requireImages());
        request.latencies().filter(Files::exists).ifPresent(ChannelLatencies::read);
    }

    private Optional<String> labels() {
        return val != null ? Optional.of(val)
                : Optional.of(data).filter(path -> path.endsWith(".yaml") || path.endsWith(".yml"));
    }

    private static String sha256(Path file) {
        try {
            return FileDigest.sha256(file);
        } catch (IOException e) {
            throw new ShrikeException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
