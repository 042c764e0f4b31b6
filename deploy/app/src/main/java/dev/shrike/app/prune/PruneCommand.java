package dev.shrike.app.prune;

import dev.shrike.app.Console;
import dev.shrike.app.HelpAll;
import dev.shrike.app.PathArgument;
import dev.shrike.app.detect.InputSizeOption;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.app.detect.ThreadsOption;
import dev.shrike.app.quantize.MemoryBudget;
import dev.shrike.calibration.prune.Budget;
import dev.shrike.calibration.prune.Criterion;
import dev.shrike.calibration.prune.LayerwiseReconstruction;
import dev.shrike.calibration.prune.UnitSelection;
import dev.shrike.calibration.prune.WeightPruning;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
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

/** {@code shrike prune}: the command line, checked and handed to {@link PruneRun}. */
@Command(
        name = "prune",
        description = {
                "Makes a float network smaller without training.",
                "Removes channels together with all that depends on them, or sets weights to zero; what is left is"
                        + " fitted"
                        + " to images, layer by layer, so that it gives what the whole network gives. Writes plain"
                        + " ONNX, for any engine, 'shrike quantize' and further training.",
                ""
        },
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = dev.shrike.app.Version.class)
public final class PruneCommand implements Callable<Integer> {
    private final Console console;
    private final Function<Boolean, ModelStore> stores;

    @Spec
    private CommandSpec spec;

    @Mixin
    private HelpAll help;

    @Parameters(
            arity = "1",
            paramLabel = "FILE|NAME",
            description = "Model: an ONNX file, or a name that 'shrike models' lists.")
    private String model;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "OUT.onnx",
            description = "File to write.")
    private String output;

    @Option(
            names = "--granularity",
            paramLabel = "WHAT",
            defaultValue = "channel",
            description = "channel: output channels of layers. filter: the same, judged by the weights that read them."
                    + " layer: whole residual branches. weight: single weights. kernel: weights from one channel to"
                    + " another. N:M, such as 2:4: of M weights in a row N stay. The last three make zeros, which take"
                    + " less room in a built file and no less time (default: ${DEFAULT-VALUE}).")
    private String granularity;

    @Option(
            names = "--criterion",
            paramLabel = "NAME",
            description = "What is worth least: l1, l2, fpgm, bn-scale, random, which need no images;"
                    + " activation-mean,"
                    + " activation-deviation, hrank, taylor, fisher, mutual-information, obs, which do (default: obs"
                    + " for"
                    + " channels if there are images, else l1).")
    private String criterion;

    @Mixin
    private SearchOptions search;

    @Option(names = "--sparsity", paramLabel = "SHARE",
            description = "Share that goes: of channels, residual branches, weights or kernels, such as 0.3.")
    private Double sparsity;

    @Option(
            names = "--scope",
            paramLabel = "global|layer",
            description = "Whether all of the network compete, or each layer loses the same share (default: global).")
    private String scope;

    @Option(names = "--keep", paramLabel = "SHARE", defaultValue = "0.1",
            description = "Least share of its channels that each layer keeps (default: ${DEFAULT-VALUE}).")
    private double keep;

    @Option(names = "--steps", hidden = true, paramLabel = "N", defaultValue = "1",
            description = "Remove channels in N steps, and judge anew after each (default: ${DEFAULT-VALUE}).")
    private int steps;

    @Option(names = "--data", split = ",", paramLabel = "FOLDER",
            description = "Images like those that the model will see: folders, files, globs, data.yaml or lists,"
                    + " split"
                    + " by commas. Labels are not needed.")
    private List<String> data;

    @Option(names = "--images", hidden = true, paramLabel = "N", defaultValue = "256",
            description = "Most images to take of --data, at even distances (default: ${DEFAULT-VALUE}).")
    private int images;

    @Option(names = "--strict", hidden = true,
            description = "Stop at images that cannot be read, instead of leaving them out.")
    private boolean strict;

    @Option(names = "--crop", hidden = true, paramLabel = "SIZE", defaultValue = "320",
            description = "Side of what is used of each image, in pixels: a window of the network's input and the"
                    + " whole"
                    + " image made that small, by turns; 0 takes the input itself (default: ${DEFAULT-VALUE}).")
    private int crop;

    @Option(names = "--no-repair", description = "Fit nothing to images afterwards.")
    private boolean noRepair;

    @Option(names = "--repair", hidden = true, paramLabel = "HOW", defaultValue = "weights",
            description = "weights: least squares. statistics: mean and deviation of each channel alone. both: weights,"
                    + " then statistics (default: ${DEFAULT-VALUE}).")
    private String repair;

    @Option(names = "--ridge", hidden = true, paramLabel = "R", defaultValue = "0.1",
            description = "How much fitted weights are held near the given ones (default: ${DEFAULT-VALUE}).")
    private double ridge;

    @Option(names = "--positions", hidden = true, paramLabel = "N", defaultValue = "256",
            description = "Positions of each image that a layer is fitted at (default: ${DEFAULT-VALUE}).")
    private int positions;

    @Option(names = "--val", paramLabel = "DATA",
            description = "Measure mAP before and after on this data set, as 'shrike val' reads it.")
    private String val;

    @Option(names = "--report", paramLabel = "FILE.json",
            description = "Write what became of each layer (docs/prune.schema.json).")
    private String report;

    @Option(names = "--chart", paramLabel = "FILE.png",
            description = "Draw what is left of each layer.")
    private String chart;

    @Option(names = "--seed", hidden = true, paramLabel = "N", defaultValue = "1",
            description = "Of random choices (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--memory", hidden = true, paramLabel = "GB",
            description = "Most memory to take; values of images that do not fit go to files beside the output, which"
                    + " vanish with the process (default: 3, or three quarters of the machine's where that is less).")
    private Double memory;

    @Mixin
    private InputSizeOption inputSize;

    @Mixin
    private ThreadsOption threads;

    @Option(names = "--verbose", description = "Print a table of all layers.")
    private boolean verbose;

    @Option(names = "--no-progress", description = "Draw no progress bar.")
    private boolean noProgress;

    @Option(names = "--quiet", description = "Print errors only.")
    private boolean quiet;

    /** A command that writes to the console. */
    public PruneCommand(Console console, Function<Boolean, ModelStore> stores) {
        this.console = console;
        this.stores = stores;
    }

    @Override
    public Integer call() {
        inputSize.check();
        search.check();
        if (!output.endsWith(".onnx")) {
            throw usage("-o '" + output + "' does not end in .onnx");
        }
        if (images < 1 || positions < 1 || steps < 1 || steps > 100) {
            throw usage("--images, --positions and --steps are 1 or more, --steps at most 100");
        }
        if (crop != 0 && (crop < 64 || crop % 32 != 0)) {
            throw usage("--crop " + crop + " is neither 0 nor a multiple of 32 from 64 on");
        }
        if (!(ridge > 0 && ridge < 1e6)) {
            throw usage("--ridge " + ridge + " is not positive");
        }
        if (memory != null && !(memory > 0 && memory <= MemoryBudget.machine())) {
            throw usage(String.format(Locale.ROOT, "--memory %s is not within 0 and the %.1f GB of this machine",
                    memory, MemoryBudget.machine()));
        }
        boolean withImages = data != null && !data.isEmpty();
        PruneRequest.What what = what(withImages);
        Optional<LayerwiseReconstruction.Options> fit = noRepair ? Optional.empty() : Optional.of(repair());
        if (!withImages && (fit.isPresent() || what instanceof PruneRequest.What.Channels channels
                && channels.criterion().needsImages() || search.needsImages())) {
            throw usage(
                    fit.isPresent() ? "what is left is fitted to images: name some with --data, or give --no-repair"
                            : (search.needsImages() ? "--search judges by" : "--criterion " + criterion + " needs")
                                    + " images: name some with --data");
        }
        PruneRequest request = new PruneRequest(model, path(output), what, fit, seed,
                withImages ? List.copyOf(data) : List.of(), images, strict, crop, inputSize.width(), inputSize.height(),
                threads.count(), Optional.ofNullable(val).map(this::path), Optional.ofNullable(report).map(this::path),
                Optional.ofNullable(chart).map(this::path), memory == null ? MemoryBudget.usual() : memory,
                search.latencies().map(this::path), search.front().map(this::path),
                search.frontChart().map(this::path), verbose,
                quiet, !noProgress && !quiet);
        return new PruneRun(console, stores.apply(request.progress()), request).run();
    }

    private LayerwiseReconstruction.Options repair() {
        boolean statistics = switch (repair) {
            case "weights" -> false;
            case "statistics", "both" -> true;
            default -> throw usage("--repair '" + repair + "' is none of weights, statistics, both");
        };
        return new LayerwiseReconstruction.Options(positions, ridge, statistics, !repair.equals("statistics"),
                threads.count());
    }

    private PruneRequest.What what(boolean images) {
        int amounts = search.budgets() + (sparsity == null ? 0 : 1);
        boolean ofEach = granularity.matches("\\d{1,3}:\\d{1,3}");
        if (amounts != (ofEach ? 0 : 1)) {
            throw usage(ofEach ? "--granularity " + granularity + " says how much goes: leave --macs, --params,"
                    + " --size, --latency and --sparsity out"
                    : "give one of --macs, --params, --size, --latency and --sparsity");
        }
        boolean global = search.global(scope);
        if (search.given() && !granularity.equals("channel") && !granularity.equals("filter")) {
            throw usage("--search goes with --granularity channel and filter");
        }
        try {
            if (ofEach) {
                String[] parts = granularity.split(":");
                onlyMagnitudes();
                return new PruneRequest.What.Weights(new WeightPruning.Pattern.OfEach(Integer.parseInt(parts[0]),
                        Integer.parseInt(parts[1])));
            }
            return switch (granularity) {
                case "channel", "filter" -> channels(images, global);
                case "layer" -> new PruneRequest.What.Branches(share());
                case "weight" -> {
                    onlyMagnitudes();
                    yield new PruneRequest.What.Weights(new WeightPruning.Pattern.Weights(share(), global));
                }
                case "kernel" -> {
                    onlyMagnitudes();
                    yield new PruneRequest.What.Weights(new WeightPruning.Pattern.Kernels(share(), global));
                }
                default -> throw usage("--granularity '" + granularity + "' is none of channel, filter, layer, weight,"
                        + " kernel and N:M");
            };
        } catch (IllegalArgumentException e) {
            throw usage(e.getMessage());
        }
    }

    private double share() {
        if (sparsity == null) {
            throw usage("--granularity " + granularity + " goes with --sparsity");
        }
        if (!(sparsity > 0 && sparsity < 1)) {
            throw usage("--sparsity " + sparsity + " is not between 0 and 1");
        }
        return sparsity;
    }

    private void onlyMagnitudes() {
        if (criterion != null && !criterion.equalsIgnoreCase("l1")) {
            throw usage("--granularity " + granularity + " goes by the magnitude of weights, --criterion l1, not "
                    + criterion);
        }
    }

    private PruneRequest.What channels(boolean images, boolean global) {
        Criterion chosen = criterion == null ? images ? Criterion.OBS : Criterion.L1 : Criterion.parse(criterion);
        boolean readers = granularity.equals("filter");
        if (readers && chosen != Criterion.L1 && chosen != Criterion.L2) {
            if (criterion != null) {
                throw usage("--granularity filter goes with --criterion l1 or l2");
            }
            chosen = Criterion.L1;
        }
        Budget budget = search.budget()
                .orElseGet(() -> new Budget(Budget.Measure.CHANNELS, true, 1 - share()));
        if (search.needsImages() && (steps != 1 || budget.measure() == Budget.Measure.CHANNELS)) {
            throw usage("--search spdy and nsga2 go in one step, within --macs, --params, --size or --latency");
        }
        UnitSelection.Scope where = global ? UnitSelection.Scope.GLOBAL : UnitSelection.Scope.LAYER;
        // Constructed here so that a share out of range is a matter of usage.
        new UnitSelection.Options(budget, where, keep, false);
        return new PruneRequest.What.Channels(chosen, readers, budget, where, keep, steps,
                search.search());
    }

    private Path path(String text) {
        return PathArgument.of(text, spec);
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
