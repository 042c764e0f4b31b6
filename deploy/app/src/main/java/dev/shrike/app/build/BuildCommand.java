package dev.shrike.app.build;

import dev.shrike.app.Console;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.app.detect.Numbers;
import dev.shrike.graph.MinMaxQuantizer;
import dev.shrike.graph.MinMaxQuantizer.Bits;
import dev.shrike.graph.MinMaxQuantizer.FirstAndLast;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code shrike build}: the command line, checked and handed to {@link BuildRun}. */
@Command(
        name = "build",
        description = {
                "Builds a model for the CPU engine.",
                "Writes one .shrike file, which 'shrike detect --weights' opens at once on any processor. With --bits"
                        + " the network becomes integer arithmetic: the ranges of its values are measured on pictures.",
                "On this machine it also tries the kernels of each layer and keeps the quickest. Another machine"
                        + " ignores these choices: to tune for a Raspberry Pi, run 'shrike build MODEL.shrike -o"
                        + " TUNED.shrike' there.",
                ""
        },
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = dev.shrike.app.Version.class)
public final class BuildCommand implements Callable<Integer> {
    private static final int SMALLEST_INPUT = 32;
    private static final int LARGEST_INPUT = 16384;
    private static final int MOST_THREADS = 256;
    private static final int PICTURES = 64;
    private static final Pattern BITS = Pattern.compile("w([1-8])a([1-8])");
    private static final String EXTENSION = ".shrike";

    private final Console console;
    private final Function<Boolean, ModelStore> stores;

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
            paramLabel = "MODEL.shrike",
            description = "File to write.")
    private String output;

    @Option(
            names = {"--imgsz", "--img", "--img-size"},
            paramLabel = "SIZE",
            parameterConsumer = Numbers.class,
            description = "Size of the network's input in pixels, N or HEIGHT,WIDTH (default: the model's own). The"
                    + " built model takes this size only.")
    private List<Integer> inputSize = List.of();

    @Option(
            names = "--bits",
            paramLabel = "wXaY",
            description = "Quantise: X bits a weight, Y bits an activation, 1 to 8 each, such as w4a8. Needs --data.")
    private String bits;

    @Option(
            names = "--data",
            paramLabel = "FOLDER",
            description = "Pictures like those that the model will see, for --bits.")
    private String data;

    @Option(
            names = "--images",
            paramLabel = "N",
            description = "Most pictures to take of --data, at even distances (default: " + PICTURES + ").")
    private Integer images;

    @Option(
            names = "--first-last",
            paramLabel = "8|float",
            description = "What the first and last layers keep under --bits, which lose most: 8 bits, or float"
                    + " (default: 8).")
    private String firstLast;

    @Option(
            names = "--threads",
            paramLabel = "N",
            defaultValue = "0",
            description = "Threads of the engine, and those to tune for; 0 takes one per processor, as 'shrike detect'"
                    + " does (default: ${DEFAULT-VALUE}). Choices hold for that number only.")
    private int threads;

    @Option(
            names = "--no-tune",
            description = "Measure nothing; the engine chooses its kernels by its own table.")
    private boolean noTune;

    @Option(
            names = "--kernel",
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
        if (inputSize.size() > 2) {
            throw usage("--imgsz takes N or HEIGHT,WIDTH, not " + inputSize.size() + " numbers");
        }
        for (int size : inputSize) {
            if (size < SMALLEST_INPUT || size > LARGEST_INPUT) {
                throw usage("--imgsz " + size + " is not within " + SMALLEST_INPUT + " to " + LARGEST_INPUT);
            }
        }
        if (threads < 0 || threads > MOST_THREADS) {
            throw usage("number of threads " + threads + " is not within 0 to " + MOST_THREADS);
        }
        int height = inputSize.isEmpty() ? 0 : inputSize.getFirst();
        int width = inputSize.isEmpty() ? 0 : inputSize.getLast();
        return new BuildRequest(model, target(), width, height, quantization(),
                new BuildRequest.Kernels(!noTune, kernel), threads, quiet, !noProgress && !quiet);
    }

    private Path target() {
        if (!output.endsWith(EXTENSION)) {
            throw usage("-o '" + output + "' does not end in " + EXTENSION);
        }
        try {
            return Path.of(output);
        } catch (InvalidPathException e) {
            throw usage("'" + e.getInput() + "' is no path: " + e.getReason());
        }
    }

    private Optional<BuildRequest.Quantization> quantization() {
        if (bits == null) {
            requireMissing("--data", data);
            requireMissing("--images", images);
            requireMissing("--first-last", firstLast);
            return Optional.empty();
        }
        Matcher matcher = BITS.matcher(bits);
        if (!matcher.matches()) {
            throw usage("--bits '" + bits + "' is not of the form w4a8, with 1 to 8 bits each");
        }
        if (data == null) {
            throw usage("--bits needs --data FOLDER: pictures like those that the model will see");
        }
        int most = images == null ? PICTURES : images;
        if (most < 1) {
            throw usage("--images " + most + " is less than 1");
        }
        Bits widths = new Bits(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2)));
        return Optional.of(new BuildRequest.Quantization(
                new MinMaxQuantizer.Options(widths, firstAndLast(), Map.of()), data, most));
    }

    private FirstAndLast firstAndLast() {
        return switch (firstLast) {
            case null -> FirstAndLast.EIGHT;
            case "8" -> FirstAndLast.EIGHT;
            case "float" -> FirstAndLast.FLOAT;
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
