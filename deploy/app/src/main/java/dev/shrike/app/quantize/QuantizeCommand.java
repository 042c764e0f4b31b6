package dev.shrike.app.quantize;

import dev.shrike.app.Console;
import dev.shrike.app.HelpAll;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.calibration.quantize.BitWidths;
import dev.shrike.calibration.quantize.PtqOptions;
import dev.shrike.calibration.quantize.rounding.WeightFormat;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code shrike quantize}: the command line, checked and handed to {@link QuantizeRun}. */
@Command(
        name = "quantize",
        description = {
                "Makes an integer network of a float one, with images and without training.",
                "Layers are fitted one after another to give what the float network gives. Writes ONNX: QDQ for 8 and 4"
                        + " bits, QONNX for other widths; 'shrike build' makes a .shrike file of it.",
                ""
        },
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = dev.shrike.app.Version.class)
public final class QuantizeCommand implements Callable<Integer> {
    private static final String AUTO = "auto";
    private static final String DEFAULT_SCHEME = "w8a8";
    private static final String INT8 = "int8";
    private static final String SHRIKE = "shrike";
    private static final String TENSOR_RT = "tensorrt";

    private final Console console;
    private final Function<Boolean, ModelStore> stores;

    @Mixin
    private CalibrationOptions common;

    @Mixin
    private HelpAll help;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "OUT.onnx",
            description = "File to write.")
    private String output;

    @Option(
            names = "--scheme",
            paramLabel = "wXaY|auto",
            description = "X bits a weight, Y bits an activation, 2 to 8 each, the first and last layers 8; int8 is"
                    + " w8a8; or auto, which chooses the width of every layer's weights under a budget, such as"
                    + " --avg-bits (default: " + DEFAULT_SCHEME + ").")
    private String scheme;

    @Option(
            names = "--for", hidden = true,
            paramLabel = "ENGINE",
            description = "shrike, which TensorRT engines of Shrike take as well; or tensorrt: a file for TensorRT 8"
                    + " itself, such as for trtexec, of w8a8 without zero points, with one scale for all that a Concat"
                    + " joins and float weights in front of QuantizeLinear, so as large as the float network; the last"
                    + " layers stay float, for FP16 (default: " + SHRIKE + ").")
    private String engine = SHRIKE;

    @Option(
            names = "--weight-codes", hidden = true,
            paramLabel = "NAME",
            defaultValue = "uniform",
            description = "uniform: consecutive codes, below 8 bits with a zero point for each output channel, which"
                    + " takes no time here. symmetric: without, for engines that want it; TensorRT gets 8-bit codes"
                    + " without zero points from any file."
                    + " power-of-two: each weight is 0 or plus or minus 2^k times its channel's scale."
                    + " With 2 bits k is 0, with 3 up to 1, with 4 up to 3, with 5 up to 6. For devices that shift"
                    + " instead of multiplying; here the codes are stored and run as 8-bit ones, so this saves no time,"
                    + " the ONNX file is as large as with 8 bits, and a built one no smaller than with uniform codes."
                    + " entropy-coded: codes of 8 bits with steps so wide that, compressed, a weight takes X bits of a"
                    + " built file on the average; as fast as 8 bits, and much nearer to the float network than"
                    + " uniform codes of X bits; with auto, steps are divided among all layers"
                    + " (default: ${DEFAULT-VALUE}).")
    private String weightCodes;

    @Option(names = "--plan", hidden = true, paramLabel = "FILE.yaml",
            description = "Widths of each layer, as --save-plan wrote them.")
    private String plan;

    @Option(names = "--save-plan", hidden = true, paramLabel = "FILE.yaml",
            description = "Write the widths of each layer.")
    private String savePlan;

    @Option(names = "--avg-bits", paramLabel = "BITS", description = "Budget of auto: bits a weight on the average.")
    private Double averageBits;

    @Option(names = "--size", hidden = true, paramLabel = "MB",
            description = "Budget of auto: megabytes of all weights.")
    private Double size;

    @Option(names = "--latency", hidden = true, paramLabel = "MS",
            description = "Budget of auto: milliseconds of all layers together on the machine of --latencies.")
    private Double latency;

    @Option(names = "--latencies", hidden = true, paramLabel = "FILE.yaml",
            description = "What each layer takes by width. Where there is no such file it is measured here and written;"
                    + " one that was made on the device serves everywhere.")
    private String latencies;

    @Option(
            names = "--activations", hidden = true,
            paramLabel = "BITS",
            defaultValue = "8",
            description = "Width of activations under auto (default: ${DEFAULT-VALUE}).")
    private int activations;

    @Option(
            names = "--activation-ranges", hidden = true,
            paramLabel = "static|dynamic",
            description = "static: ranges of activations are chosen once, from the images. dynamic: the network"
                    + " measures the range of what each layer reads in every image that it looks at, which takes time"
                    + " there; for activations of 8 bits, without --ranges, --wide-ranges, --epochs and --cache"
                    + " (default: what the plan says, else static).")
    private String activationRanges;

    @Option(
            names = "--ranges", hidden = true,
            paramLabel = "METHOD",
            description = "How ranges of values below 8 bits are chosen: min-max, moving-average, percentile:99.99,"
                    + " entropy, mse or power:2.4.")
    private String ranges;

    @Option(names = "--wide-ranges", hidden = true, paramLabel = "METHOD",
            description = "The same for values of 8 bits.")
    private String wideRanges;

    @Option(
            names = "--pre-activations", hidden = true,
            paramLabel = "8|float",
            description = "What a layer gives to its activation function: float, which loses less and is what TensorRT"
                    + " and ONNX Runtime fuse, or codes of 8 bits, which is quicker by a tenth, with AVX-512 by a fifth"
                    + " (default: what the plan says; else float, but 8 where activations have fewer than 4 bits).")
    private String preActivations;

    @Option(
            names = "--effort", hidden = true,
            paramLabel = "NAME",
            defaultValue = "full",
            description = "full, or less to see what each part brings: single-rows, even-positions, plain-errors,"
                    + " no-descent, no-fit, scale-search, bias, nearest (default: ${DEFAULT-VALUE}).")
    private String effort;

    @Option(
            names = "--epochs",
            paramLabel = "N",
            defaultValue = "0",
            description = "Then tune the network as a whole, showing it each image N times, with the float network as"
                    + " teacher (default: ${DEFAULT-VALUE}).")
    private int epochs;

    @Option(
            names = "--crop", hidden = true,
            paramLabel = "SIZE",
            defaultValue = "320",
            description = "Side of the window of each image that is used, in pixels of the network's input; 0 takes"
                    + " all of it (default: ${DEFAULT-VALUE}).")
    private int crop;

    @Option(
            names = "--seed", hidden = true,
            paramLabel = "N",
            defaultValue = "0",
            description = "Where in the images the windows lie: another number is another sample of the same"
                    + " images, to see by how much runs differ. Without effect under --crop 0 (default:"
                    + " ${DEFAULT-VALUE}).")
    private long seed;

    @Option(
            names = "--memory", hidden = true,
            paramLabel = "GB",
            description = "Most memory to take; values of images that do not fit go to files beside the output, which"
                    + " vanish with the process. Tuning with --epochs takes what it needs (default: 3, or"
                    + " three quarters of the machine's where that is less).")
    private Double memory;

    @Option(names = "--cache", hidden = true, paramLabel = "FILE",
            description = "Keep what is measured of values in this file.")
    private String cache;

    /** A command that writes to the console. */
    public QuantizeCommand(Console console, Function<Boolean, ModelStore> stores) {
        this.console = console;
        this.stores = stores;
    }

    @Override
    public Integer call() {
        common.check();
        if (!output.endsWith(".onnx")) {
            throw common.usage("-o '" + output + "' does not end in .onnx");
        }
        if (scheme != null && plan != null) {
            throw common.usage("give one of --scheme and --plan");
        }
        if (scheme == null && plan == null || INT8.equalsIgnoreCase(scheme)) {
            scheme = DEFAULT_SCHEME;
        }
        boolean auto = AUTO.equals(scheme);
        long budgets = Stream.of(averageBits, size, latency).filter(Objects::nonNull).count();
        if (auto && budgets != 1) {
            throw common.usage("--scheme auto needs one of --avg-bits, --size and --latency");
        }
        if (!auto && budgets > 0) {
            throw common.usage("--avg-bits, --size and --latency go with --scheme auto");
        }
        if ((latency == null) != (latencies == null)) {
            throw common.usage("--latency and --latencies go together");
        }
        if (latency != null && !(latency > 0 && latency < 1e6)) {
            throw common.usage("--latency " + latency + " is not within 0 to 1000000");
        }
        if (latency != null && codes() == WeightFormat.ENTROPY_CODED) {
            throw common.usage("--latency does not go with --weight-codes " + WeightFormat.ENTROPY_CODED
                    + ": such layers take as long as with 8 bits a weight, whatever their entropy");
        }
        if (averageBits != null && !(averageBits >= 2 && averageBits <= 8)) {
            throw common.usage("--avg-bits " + averageBits + " is not within 2 to 8");
        }
        if (size != null && !(size > 0)) {
            throw common.usage("--size " + size + " is not positive");
        }
        if (activations < 2 || activations > 8) {
            throw common.usage("--activations " + activations + " is not within 2 to 8");
        }
        if (epochs < 0 || epochs > 1000) {
            throw common.usage("--epochs " + epochs + " is not within 0 to 1000");
        }
        if (crop != 0 && (crop < 64 || crop % 32 != 0)) {
            throw common.usage("--crop " + crop + " is neither 0 nor a multiple of 32 from 64 on");
        }
        boolean forTensorRt = forTensorRt(auto);
        double machine = MemoryBudget.machine();
        if (memory != null && !(memory > 0 && memory <= machine)) {
            throw common.usage(String.format(Locale.ROOT, "--memory %s is not within 0 and the %.1f GB of this machine",
                    memory, machine));
        }
        QuantizeRequest request = new QuantizeRequest(common.path(output), widths(auto), codes(),
                Optional.ofNullable(plan).map(common::path), Optional.ofNullable(savePlan).map(common::path),
                Optional.ofNullable(averageBits), Optional.ofNullable(size), latencyBudget(),
                activations, dynamicRanges(),
                Optional.ofNullable(ranges).map(method -> common.method("--ranges", method)),
                Optional.ofNullable(wideRanges).map(method -> common.method("--wide-ranges", method)), preActivations(),
                effort(),
                epochs,
                crop, seed, forTensorRt,
                Optional.ofNullable(cache).map(common::path), memory == null ? MemoryBudget.usual() : memory);
        return new QuantizeRun(console, stores.apply(common.progress()), common, request).run();
    }

    private boolean forTensorRt(boolean auto) {
        if (engine.equals(SHRIKE)) {
            return false;
        }
        if (!engine.equals(TENSOR_RT)) {
            throw common.usage("--for '" + engine + "' is neither " + SHRIKE + " nor " + TENSOR_RT);
        }
        WeightFormat codes = codes();
        if (auto || !codes.isConsecutive() || scheme != null && !widths(false).equals(Optional.of(
                new BitWidths(8, 8, codes)))) {
            throw common.usage("--for tensorrt: it runs codes of 8 bits only; give --scheme w8a8 and uniform weight"
                    + " codes, or --plan with some layers in float");
        }
        if (preActivations().orElse(false) || dynamicRanges().orElse(false)) {
            throw common.usage("--for tensorrt does not go with --pre-activations 8, which it does not fuse, nor with"
                    + " --activation-ranges dynamic, which it has not; leave them out");
        }
        if (epochs > 0) {
            throw common.usage("--for tensorrt does not go with --epochs, which gives values of a Concat scales of"
                    + " their own; leave one out");
        }
        return true;
    }

    private Optional<QuantizeRequest.LatencyBudget> latencyBudget() {
        return Optional.ofNullable(latency)
                .map(ms -> new QuantizeRequest.LatencyBudget(Math.round(ms * 1e6), common.path(latencies)));
    }

    private Optional<BitWidths> widths(boolean auto) {
        WeightFormat codes = codes();
        if (auto || scheme == null) {
            if (codes != WeightFormat.UNIFORM && !(auto && codes == WeightFormat.ENTROPY_CODED)) {
                throw common.usage("--weight-codes " + codes + " goes with --scheme wXaY; in a plan write 'w4a8 "
                        + codes + "' for each layer that is to have such weights");
            }
            return Optional.empty();
        }
        BitWidths widths;
        try {
            widths = BitWidths.parse(scheme);
        } catch (IllegalArgumentException e) {
            throw common.usage("--scheme " + e.getMessage());
        }
        if (widths.codes() != WeightFormat.UNIFORM) {
            throw common
                    .usage("--scheme '" + scheme + "' is the form of a plan; give --weight-codes " + widths.codes());
        }
        try {
            return Optional.of(new BitWidths(widths.weights(), widths.activations(), codes));
        } catch (IllegalArgumentException e) {
            throw common.usage("--scheme " + scheme + " --weight-codes " + codes + ": " + e.getMessage());
        }
    }

    private Optional<Boolean> preActivations() {
        return switch (preActivations) {
            case null -> Optional.empty();
            case "8" -> Optional.of(true);
            case "float" -> Optional.of(false);
            default -> throw common.usage("--pre-activations '" + preActivations + "' is neither 8 nor float");
        };
    }

    private Optional<Boolean> dynamicRanges() {
        return switch (activationRanges) {
            case null -> Optional.empty();
            case "static" -> Optional.of(false);
            case "dynamic" -> Optional.of(true);
            default -> throw common.usage("--activation-ranges '" + activationRanges
                    + "' is neither static nor dynamic");
        };
    }

    private WeightFormat codes() {
        try {
            return WeightFormat.parse(weightCodes);
        } catch (IllegalArgumentException e) {
            throw common.usage("--weight-codes " + e.getMessage());
        }
    }

    private PtqOptions effort() {
        try {
            return PtqOptions.parse(effort);
        } catch (IllegalArgumentException e) {
            throw common.usage("--effort " + e.getMessage());
        }
    }
}
