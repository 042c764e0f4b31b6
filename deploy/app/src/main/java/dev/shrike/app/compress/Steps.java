package dev.shrike.app.compress;

import dev.shrike.ShrikeException;
import dev.shrike.training.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * What each step does. Three ways are tried, each where the one before is not quick enough: the network quantised, the
 * same with codes instead of floats in front of activation functions, and the network pruned, fine-tuned and quantised
 * in the quicker of the two forms. How much has to be pruned is tried out before anything is fine-tuned: the pruned
 * network is quantised in the form of the last one, but with little effort, which gives its latency in seconds, and
 * pruned further if that is not enough.
 *
 * <p>Latencies of one machine differ from minute to minute. So where the target is a share of the float network's
 * latency, both are measured in turn in one run, and what is decided is decided on the ratio of their medians.
 */
final class Steps {
    static final String BENCH = "bench";
    private static final String QUANTIZED = "quantized";
    /** Quantised, with codes of 8 bits in front of activation functions. */
    private static final String CODES = "quantized-codes";
    private static final String LATENCY = "--latency";
    private static final int PRUNINGS = 4;
    /**
     * A trial must be this much below the target: the network that is made of it may take as much more. Another pruning
     * costs a minute, a target that is missed all that came before. A network that was only quantised is taken up to
     * the target itself: pruning it for the sake of a percent would cost hours of fine-tuning.
     */
    private static final double CLEARLY = 0.99;
    /** Half widths of intervals in percent. With 2, ratios of the same networks differed by 4 % from run to run. */
    private static final List<String> PRECISION = List.of("--precision", "1");
    private static final int TRIAL_IMAGES = 8;
    /** Activations of fewer bits have codes in front of their functions by default ({@code shrike quantize}). */
    private static final int LEAST_BITS_OF_FLOATS = 4;
    /** The least effort that gives weights the zero points that they will have: kernels may differ by them. */
    private static final String TRIAL_EFFORT = "scale-search";

    private final CompressRequest request;
    private final Path folder;
    private final Supplier<Optional<String>> obstacle;

    /** Whether a step is done, with what arguments, or why it is not. */
    record Decision(List<String> command, String skipped) {}

    /**
     * A network on the way.
     *
     * @param name of it
     * @param file its file in the folder, or null for the model itself
     * @param after the step that makes it, or null
     */
    record Variant(String name, String file, String after) {}

    /** The networks, in the order in which they are made. */
    static final List<Variant> VARIANTS = List.of(new Variant("float", null, null),
            new Variant(QUANTIZED, "quantized.shrike", "build-quantized"),
            new Variant(CODES, "quantized-codes.shrike", "build-quantized-codes"),
            new Variant("pruned", "pruned.onnx", "prune"), new Variant("tuned", "tuned.onnx", "train"),
            new Variant("pruned-quantized", "pruned-quantized.shrike", "build-pruned-quantized"));

    /**
     * The steps of a request.
     *
     * @param obstacle why nothing can be fine-tuned here, if so; asked when it comes to that
     */
    Steps(CompressRequest request, Path folder, Supplier<Optional<String>> obstacle) {
        this.request = request;
        this.folder = folder;
        this.obstacle = obstacle;
    }

    /** The plan before anything is done. */
    CompressPlan plan() {
        List<CompressPlan.Step> steps = new ArrayList<>();
        measure(steps, "float");
        make(steps, QUANTIZED);
        make(steps, CODES);
        for (int round = 1; round <= PRUNINGS; round++) {
            steps.add(CompressPlan.Step.pending(numbered("prune", round), numbered("pruned", round) + ".onnx"));
            steps.add(CompressPlan.Step.pending(numbered("quantize-trial", round), numbered("trial", round) + ".onnx"));
            steps.add(CompressPlan.Step.pending(numbered("build-trial", round), numbered("trial", round) + ".shrike"));
            steps.add(CompressPlan.Step.pending(numbered("bench-trial", round),
                    numbered("bench-trial", round) + ".json"));
        }
        measure(steps, "pruned");
        steps.add(CompressPlan.Step.pending("train", "tuned.onnx"));
        measure(steps, "tuned");
        make(steps, "pruned-quantized");
        steps.add(CompressPlan.Step.pending(BENCH, "bench.json"));
        return new CompressPlan(CompressPlan.SCHEMA, request.text(), steps);
    }

    private static void measure(List<CompressPlan.Step> steps, String variant) {
        steps.add(CompressPlan.Step.pending("val-" + variant, "val-" + variant + ".json"));
        steps.add(CompressPlan.Step.pending("bench-" + variant, "bench-" + variant + ".json"));
    }

    private static void make(List<CompressPlan.Step> steps, String variant) {
        steps.add(CompressPlan.Step.pending("quantize-" + variant, variant + ".onnx"));
        steps.add(CompressPlan.Step.pending("build-" + variant, variant + ".shrike"));
        measure(steps, variant);
    }

    private static String numbered(String name, int round) {
        return round == 1 ? name : name + "-" + round;
    }

    /** What is to be done for a step, now that those before it are over. */
    Decision decide(CompressPlan plan, CompressPlan.Step step) {
        for (int round = 1; round <= PRUNINGS; round++) {
            if (step.name().equals(numbered("prune", round))) {
                return prune(plan, round, step.output());
            }
            if (step.name().equals(numbered("quantize-trial", round))) {
                return after(plan.step(numbered("prune", round)), pruned -> quantizeTrial(plan, pruned, step.output()));
            }
            if (step.name().equals(numbered("build-trial", round))) {
                return after(plan.step(numbered("quantize-trial", round)), trial -> build(trial, step.output()));
            }
            if (step.name().equals(numbered("bench-trial", round))) {
                return after(plan.step(numbered("build-trial", round)), trial -> measure(trial, step.output()));
            }
        }
        String name = step.name();
        int dash = name.indexOf('-');
        String variant = dash < 0 ? "" : name.substring(dash + 1);
        return switch (dash < 0 ? name : name.substring(0, dash)) {
            case "val" -> val(plan, variant);
            case "bench" -> dash < 0 ? benchAll(plan) : bench(plan, variant, step.output());
            case "quantize" -> quantize(plan, variant, step.output());
            case "build" -> after(plan.step("quantize-" + variant), quantized -> build(quantized, step.output()));
            case "train" -> train(plan, step);
            default -> throw new IllegalStateException("step " + name);
        };
    }

    private String file(String name) {
        return folder.resolve(name).toString();
    }

    /** The file of a network; of those that were pruned, the one that is gone on with. */
    Path model(CompressPlan plan, Variant variant) {
        if (variant.file() == null) {
            return request.model();
        }
        return folder.resolve(variant.name().equals("pruned") ? plan.step(bestPruning(plan)).output() : variant.file());
    }

    /**
     * The pruning whose trial was quickest. That is the last one where it was quick enough; where none was, two
     * prunings of nearly one share may have come out the other way round.
     */
    private String bestPruning(CompressPlan plan) {
        List<PruningShare.Tried> tried = prunings(plan);
        int best = 0;
        for (int i = 1; i < tried.size(); i++) {
            best = tried.get(i).found() < tried.get(best).found() ? i : best;
        }
        return numbered("prune", best + 1);
    }

    private static Variant variant(String name) {
        return VARIANTS.stream().filter(variant -> variant.name().equals(name)).findFirst().orElseThrow();
    }

    /** Why a network is not there, if it is not. */
    static Optional<String> missing(CompressPlan plan, Variant variant) {
        return variant.after() == null || plan.step(variant.after()).state() == CompressPlan.State.DONE
                ? Optional.empty()
                : Optional.of("there is no " + variant.name() + " network: "
                        + Optional.ofNullable(plan.step(variant.after()).reason()).orElse("it was not made"));
    }

    private static Decision skip(String reason) {
        return new Decision(null, reason);
    }

    private static Decision command(List<String> first, List<String> more) {
        List<String> all = new ArrayList<>(first);
        all.addAll(more);
        return new Decision(all, null);
    }

    private Decision val(CompressPlan plan, String name) {
        Optional<String> missing = missing(plan, variant(name));
        if (missing.isPresent()) {
            return skip(missing.get());
        }
        return request.val()
                .map(data -> command(List.of("val", "--weights", model(plan, variant(name)).toString(), "--data",
                        data, "--json", "--nosave", "--no-progress"), request.running()))
                .orElseGet(() -> skip("mAP needs labels: give --val"));
    }

    private Decision bench(CompressPlan plan, String name, String output) {
        return missing(plan, variant(name)).map(Steps::skip)
                .orElseGet(() -> measure(model(plan, variant(name)).toString(), output));
    }

    /** The latency of a network, and in the same run that of the float network where a share of it is wanted. */
    private Decision measure(String model, String output) {
        String floats = request.model().toString();
        List<String> command = new ArrayList<>(List.of("bench", "--weights"));
        command.addAll(request.share() && !model.equals(floats) ? List.of(floats, model, "--models-in-turn")
                : List.of(model));
        command.addAll(List.of("--json", file(output), "--quiet", "--cold-starts", "0", "--no-layers", "--seconds",
                Double.toString(request.seconds())));
        command.addAll(PRECISION);
        return command(command, request.running());
    }

    /** What a network takes by the bench of a step: milliseconds, or a share of the float network's latency. */
    private double measured(CompressPlan plan, String bench, String file) {
        Path report = folder.resolve(plan.step(bench).output());
        return request.share() ? Measured.ratio(report, request.model(), folder.resolve(file))
                : Measured.latency(report, folder.resolve(file));
    }

    /**
     * What a network takes in milliseconds, by the bench of its own: the last bench has all of them, which may take the
     * caches from each other.
     */
    double milliseconds(CompressPlan plan, Variant variant) {
        double floats = Measured.latency(folder.resolve(plan.step("bench-float").output()), request.model());
        String file = model(plan, variant).toString();
        return variant.file() == null ? floats
                : (request.share() ? floats : 1) * measured(plan, "bench-" + variant.name(), file);
    }

    /** For people, what {@link #measured} gave. */
    String text(double measured) {
        return request.share() ? String.format(Locale.ROOT, "%.3f of the float network's time", measured)
                : String.format(Locale.ROOT, "%.2f ms", measured);
    }

    private Decision quantize(CompressPlan plan, String name, String output) {
        if (name.equals(CODES) && request.activationBits() < LEAST_BITS_OF_FLOATS) {
            return skip(request.scheme() + " has codes in front of activation functions anyway");
        }
        if (name.equals(CODES) && measured(plan, QUANTIZED) <= request.budget()) {
            return skip(isQuickEnough(measured(plan, QUANTIZED)));
        }
        boolean codes = name.equals(CODES) || name.startsWith("pruned") && areCodesQuicker(plan);
        Variant source = variant(!name.startsWith("pruned") ? "float" : hasGainedByTuning(plan) ? "tuned" : "pruned");
        return missing(plan, source).map(Steps::skip)
                .orElseGet(() -> command(quantizing(model(plan, source).toString(), output, request.images(), codes),
                        request.running()));
    }

    private List<String> quantizing(String model, String output, int images, boolean codes) {
        List<String> command = new ArrayList<>(List.of("quantize", model, "-o", file(output), "--scheme",
                request.scheme(), "--data", request.data(), "--images", Integer.toString(images), "--no-progress"));
        if (codes) {
            command.addAll(List.of("--pre-activations", "8"));
        }
        return command;
    }

    private String isQuickEnough(double quantized) {
        return "the quantised network takes " + text(quantized) + ", which is within " + text(request.budget());
    }

    /** Whether codes in front of activation functions were tried and have made the network quicker. */
    private boolean areCodesQuicker(CompressPlan plan) {
        return missing(plan, variant(CODES)).isEmpty() && measured(plan, CODES) < measured(plan, QUANTIZED);
    }

    /** What a quantised network that was not pruned takes by its own bench. */
    private double measured(CompressPlan plan, String name) {
        return measured(plan, "bench-" + name, variant(name).file());
    }

    /**
     * Whether fine-tuning has made a better network of the pruned one. Few epochs may not: what pruning with repair
     * left can be better than what they come back to.
     */
    private boolean hasGainedByTuning(CompressPlan plan) {
        return missing(plan, variant("tuned")).isEmpty() && map(plan, "tuned") > map(plan, "pruned");
    }

    private double map(CompressPlan plan, String variant) {
        return Measured.map(folder.resolve(plan.step("val-" + variant).output()));
    }

    /** What is done with the output of a step, if that is there. */
    private Decision after(CompressPlan.Step before, Function<String, Decision> then) {
        return before.state() == CompressPlan.State.DONE ? then.apply(file(before.output())) : skip(before.reason());
    }

    private Decision build(String quantized, String output) {
        return command(List.of("build", quantized, "-o", file(output), "--no-progress"), request.running());
    }

    private Decision quantizeTrial(CompressPlan plan, String pruned, String output) {
        List<String> command = quantizing(pruned, output, TRIAL_IMAGES, areCodesQuicker(plan));
        command.addAll(List.of("--effort", TRIAL_EFFORT));
        return command(command, request.running());
    }

    private Decision prune(CompressPlan plan, int round, String output) {
        if (round > 1 && plan.step(numbered("prune", round - 1)).state() != CompressPlan.State.DONE) {
            return skip(plan.step(numbered("prune", round - 1)).reason());
        }
        List<PruningShare.Tried> tried = tried(plan, round - 1);
        PruningShare.Tried last = tried.getLast();
        if (last.found() <= (round == 1 ? 1 : CLEARLY) * request.budget()) {
            return skip(round == 1 ? isQuickEnough(last.found())
                    : "what was pruned takes, once quantised, " + text(last.found()) + ", which is within "
                            + text(request.budget()));
        }
        if (last.share() <= PruningShare.LEAST) {
            return skip("nothing would be left of the network");
        }
        return command(List.of("prune", request.model().toString(), "-o", file(output), LATENCY,
                Double.toString(PruningShare.next(tried, request.budget())), "--search", "spdy", "--data",
                request.data(), "--images", Integer.toString(request.images()), "--no-progress", "--latencies",
                request.latencies().map(Path::toString).orElse(file("latencies.yaml"))), request.running());
    }

    /** The network that was not pruned, and the trials of those that were in these rounds. */
    private List<PruningShare.Tried> tried(CompressPlan plan, int rounds) {
        List<PruningShare.Tried> tried = new ArrayList<>();
        tried.add(new PruningShare.Tried(1, measured(plan, areCodesQuicker(plan) ? CODES : QUANTIZED)));
        for (int round = 1; round <= rounds; round++) {
            tried.add(new PruningShare.Tried(asked(plan.step(numbered("prune", round))),
                    measured(plan, numbered("bench-trial", round),
                            plan.step(numbered("build-trial", round)).output())));
        }
        return tried;
    }

    private double asked(CompressPlan.Step pruning) {
        List<String> command = Optional.ofNullable(pruning.command()).orElse(List.of());
        int option = command.indexOf(LATENCY);
        try {
            return Double.parseDouble(command.get(option < 0 ? command.size() : option + 1));
        } catch (NumberFormatException | IndexOutOfBoundsException e) {
            throw new ShrikeException(folder.resolve(CompressRun.PLAN) + ": the step '" + pruning.name()
                    + "' is done and does not say to what " + LATENCY + "; remove this folder or name another with -o",
                    e);
        }
    }

    /** The prunings that were done, with what came of them. */
    List<PruningShare.Tried> prunings(CompressPlan plan) {
        int done = 0;
        while (done < PRUNINGS && plan.step(numbered("prune", done + 1)).state() == CompressPlan.State.DONE) {
            done++;
        }
        return done == 0 ? List.of() : tried(plan, done).subList(1, done + 1);
    }

    private Decision train(CompressPlan plan, CompressPlan.Step step) {
        Optional<String> missing = missing(plan, variant("pruned"));
        if (missing.isPresent()) {
            return skip(missing.get());
        }
        if (request.val().isEmpty()) {
            return skip("fine-tuning needs labels: give --val");
        }
        Optional<String> why = obstacle.get();
        if (why.isPresent()) {
            return skip(why.get());
        }
        List<String> command = new ArrayList<>(List.of("train", model(plan, variant("pruned")).toString(), "--data",
                request.val().get(), "-o", file(step.output()), "--epochs", Integer.toString(request.epochs()),
                "--no-progress"));
        boolean begun = step.state() == CompressPlan.State.PENDING && step.command() != null;
        if (begun && Trainer.canGoOn(folder.resolve(step.output()))) {
            command.add("--resume");
        }
        return command(command, request.running());
    }

    /** All networks that there are, with their layers, for the page that draws accuracy against latency. */
    private Decision benchAll(CompressPlan plan) {
        List<String> command = new ArrayList<>(List.of("bench", "--weights"));
        List<String> accuracies = new ArrayList<>();
        for (Variant variant : VARIANTS) {
            if (missing(plan, variant).isEmpty()) {
                command.add(model(plan, variant).toString());
                CompressPlan.Step val = plan.step("val-" + variant.name());
                if (val.state() == CompressPlan.State.DONE) {
                    accuracies.add(file(val.output()));
                }
            }
        }
        command.addAll(List.of("--json", file("bench.json"), "--html", file("bench.html"), "--quiet", "--cold-starts",
                "1", "--seconds", Double.toString(request.seconds())));
        command.addAll(PRECISION);
        if (!accuracies.isEmpty()) {
            command.addAll(List.of("--val", String.join(",", accuracies)));
        }
        return command(command, request.running());
    }
}
