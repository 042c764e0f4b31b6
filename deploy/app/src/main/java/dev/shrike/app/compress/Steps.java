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
 * pruned, fine-tuned and quantised.
 */
final class Steps {
    static final String BENCH = "bench";
    /** Nothing shorter is worth trying: what is left of the network finds nothing. */
    private static final double LEAST_SHARE = 0.05;

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
        steps.add(CompressPlan.Step.pending("prune", "pruned.onnx"));
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

    /** What is to be done for a step, now that those before it are over. */
    Decision decide(CompressPlan plan, CompressPlan.Step step) {
        String name = step.name();
        int dash = name.indexOf('-');
        String variant = dash < 0 ? "" : name.substring(dash + 1);
        return switch (dash < 0 ? name : name.substring(0, dash)) {
            case "val" -> val(plan, variant);
            case "bench" -> dash < 0 ? benchAll(plan) : bench(plan, variant, step.output());
            case "quantize" -> quantize(plan, variant, step.output());
            case "build" -> build(plan, variant, step.output());
            case "prune" -> prune(plan, step.output());
            case "train" -> train(plan, step.output());
            default -> throw new IllegalStateException("step " + name);
        };
    }

    private String file(String name) {
        return folder.resolve(name).toString();
    }

    /** The file of a network. */
    Path model(Variant variant) {
        return variant.file() == null ? request.model() : folder.resolve(variant.file());
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
        return request.val().map(data -> command(List.of("val", "--weights", model(variant(name)).toString(), "--data",
                data, "--json", "--nosave", "--no-progress"), request.running()))
                .orElseGet(() -> skip("mAP needs labels: give --val"));
    }

    private Decision bench(CompressPlan plan, String name, String output) {
        return missing(plan, variant(name)).map(Steps::skip)
                .orElseGet(() -> command(List.of("bench", "--weights", model(variant(name)).toString(), "--json",
                        file(output), "--quiet", "--cold-starts", "0", "--no-layers", "--seconds",
                        Double.toString(request.seconds())), request.running()));
    }

    private Decision quantize(CompressPlan plan, String name, String output) {
        Variant source = variant(!name.startsWith("pruned") ? "float" : hasGainedByTuning(plan) ? "tuned" : "pruned");
        return missing(plan, source).map(Steps::skip)
                .orElseGet(() -> command(List.of("quantize", model(source).toString(), "-o", file(output), "--scheme",
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
        double share = Math.max(LEAST_SHARE, Math.floor(1000 * target / quantized) / 1000);
        List<String> command = new ArrayList<>(List.of("prune", request.model().toString(), "-o", file(output),
                "--latency", Double.toString(share), "--search", "spdy", "--data", request.data(), "--images",
                Integer.toString(request.images()), "--no-progress", "--latencies",
                request.latencies().map(Path::toString).orElse(file("latencies.yaml"))));
        return command(command, request.running());
    }

    /** The latency that is wanted, in milliseconds. */
    double target(CompressPlan plan) {
        return request.share()
                ? request.budget() * Measured.latency(folder.resolve(plan.step("bench-float").output()))
                : request.budget();
    }

    private Decision train(CompressPlan plan, String output) {
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
        List<String> command = new ArrayList<>(List.of("train", file("pruned.onnx"), "--data", request.val().get(),
                "-o", file(output), "--epochs", Integer.toString(request.epochs()), "--no-progress"));
        if (Trainer.canGoOn(folder.resolve(output))) {
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
                command.add(model(variant).toString());
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
