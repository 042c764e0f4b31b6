package dev.shrike.app.compress;

import dev.shrike.training.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * What each step does. Two ways are tried: the network quantised, and, where that is not quick enough, the network
 * pruned, fine-tuned and quantised. How much has to be pruned is tried out before anything is fine-tuned: the pruned
 * network is quantised by plain ranges, which gives its latency in seconds, and pruned further if that is not enough.
 */
final class Steps {
    static final String BENCH = "bench";
    /** Nothing shorter is worth trying: what is left of the network finds nothing. */
    private static final double LEAST_SHARE = 0.05;

    private static final String LATENCY = "--latency";
    private static final int PRUNINGS = 3;
    /** What a further pruning aims below, so that it does not end just above. */
    private static final double MARGIN = 0.97;
    private static final String TRIAL_IMAGES = "8";

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
            new Variant("quantized", "quantized.shrike", "build-quantized"),
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
        make(steps, "quantized");
        for (int round = 1; round <= PRUNINGS; round++) {
            steps.add(CompressPlan.Step.pending(numbered("prune", round), numbered("pruned", round) + ".onnx"));
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
                return round == 1 ? prune(plan, step.output()) : pruneFurther(plan, round, step.output());
            }
            if (step.name().equals(numbered("build-trial", round))) {
                return buildTrial(plan.step(numbered("prune", round)), step.output());
            }
            if (step.name().equals(numbered("bench-trial", round))) {
                return benchTrial(plan.step(numbered("build-trial", round)), step.output());
            }
        }
        String name = step.name();
        int dash = name.indexOf('-');
        String variant = dash < 0 ? "" : name.substring(dash + 1);
        return switch (dash < 0 ? name : name.substring(0, dash)) {
            case "val" -> val(plan, variant);
            case "bench" -> dash < 0 ? benchAll(plan) : bench(plan, variant, step.output());
            case "quantize" -> quantize(plan, variant, step.output());
            case "build" -> build(plan, variant, step.output());
            case "train" -> train(plan, step);
            default -> throw new IllegalStateException("step " + name);
        };
    }

    private String file(String name) {
        return folder.resolve(name).toString();
    }

    /** The file of a network; of those that were pruned, the last. */
    Path model(CompressPlan plan, Variant variant) {
        if (variant.file() == null) {
            return request.model();
        }
        String file = variant.file();
        for (int round = 2; round <= PRUNINGS && variant.name().equals("pruned"); round++) {
            CompressPlan.Step step = plan.step(numbered("prune", round));
            file = step.state() == CompressPlan.State.DONE ? step.output() : file;
        }
        return folder.resolve(file);
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
                .orElseGet(() -> measureLatency(model(plan, variant(name)).toString(), output));
    }

    private Decision measureLatency(String model, String output) {
        return command(List.of("bench", "--weights", model, "--json", file(output), "--quiet", "--cold-starts", "0",
                "--no-layers", "--seconds", Double.toString(request.seconds())), request.running());
    }

    private Decision quantize(CompressPlan plan, String name, String output) {
        Variant source = variant(!name.startsWith("pruned") ? "float" : hasGainedByTuning(plan) ? "tuned" : "pruned");
        return missing(plan, source).map(Steps::skip)
                .orElseGet(() -> command(List.of("quantize", model(plan, source).toString(), "-o", file(output),
                        "--scheme",
                        request.scheme(), "--data", request.data(), "--images", Integer.toString(request.images()),
                        "--no-progress"), request.running()));
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

    private Decision build(CompressPlan plan, String name, String output) {
        CompressPlan.Step quantized = plan.step("quantize-" + name);
        return quantized.state() != CompressPlan.State.DONE ? skip(quantized.reason())
                : command(List.of("build", file(quantized.output()), "-o", file(output), "--no-progress"),
                        request.running());
    }

    private Decision prune(CompressPlan plan, String output) {
        double quantized = Measured.latency(folder.resolve(plan.step("bench-quantized").output()));
        double target = target(plan);
        if (quantized <= target) {
            return skip(String.format(Locale.ROOT, "the quantised network takes %.2f ms, which is within %.2f ms",
                    quantized, target));
        }
        return pruneTo(target / quantized, output);
    }

    private Decision pruneTo(double wanted, String output) {
        double share = Math.max(LEAST_SHARE, Math.floor(1000 * wanted) / 1000);
        return command(List.of("prune", request.model().toString(), "-o", file(output), LATENCY,
                Double.toString(share), "--search", "spdy", "--data", request.data(), "--images",
                Integer.toString(request.images()), "--no-progress", "--latencies",
                request.latencies().map(Path::toString).orElse(file("latencies.yaml"))), request.running());
    }

    /** The layers' times do not add up to the network's, so a pruning may come out slower than it was asked to. */
    private Decision pruneFurther(CompressPlan plan, int round, String output) {
        CompressPlan.Step before = plan.step(numbered("prune", round - 1));
        if (before.state() != CompressPlan.State.DONE) {
            return skip(before.reason());
        }
        double found = Measured.latency(folder.resolve(plan.step(numbered("bench-trial", round - 1)).output()));
        double target = target(plan);
        if (found <= target) {
            return skip(String.format(Locale.ROOT, "what was pruned takes %.2f ms once quantised, which is within %.2f"
                    + " ms", found, target));
        }
        double share = Double.parseDouble(before.command().get(before.command().indexOf(LATENCY) + 1));
        return share <= LEAST_SHARE ? skip("nothing would be left of the network")
                : pruneTo(share * target / found * MARGIN, output);
    }

    private Decision buildTrial(CompressPlan.Step pruned, String output) {
        return pruned.state() != CompressPlan.State.DONE ? skip(pruned.reason())
                : command(List.of("build", file(pruned.output()), "-o", file(output), "--bits", request.scheme(),
                        "--data", request.data(), "--images", TRIAL_IMAGES, "--no-progress"), request.running());
    }

    private Decision benchTrial(CompressPlan.Step built, String output) {
        return built.state() != CompressPlan.State.DONE ? skip(built.reason()) : measureLatency(file(built.output()),
                output);
    }

    /** The latency that is wanted, in milliseconds. */
    double target(CompressPlan plan) {
        return request.share()
                ? request.budget() * Measured.latency(folder.resolve(plan.step("bench-float").output()))
                : request.budget();
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

    /** All networks that there are in one run, so that their times can be compared. */
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
        if (!accuracies.isEmpty()) {
            command.addAll(List.of("--val", String.join(",", accuracies)));
        }
        return command(command, request.running());
    }
}
