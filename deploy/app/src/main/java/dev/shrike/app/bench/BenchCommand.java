package dev.shrike.app.bench;

import dev.shrike.app.Console;
import dev.shrike.app.HelpAll;
import dev.shrike.app.PathArgument;
import dev.shrike.app.bench.harness.Pace;
import dev.shrike.app.bench.harness.Stopping;
import dev.shrike.app.bench.rivals.Rival;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.files.Range;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code shrike bench}: the command line, checked and handed to {@link BenchRun}. */
@Command(
        name = "bench",
        description = {
                "Measures how long models take on this very device, and whether the figures can be relied on.",
                "Every model runs in every size, with every number of threads and images; engines, precisions and"
                        + " rivals of the same task run in turn, round by round, until the medians are known to"
                        + " --precision or the time is up. A run counts as disturbed if other programs, a hypervisor or"
                        + " heat took part in it.",
                "Of ours a run is all from the frame to the boxes; rivals, and the ratios to them, are of the network"
                        + " alone. Precisions that the file does not have are made of it for the time of the bench,"
                        + " with"
                        + " ranges of one image: right for times, not for accuracy.",
                "'shrike bench compare A.json B.json' compares two runs, 'shrike bench report FOLDER' many devices.",
                ""
        },
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = dev.shrike.app.Version.class)
public final class BenchCommand implements Callable<Integer> {
    private static final Pattern SIZE = Pattern.compile("(\\d{2,5})(?:x(\\d{2,5}))?");
    private static final int SMALLEST = 32;
    private static final int LARGEST = 16384;
    private static final int MOST_THREADS = 256;
    private static final int MOST_IMAGES = 256;
    private static final double WEEK_SECONDS = Stopping.MOST_SECONDS;
    private static final double MOST_PERCENT = 99;

    private final Console console;
    private final Function<Boolean, ModelStore> stores;
    private final Path root;

    @Mixin
    private HelpAll help;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--weights",
            arity = "1..*",
            paramLabel = "FILE|NAME",
            description = "Models: ONNX files, files that 'shrike build' wrote, or names that 'shrike models' lists.")
    private List<String> weights = List.of();

    @Option(
            names = "--suite",
            paramLabel = "NAME",
            description = "edge: the fixed suite that published tables are made from; yolov5n and yolov5s (or the"
                    + " models of --weights), 320 and 640, float, w8a8, w4a8, w2a2, 1 thread and all, against"
                    + " ONNX Runtime and OpenCV.")
    private String suite;

    @Option(
            names = "--engine",
            split = ",",
            paramLabel = "NAME",
            description = "Engines of ours, such as cpu,tensorrt (default: the best that is here).")
    private List<String> engines = List.of();

    @Option(
            names = "--bits",
            split = ",",
            paramLabel = "float|wXaY",
            description = "Precisions, such as float,w8a8,w2a2 (default: the model's own).")
    private List<String> bits = List.of();

    @Option(
            names = {"--imgsz", "--img", "--img-size"},
            split = ",",
            paramLabel = "SIZE",
            description = "Sizes of the input in pixels, such as 320,640 or 640x384, width first (default: the model's"
                    + " own).")
    private List<String> sizes = List.of();

    @Option(
            names = "--threads",
            split = ",",
            paramLabel = "N",
            description = "Numbers of threads, such as 1,4; 0 is one per processor (default: 0).")
    private List<Integer> threads = List.of(0);

    @Option(
            names = "--batch",
            split = ",",
            paramLabel = "N",
            description = "Images of a run (default: 1).")
    private List<Integer> batches = List.of(1);

    @Option(
            names = "--rivals",
            split = ",",
            paramLabel = "NAME",
            description = "Engines of others that run in turn with ours, float and int8: onnxruntime, opencv.")
    private List<String> rivals = List.of();

    @Option(
            names = "--image",
            paramLabel = "FILE",
            description = "Image that is looked at (default: grey tiles of 1280x720).")
    private String image;

    @Option(
            names = "--paced",
            paramLabel = "FPS",
            description = "A run begins with each frame of a camera of that rate, so that clocks and caches are those"
                    + " of a machine that waits in between (default: one run after another).")
    private double paced;

    @Option(
            names = "--long",
            paramLabel = "MINUTES",
            description = "Go on for that long, and tell by how much the median moved.")
    private double minutes;

    @Option(
            names = "--seconds",
            paramLabel = "N",
            defaultValue = "30",
            description = "Most time for warm-up and rounds of one task, of which there are a few in any case"
                    + " (default: ${DEFAULT-VALUE}).")
    private double seconds;

    @Option(
            names = "--precision",
            paramLabel = "PERCENT",
            defaultValue = "2",
            description = "Half width of the 95 %% intervals at which it is enough (default: ${DEFAULT-VALUE}).")
    private double precision;

    @Option(
            names = "--strict",
            description = "A disturbed run is an error, and nothing is written.")
    private boolean strict;

    @Option(
            names = "--rounds", hidden = true,
            paramLabel = "N",
            defaultValue = "20",
            description = "Least number of rounds (default: ${DEFAULT-VALUE}).")
    private int rounds;

    @Option(
            names = "--runs", hidden = true,
            paramLabel = "N",
            defaultValue = "3",
            description = "Runs of each engine in a round (default: ${DEFAULT-VALUE}).")
    private int runs;

    @Option(
            names = "--cold-starts", hidden = true,
            paramLabel = "N",
            defaultValue = "3",
            description = "Processes that are started for each model to see how long the first result takes; 0 for none"
                    + " (default: ${DEFAULT-VALUE}).")
    private int coldStarts;

    @Option(
            names = "--models-in-turn", hidden = true,
            description = "Models take turns as well, round by round, so that the ratios of their times hold; all of"
                    + " them are in memory together.")
    private boolean modelsInTurn;

    @Option(names = "--no-tune", hidden = true,
            description = "Take the engine's own kernels; tune none on this device.")
    private boolean noTune;

    @Option(names = "--no-layers", hidden = true, description = "Do not time the layers.")
    private boolean noLayers;

    @Option(names = "--layers", description = "Show a row for each layer as well.")
    private boolean showLayers;

    @Option(
            names = "--val", hidden = true,
            split = ",",
            paramLabel = "FILE.json",
            description = "What 'shrike val --json' printed for these models: accuracy against latency.")
    private List<String> accuracies = List.of();

    @Option(
            names = "--import", hidden = true,
            split = ",",
            paramLabel = "FILE",
            description = "Results of other tools: trtexec --exportTimes=FILE, or what benchncnn printed.")
    private List<String> imports = List.of();

    @Option(
            names = "--json",
            arity = "0..1",
            fallbackValue = "-",
            paramLabel = "FILE",
            description = "Write JSON (docs/bench.schema.json) with every sample; without FILE it is printed instead of"
                    + " the table.")
    private String json;

    @Option(names = "--csv", paramLabel = "FILE", description = "Write a table for spreadsheets.")
    private String csv;

    @Option(names = "--markdown", paramLabel = "FILE", description = "Write a table for Markdown.")
    private String markdown;

    @Option(names = "--html", paramLabel = "FILE", description = "Write one page with charts that needs no network.")
    private String html;

    @Option(names = "--no-progress", description = "Draw no progress bar.")
    private boolean noProgress;

    @Option(names = "--quiet", description = "Print errors only.")
    private boolean quiet;

    /**
     * A command that writes to the console.
     *
     * @param stores makes the store that named models come from, given whether it may draw a progress bar
     */
    public BenchCommand(Console console, Function<Boolean, ModelStore> stores) {
        this(console, stores, Path.of("/"));
    }

    /** The command for the machine whose files are below {@code root}. */
    BenchCommand(Console console, Function<Boolean, ModelStore> stores, Path root) {
        this.console = console;
        this.stores = stores;
        this.root = root;
    }

    /** The command with its own sub-commands. */
    public static CommandLine line(Console console, Function<Boolean, ModelStore> stores) {
        return new CommandLine(new BenchCommand(console, stores)).addSubcommand(new CompareCommand(console))
                .addSubcommand(new ReportCommand(console));
    }

    @Override
    public Integer call() {
        BenchRequest request = request();
        return new BenchRun(console, stores.apply(request.output().progress()), request, root).run();
    }

    private BenchRequest request() {
        boolean edge = suite != null;
        if (edge && !suite.equals(EdgeSuite.NAME)) {
            throw usage("--suite '" + suite + "': there is " + EdgeSuite.NAME);
        }
        if (weights.isEmpty() && !edge) {
            throw usage("say which models: --weights FILE, or --suite " + EdgeSuite.NAME);
        }
        if (edge && !(bits.isEmpty() && sizes.isEmpty() && rivals.isEmpty())) {
            throw usage("--suite is fixed: leave --bits, --imgsz and --rivals out");
        }
        BenchRequest request = new BenchRequest(edge && weights.isEmpty() ? EdgeSuite.MODELS : weights,
                distinct(engines), precisions(), inputSizes(), threadCounts(threads), batchSizes(), rivals(),
                Optional.ofNullable(image).map(this::path), how(), output());
        return edge ? EdgeSuite.of(request, threadCounts(List.of(1, 0))) : request;
    }

    private BenchRequest.How how() {
        try {
            Range.require("--cold-starts", coldStarts, 0, 100);
            Range.requireAboveZero("--seconds", seconds, WEEK_SECONDS);
            Range.requireAboveZero("--precision", precision, MOST_PERCENT);
            Range.require("--paced", paced, 0, 10_000);
            Range.require("--long", minutes, 0, WEEK_SECONDS / 60);
            return new BenchRequest.How(new Pace(paced, minutes), new Stopping(runs, rounds, seconds, precision / 100),
                    coldStarts, !noLayers, !noTune, strict, modelsInTurn);
        } catch (IllegalArgumentException e) {
            throw usage(e.getMessage());
        }
    }

    private BenchRequest.Output output() {
        return new BenchRequest.Output(optional(json), optional(csv), optional(markdown), optional(html),
                imports.stream().map(this::path).toList(), accuracies.stream().map(this::path).toList(), showLayers,
                quiet, !noProgress && !quiet);
    }

    private Optional<Path> optional(String text) {
        return Optional.ofNullable(text).map(this::path);
    }

    private Path path(String text) {
        return PathArgument.of(text, spec);
    }

    private List<String> precisions() {
        for (String text : bits) {
            if (!BenchRequest.isPrecision(text)) {
                throw usage("--bits '" + text + "' is neither float nor of the form w4a8, with 1 to 8 bits each");
            }
        }
        return distinct(bits);
    }

    private List<BenchRequest.Size> inputSizes() {
        List<BenchRequest.Size> found = new ArrayList<>();
        for (String text : distinct(sizes)) {
            Matcher matcher = SIZE.matcher(text);
            if (!matcher.matches()) {
                throw usage("--imgsz '" + text + "' is no size such as 640, or 640x384 (width x height)");
            }
            int width = Integer.parseInt(matcher.group(1));
            int height = matcher.group(2) == null ? width : Integer.parseInt(matcher.group(2));
            if (Math.min(width, height) < SMALLEST || Math.max(width, height) > LARGEST) {
                throw usage("--imgsz " + text + " is not within " + SMALLEST + " to " + LARGEST);
            }
            found.add(new BenchRequest.Size(width, height));
        }
        return found;
    }

    private List<Integer> threadCounts(List<Integer> numbers) {
        Set<Integer> counts = new LinkedHashSet<>();
        for (int number : numbers) {
            if (number < 0 || number > MOST_THREADS) {
                throw usage("number of threads " + number + " is not within 0 to " + MOST_THREADS);
            }
            counts.add(number == 0 ? Runtime.getRuntime().availableProcessors() : number);
        }
        return List.copyOf(counts);
    }

    private List<Integer> batchSizes() {
        for (int batch : batches) {
            if (batch < 1 || batch > MOST_IMAGES) {
                throw usage("--batch " + batch + " is not within 1 to " + MOST_IMAGES);
            }
        }
        return List.copyOf(new LinkedHashSet<>(batches));
    }

    private List<Rival> rivals() {
        return distinct(rivals).stream()
                .map(name -> Rival.of(name).orElseThrow(
                        () -> usage("--rivals '" + name + "': there are onnxruntime and opencv")))
                .toList();
    }

    private static List<String> distinct(List<String> values) {
        return List.copyOf(new LinkedHashSet<>(values));
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
