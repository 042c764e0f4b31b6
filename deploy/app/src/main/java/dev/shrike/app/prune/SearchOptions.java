package dev.shrike.app.prune;

import dev.shrike.calibration.prune.Budget;
import dev.shrike.calibration.prune.Pruner;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How much of a network may remain, and how what goes is divided among its layers. */
final class SearchOptions {
    private static final Pattern AMOUNT = Pattern.compile("(\\d*\\.?\\d+(?:[eE]-?\\d+)?)\\s*([a-zA-Z]*)");

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--macs", paramLabel = "REST",
            description = "Multiplications that may remain: a share such as 0.8, or millions of an image such as"
                    + " 1500.")
    private Double macs;

    @Option(names = "--params", paramLabel = "REST",
            description = "Parameters that may remain: a share such as 0.8, or millions such as 1.57.")
    private Double parameters;

    @Option(names = "--size", paramLabel = "REST",
            description = "Size of the parameters as 32-bit floats that may remain: a share such as 0.8, or with a"
                    + " unit,"
                    + " such as 6.3MB or 900kB (of 1000 bytes).")
    private String size;

    @Option(names = "--latency", paramLabel = "REST",
            description = "Time of one image that may remain, by the engine of this machine: a share such as 0.8, or"
                    + " milliseconds such as 35ms. Each layer is timed alone with fewer channels; between them it is"
                    + " interpolated, and the sum is scaled to the time of the whole network.")
    private String latency;

    @Option(names = "--latencies", hidden = true, paramLabel = "FILE.yaml",
            description = "Table of these times: read if it is there, else measured and written, so that it can be"
                    + " measured on another machine.")
    private String latencies;

    @Option(names = "--search", paramLabel = "HOW",
            description = "How what goes is divided among layers. uniform: each loses the same share, as --scope layer."
                    + " saliency: all channels compete, as --scope global. spdy: by dynamic programming over losses and"
                    + " savings of each layer, for many weightings of layers, of which the one whose heads stay nearest"
                    + " on held-out images is taken. nsga2: plans evolve into a front of cost and nearness. The last"
                    + " two need --data (default: by --scope).")
    private String search;

    @Option(names = "--weightings", hidden = true, paramLabel = "N", defaultValue = "32",
            description = "Weightings that --search spdy tries (default: ${DEFAULT-VALUE}).")
    private int weightings;

    @Option(names = "--population", hidden = true, paramLabel = "N", defaultValue = "16",
            description = "Plans of --search nsga2 at a time, half of them new in each generation (default:"
                    + " ${DEFAULT-VALUE}).")
    private int population;

    @Option(names = "--generations", hidden = true, paramLabel = "N", defaultValue = "8",
            description = "Generations of --search nsga2 after the first (default: ${DEFAULT-VALUE}).")
    private int generations;

    @Option(names = "--front", paramLabel = "FILE.json",
            description = "Write the front of --search nsga2 (docs/prune-front.schema.json). With --val, the mAP of its"
                    + " plans is measured too, and decides.")
    private String front;

    @Option(names = "--front-chart", hidden = true, paramLabel = "FILE.png",
            description = "Draw the front of --search nsga2.")
    private String frontChart;

    /** Fails unless the options make sense by themselves. */
    void check() {
        if (weightings < 0 || weightings > 10_000 || population < 4 || population > 1000 || generations < 0
                || generations > 1000) {
            throw usage("--weightings is 0 to 10000, --population 4 to 1000, --generations 0 to 1000");
        }
        if ((front != null || frontChart != null) && !"nsga2".equals(search)) {
            throw usage("--front and --front-chart go with --search nsga2");
        }
        if (latencies != null && latency == null) {
            throw usage("--latencies goes with --latency");
        }
    }

    /** How many budgets are given. */
    int budgets() {
        return (int) Stream.of(macs, parameters, size, latency).filter(java.util.Objects::nonNull).count();
    }

    /** The budget, if one is given. */
    Optional<Budget> budget() {
        if (macs != null) {
            return Optional.of(millions(Budget.Measure.MACS, macs));
        }
        if (parameters != null) {
            return Optional.of(millions(Budget.Measure.PARAMETERS, parameters));
        }
        return size != null ? Optional.of(amount("--size", size, Budget.Measure.BYTES))
                : Optional.ofNullable(latency).map(text -> amount("--latency", text, Budget.Measure.LATENCY));
    }

    /** Up to 1 it is a share, else millions. */
    private static Budget millions(Budget.Measure measure, double amount) {
        return amount <= 1 ? new Budget(measure, true, amount) : new Budget(measure, false, amount * 1e6);
    }

    private Budget amount(String option, String text, Budget.Measure measure) {
        Matcher matcher = AMOUNT.matcher(text.strip());
        boolean bytes = measure == Budget.Measure.BYTES;
        if (!matcher.matches()) {
            throw usage(option + " '" + text + "' is neither a share nor a number with a unit such as "
                    + (bytes ? "6.3MB" : "35ms"));
        }
        double number = Double.parseDouble(matcher.group(1));
        String unit = matcher.group(2).toLowerCase(Locale.ROOT);
        if (unit.isEmpty() && number <= 1) {
            return new Budget(measure, true, number);
        }
        double factor = switch (unit) {
            case "b" -> bytes ? 1 : 0;
            case "kb" -> bytes ? 1e3 : 0;
            case "mb" -> bytes ? 1e6 : 0;
            case "us" -> bytes ? 0 : 1e3;
            case "ms" -> bytes ? 0 : 1e6;
            case "s" -> bytes ? 0 : 1e9;
            default -> 0;
        };
        if (factor == 0) {
            throw usage(option + " '" + text + "': " + (bytes ? "units are B, kB and MB" : "units are us, ms and s")
                    + "; a share is at most 1");
        }
        return new Budget(measure, false, number * factor);
    }

    Optional<String> latencies() {
        return Optional.ofNullable(latencies);
    }

    Optional<String> front() {
        return Optional.ofNullable(front);
    }

    Optional<String> frontChart() {
        return Optional.ofNullable(frontChart);
    }

    /** Whether the search is one that images judge. */
    boolean needsImages() {
        return "spdy".equals(search) || "nsga2".equals(search);
    }

    /**
     * Whether all channels compete.
     *
     * @param scope of the command line, null if it is not given
     */
    boolean global(String scope) {
        boolean global = switch (scope) {
            case null -> !"uniform".equals(search);
            case "global" -> true;
            case "layer" -> false;
            default -> throw usage("--scope '" + scope + "' is neither global nor layer");
        };
        if (scope != null && search != null && (search.equals("uniform") == global || !global)) {
            throw usage("--scope and --search both say how what goes is divided; give one of them");
        }
        return global;
    }

    /** Whether a way to divide is named. */
    boolean given() {
        return search != null;
    }

    /** The search; an evolution does not know accuracies yet. */
    Pruner.Search search() {
        return switch (search) {
            case null -> new Pruner.Search.Greedy();
            case "uniform", "saliency" -> new Pruner.Search.Greedy();
            case "spdy" -> new Pruner.Search.DynamicProgramming(weightings);
            case "nsga2" -> new Pruner.Search.Evolution(population, generations, Optional.empty());
            default -> throw usage("--search '" + search + "' is none of uniform, saliency, spdy and nsga2");
        };
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
