package dev.shrike.app.quantize;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.app.Console;
import dev.shrike.app.ExitCode;
import dev.shrike.app.OtherFile;
import dev.shrike.app.Progress;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.app.detect.Weights;
import dev.shrike.calibration.activations.ActivationMemory;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.quantize.BitWidths;
import dev.shrike.calibration.quantize.LayerLatencies;
import dev.shrike.calibration.quantize.LayerReport;
import dev.shrike.calibration.quantize.MixedPrecision;
import dev.shrike.calibration.quantize.QuantizationPlan;
import dev.shrike.calibration.quantize.Quantizer;
import dev.shrike.calibration.quantize.RateAllocation;
import dev.shrike.calibration.quantize.rounding.WeightFormat;
import dev.shrike.calibration.ranges.ActivationStatistics;
import dev.shrike.calibration.training.Distillation;
import dev.shrike.calibration.training.FisherPositions;
import dev.shrike.files.FileReplacement;
import dev.shrike.graph.Graph;
import dev.shrike.graph.passes.ExplicitQuantization;
import dev.shrike.heads.ImageWarning;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/** One run of {@code shrike quantize}: measures, plans, fits and writes. */
final class QuantizeRun {
    private static final Set<Integer> WIDTHS = Set.of(2, 3, 4, 5, 6, 8);
    private static final int PLAN_IMAGES = 64;

    private final Console console;
    private final ModelStore store;
    private final CalibrationOptions common;
    private final QuantizeRequest request;
    private final Steps steps;

    QuantizeRun(Console console, ModelStore store, CalibrationOptions common, QuantizeRequest request) {
        this.console = console;
        this.store = store;
        this.common = common;
        this.request = request;
        this.steps = new Steps(new Progress(console, common.progress()));
    }

    /** The exit code. */
    int run() {
        // Said now, not after the images.
        FileReplacement.requireFolder(request.output());
        request.savePlan().ifPresent(FileReplacement::requireFolder);
        request.latency().ifPresent(budget -> FileReplacement.requireFolder(budget.table()));
        Optional<QuantizationPlan> given = request.plan().map(QuantizationPlan::read);
        boolean dynamic = request.dynamicRanges()
                .orElse(given.map(QuantizationPlan::dynamicRanges).orElse(false));
        if (dynamic) {
            checkDynamic();
        }
        CalibrationData data = common.images(console, request.cache(), steps);
        List<Path> images = data.images();
        if (request.epochs() > 0 && images.size() < Distillation.LEAST_IMAGES) {
            throw common.usage("--epochs needs " + Distillation.LEAST_IMAGES + " images or more, not "
                    + images.size());
        }
        if (request.epochs() > 0 && (!request.codes().isConsecutive()
                || given.stream().flatMap(plan -> plan.layers().values().stream().flatMap(Optional::stream))
                        .anyMatch(widths -> !widths.codes().isConsecutive()))) {
            throw common.usage("--epochs tunes uniform weight codes, not " + WeightFormat.POWER_OF_TWO + " or "
                    + WeightFormat.ENTROPY_CODED + " ones; leave it out, or these");
        }
        Path model = Weights.resolve(common.model(), common.width(), common.height(), store);
        requireOther(model, data);
        Backend backend = Backends.usable(Backends.installed(), "").getFirst();
        if (backend.reads(model)) {
            throw new ModelException(model + ": is a built model; give the ONNX file that it was made from");
        }
        long start = System.nanoTime();
        try {
            Graph graph = OnnxModels.read(model);
            ImageWarning.of(graph).ifPresent(warning -> console.note(model + ": " + warning));
            ActivationMemory memory = MemoryBudget.forActivations(request.memory(), graph,
                    FileReplacement.requireFolder(request.output()));
            Quantizer quantizer = new Quantizer(graph,
                    Measurement.inputShapes(graph, common.width(), common.height()), backend, common.threads(), memory);
            data.warn(console, common.quiet());
            quantizer = request.forTensorRt() ? quantizer.withSymmetricCodes() : quantizer;
            quantize(model, dynamic ? quantizer.withDynamicRanges() : quantizer,
                    given.map(plan -> withRanges(plan, dynamic)), images, backend, dynamic, start);
            if (!common.quiet() && memory.mostOnDisk() > 0) {
                console.line(String.format(Locale.ROOT, "of these on disk: %.0f MB, as --memory %.2f wants it",
                        memory.mostOnDisk() / 1e6, request.memory()));
            }
            data.report(console, common.quiet());
        } catch (UnsupportedModelException e) {
            throw new UnsupportedModelException(model + ": " + e.getMessage(), e);
        } catch (ModelException e) {
            throw new ModelException(model + ": " + e.getMessage(), e);
        } finally {
            steps.clear();
        }
        return ExitCode.OK;
    }

    private void requireOther(Path model, CalibrationData data) {
        Map<String, Optional<Path>> written = Map.of("-o", Optional.of(request.output()), "--save-plan",
                request.savePlan(), "--cache", request.cache(), "--latencies",
                request.latency().map(QuantizeRequest.LatencyBudget::table));
        written.forEach((option, file) -> file.ifPresent(path -> {
            OtherFile.require(option, path, model);
            data.requireOther(option, path);
        }));
    }

    /** Dynamic ranges have no use for what decides about static ones, and the tuning does not know them. */
    private void checkDynamic() {
        String why = " does not go with dynamic activation ranges, which each image has of its own; leave it out, or"
                + " give --activation-ranges static";
        if (request.ranges().isPresent()) {
            throw common.usage("--ranges" + why);
        }
        if (request.wideRanges().isPresent()) {
            throw common.usage("--wide-ranges" + why);
        }
        if (request.cache().isPresent()) {
            throw common.usage("--cache" + why);
        }
        if (request.preActivations().orElse(false)) {
            throw common.usage("--pre-activations 8 does not go with dynamic activation ranges: only what layers read"
                    + " has codes then; leave it out, or give --activation-ranges static");
        }
        if (request.epochs() > 0) {
            throw common.usage("--epochs tunes networks with static activation ranges; leave it out, or give"
                    + " --activation-ranges static");
        }
        int bits = request.widths().map(BitWidths::activations).orElse(request.activations());
        if (bits != 8) {
            throw common.usage("dynamic activation ranges are for activations of 8 bits, not " + bits + "; give "
                    + request.widths().map(widths -> "--scheme w" + widths.weights() + "a8")
                            .orElse("--activations 8")
                    + ", or --activation-ranges static");
        }
    }

    private QuantizationPlan withRanges(QuantizationPlan plan, boolean dynamic) {
        try {
            return plan.withDynamicRanges(dynamic);
        } catch (IllegalArgumentException e) {
            throw common.usage("--plan " + request.plan().orElseThrow() + ": " + e.getMessage());
        }
    }

    private void quantize(Path model, Quantizer bare, Optional<QuantizationPlan> given, List<Path> files,
            Backend backend, boolean dynamic, long start) {
        Map<String, ActivationStatistics> statistics = dynamic ? Map.of()
                : new Measurement(console, steps, common.quiet()).measure(model,
                        bare.prepared(), bare.valuesToMeasure(), files,
                        new Measurement.Im2col(request.crop(), request.seed()), backend, common.threads(),
                        request.cache().orElse(null));
        Quantizer quantizer = request.effort().weighPositions() ? atSensitivePlaces(bare, files) : bare;
        QuantizationPlan plan = given.orElseGet(() -> request.widths().map(quantizer::uniform)
                .orElseGet(() -> chosen(quantizer, statistics, files)))
                .withRanges(request.ranges(), request.wideRanges());
        plan = request.preActivations().map(plan::withPreActivations).orElse(plan);
        request.savePlan().ifPresent(plan::write);
        Quantizer.Result result;
        try (CalibrationImages images = images(quantizer, files, files.size())) {
            result = quantizer.quantize(plan, statistics, images, request.effort(),
                    (name, done, total) -> steps.show("fitting " + name, done, total));
        }
        steps.clear();
        if (request.epochs() > 0) {
            result = new Quantizer.Result(tuned(quantizer, result.graph(), files), result.layers(),
                    result.activationBytes());
        }
        // What the engine cannot run is told here, not where the file goes.
        quantizer.open(result.graph()).close();
        OnnxModels.write(request.forTensorRt() ? new ExplicitQuantization().apply(result.graph()) : result.graph(),
                request.output());
        if (!common.quiet()) {
            summary(model, plan, result, start);
        }
    }

    /** Of a network whose gradients are not known here, all positions count alike. */
    private Quantizer atSensitivePlaces(Quantizer quantizer, List<Path> files) {
        try (CalibrationImages images = images(quantizer, files, files.size())) {
            return quantizer.at(FisherPositions.measure(quantizer.prepared(), images, request.effort().positions(),
                    common.threads(), done -> steps.show("weighing positions", done, files.size())));
        } catch (UnsupportedModelException e) {
            steps.clear();
            if (!common.quiet()) {
                console.note("all positions of an image count alike: " + e.getMessage());
            }
            return quantizer;
        } finally {
            steps.clear();
        }
    }

    private Graph tuned(Quantizer quantizer, Graph graph, List<Path> files) {
        try (CalibrationImages images = images(quantizer, files, files.size());
                Distillation distillation = new Distillation(quantizer.prepared(), graph, images,
                        Distillation.Options.of(request.epochs(), common.threads()))) {
            Distillation.Result tuned = distillation.run((done, total, loss) -> steps
                    .show(String.format(Locale.ROOT, "tuning, loss %.4f", loss), done, total));
            steps.clear();
            if (!common.quiet()) {
                console.line(String.format(Locale.ROOT, "tuned: distance to the float network %.4f, before %.4f",
                        tuned.after(), tuned.before()));
            }
            return tuned.graph();
        } catch (UnsupportedModelException e) {
            throw new UnsupportedModelException("cannot be tuned as a whole: " + e.getMessage()
                    + "; leave --epochs out", e);
        }
    }

    private CalibrationImages images(Quantizer quantizer, List<Path> files, int most) {
        return new CalibrationImages(files.subList(0, Math.min(most, files.size())),
                quantizer.prepared().inputs().getFirst(), request.crop(), request.seed());
    }

    private QuantizationPlan chosen(Quantizer quantizer, Map<String, ActivationStatistics> statistics,
            List<Path> files) {
        // A table that does not serve is told before the widths are tried, which takes minutes.
        Optional<LayerLatencies> table =
                request.latency().map(budget -> latencies(budget, quantizer, statistics, files));
        try (CalibrationImages images = images(quantizer, files, PLAN_IMAGES)) {
            if (request.codes() == WeightFormat.ENTROPY_CODED) {
                RateAllocation rates = new RateAllocation(quantizer, statistics, images, request.activations(),
                        request.effort(), (name, done, total) -> steps.show("measuring " + name, done, total));
                steps.clear();
                return rates.plan(budget(), request.activations());
            }
            MixedPrecision mixed = MixedPrecision.measure(quantizer, statistics, images, WIDTHS, request.effort(),
                    (name, done, total) -> steps.show("trying widths of " + name, done, total));
            steps.clear();
            if (table.isPresent()) {
                return within(request.latency().orElseThrow(), mixed, table.get());
            }
            return mixed.plan(budget(), request.activations());
        }
    }

    /** The budget in bits. */
    private MixedPrecision.Budget.Bits budget() {
        return request.averageBits().<MixedPrecision.Budget.Bits>map(MixedPrecision.Budget.AverageBits::new)
                .orElseGet(() -> new MixedPrecision.Budget.Size((long) (request.megabytes().orElseThrow() * 1e6)));
    }

    private QuantizationPlan within(QuantizeRequest.LatencyBudget budget, MixedPrecision mixed, LayerLatencies table) {
        if (!common.quiet()) {
            console.line(String.format(Locale.ROOT, "all layers take %.2f ms with 8 bits a weight, %.2f ms with 4",
                    table.total(8) / 1e6, table.total(4) / 1e6));
        }
        QuantizationPlan plan = mixed.plan(new MixedPrecision.Budget.Latency(budget.nanos(), table.nanos()),
                request.activations());
        if (!common.quiet()) {
            console.line(String.format(Locale.ROOT, "with the widths chosen %.2f ms", table.total(plan) / 1e6));
        }
        return plan;
    }

    /** The table of the file, which is measured and written where there is none. */
    private LayerLatencies latencies(QuantizeRequest.LatencyBudget budget, Quantizer quantizer,
            Map<String, ActivationStatistics> statistics, List<Path> files) {
        Path file = budget.table();
        if (Files.exists(file)) {
            return LayerLatencies.read(file).forNetwork(quantizer, request.activations(), file.toString());
        }
        try (CalibrationImages images = images(quantizer, files, 1)) {
            LayerLatencies measured = LayerLatencies.measure(quantizer, statistics, images, WIDTHS,
                    request.activations(), (name, done, total) -> steps.show("timing " + name, done, total));
            steps.clear();
            measured.write(file);
            return measured;
        }
    }

    private static String kind(BitWidths widths) {
        return widths.codes() == WeightFormat.ENTROPY_CODED ? "a" + widths.activations() + " " + widths.codes()
                : widths.toString();
    }

    private void summary(Path model, QuantizationPlan plan, Quantizer.Result result, long start) {
        try {
            double size = Files.size(request.output()) / 1e6;
            console.line(String.format(Locale.ROOT, "%s: %.2f MB, %.0f %% of %s", request.output(), size,
                    100e6 * size / Files.size(model), model.getFileName()));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
        Map<String, Integer> counts = new TreeMap<>();
        plan.layers().values()
                .forEach(widths -> counts.merge(widths.map(QuantizeRun::kind).orElse("float"), 1, Integer::sum));
        StringBuilder layers = new StringBuilder();
        counts.forEach((widths, count) -> layers.append(layers.isEmpty() ? "" : ", ").append(count).append(' ')
                .append(widths));
        console.line("layers: " + layers + (plan.dynamicRanges() ? ", activation ranges of each image" : ""));
        List<LayerReport> coded = result.layers().stream()
                .filter(layer -> layer.widths().codes() == WeightFormat.ENTROPY_CODED).toList();
        if (!coded.isEmpty()) {
            console.line(String.format(Locale.ROOT,
                    "entropy-coded: %.2f bits a weight on the average, from %.2f to %.2f by layer",
                    coded.stream().mapToDouble(layer -> layer.entropy() * layer.weights()).sum()
                            / coded.stream().mapToLong(LayerReport::weights).sum(),
                    coded.stream().mapToDouble(LayerReport::entropy).min().orElseThrow(),
                    coded.stream().mapToDouble(LayerReport::entropy).max().orElseThrow()));
        }
        console.line(String.format(Locale.ROOT, "time: %.1f s, activations held: %.0f MB",
                (System.nanoTime() - start) / 1e9, result.activationBytes() / 1e6));
    }
}
