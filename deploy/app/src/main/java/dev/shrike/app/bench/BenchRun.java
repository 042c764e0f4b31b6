package dev.shrike.app.bench;

import dev.shrike.ShrikeException;
import dev.shrike.app.Console;
import dev.shrike.app.ExitCode;
import dev.shrike.app.Progress;
import dev.shrike.app.bench.harness.Configuration;
import dev.shrike.app.bench.report.BenchReport;
import dev.shrike.app.bench.rivals.Rival;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.app.detect.Weights;
import dev.shrike.app.device.SystemFiles;
import dev.shrike.files.FileTree;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** One run of {@code shrike bench}: every model in every size, with every number of threads and images. */
final class BenchRun {
    private final Console console;
    private final ModelStore store;
    private final BenchRequest request;
    private final Path root;
    private final Progress progress;
    private final long begin = System.nanoTime();
    private final List<BenchReport.Result> results = new ArrayList<>();
    private final List<BenchReport.Comparison> comparisons = new ArrayList<>();
    private final List<BenchReport.Absent> absent = new ArrayList<>();
    private final List<BenchReport.Moment> timeline = new ArrayList<>();
    private int group;

    /** A run on the machine whose files are below the root. */
    BenchRun(Console console, ModelStore store, BenchRequest request, Path root) {
        this.console = console;
        this.store = store;
        this.request = request;
        this.root = root;
        this.progress = new Progress(console, request.output().progress());
    }

    /** The exit code. */
    int run() {
        Outputs outputs = new Outputs(console, request.output());
        outputs.requireFolders();
        Outputs.Added added = outputs.read();
        Instant started = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        Path folder = workFolder();
        try {
            for (List<String> models : inTurn()) {
                for (BenchRequest.Size size : sizes()) {
                    measure(models, size, folder);
                }
            }
        } finally {
            progress.clear();
            delete(folder);
        }
        requireResults();
        BenchReport report = new BenchReport(BenchReport.SCHEMA, DeviceFacts.version(), started.toString(),
                (System.nanoTime() - begin) / 1e9, DeviceFacts.read(root), settings(), results, comparisons, absent,
                timeline, added.imported(), added.accuracy());
        requireUndisturbed(report);
        outputs.write(report);
        return ExitCode.OK;
    }

    /** The models that take turns: all, or each its own. */
    private List<List<String>> inTurn() {
        return request.how().modelsInTurn() ? List.of(request.models())
                : request.models().stream().map(List::of).toList();
    }

    private BenchReport.Settings settings() {
        return new BenchReport.Settings(
                request.how().pace().mode() + (request.how().modelsInTurn() ? ", models in turn" : ""),
                request.image().map(path -> path.getFileName().toString()).orElse("grey tiles, 1280x720"),
                request.how().stopping().runsPerRound(), request.how().stopping().leastRounds(),
                request.how().stopping().precision());
    }

    private List<BenchRequest.Size> sizes() {
        return request.sizes().isEmpty() ? List.of(new BenchRequest.Size(0, 0)) : request.sizes();
    }

    /** A model with the engines that it is to run on. */
    private record Opened(ModelVariants variants, List<Backend> engines) {}

    private void measure(List<String> models, BenchRequest.Size size, Path folder) {
        List<Opened> opened = models.stream().flatMap(weights -> open(weights, size, folder).stream()).toList();
        for (int threads : request.threads()) {
            for (int batch : request.batches()) {
                group(opened.stream().map(Opened::variants).toList(), opened.stream().flatMap(
                        model -> wanted(model.variants(), model.engines(), threads, batch).stream()).toList());
            }
        }
    }

    private Optional<Opened> open(String weights, BenchRequest.Size size, Path folder) {
        try {
            Path file = Weights.resolve(weights, size.width(), size.height(), store);
            List<Backend> engines = engines(file);
            // Models of one name must not overwrite what is open.
            return Optional.of(new Opened(new ModelVariants(file, name(weights), size.width(), size.height(),
                    request.image(), Files.createTempDirectory(folder, "model"), request.how().tune(),
                    engines.getFirst()), engines));
        } catch (ShrikeException e) {
            if (request.models().size() * sizes().size() == 1) {
                throw e;
            }
            absent.add(new BenchReport.Absent(name(weights) + (size.width() == 0 ? "" : " " + size.width()),
                    String.valueOf(e.getMessage())));
            return Optional.empty();
        } catch (IOException e) {
            throw new ShrikeException(folder + ": no folder for the models of the bench can be made: " + e.getMessage(),
                    e);
        }
    }

    private void group(List<ModelVariants> models, List<GroupRun.Wanted> wanted) {
        ResultMaker maker = new ResultMaker(begin, request.how().pace().minutes() > 0);
        GroupRun.Outcome outcome = new GroupRun(new SystemFiles(root), request, progress).measure(wanted);
        absent.addAll(outcome.absent());
        if (outcome.measured() == null) {
            return;
        }
        for (ModelVariants variants : models) {
            List<BenchReport.Result> more = maker.results(group++, variants, outcome);
            comparisons.addAll(ResultMaker.comparisons(more, results.size()));
            results.addAll(more);
        }
        timeline.addAll(maker.timeline(outcome.measured().moments()));
    }

    /** Those that are asked for, or the one that built the file, or the best that is here. */
    private List<Backend> engines(Path file) {
        List<Backend> installed = Backends.installed();
        if (request.engines().isEmpty()) {
            List<Backend> builders = installed.stream().filter(engine -> engine.reads(file)).toList();
            return List.of(Backends.usable(builders.isEmpty() ? installed : builders, "").getFirst());
        }
        return request.engines().stream().map(name -> Backends.usable(installed, name).getFirst()).toList();
    }

    private List<GroupRun.Wanted> wanted(ModelVariants variants, List<Backend> engines, int threads, int batch) {
        List<GroupRun.Wanted> wanted = new ArrayList<>();
        Set<String> precisions = new LinkedHashSet<>(request.precisions());
        if (precisions.isEmpty()) {
            precisions.add(variants.ownPrecision());
        }
        for (Backend engine : engines) {
            for (String precision : precisions) {
                wanted.add(new GroupRun.Wanted(variants, what(variants, engine.name(), precision),
                        () -> configuration(engine.name(), variants.ours(precision, threads), precision, variants,
                                threads, batch)));
            }
        }
        for (Rival rival : request.rivals()) {
            if (variants.isQuantized()) {
                wanted.add(rival(rival, variants.ownPrecision(), variants, threads, batch));
            } else {
                wanted.add(rival(rival, BenchRequest.FLOAT, variants, threads, batch));
                wanted.add(rival(rival, Rival.INT8, variants, threads, batch));
            }
        }
        return wanted;
    }

    private GroupRun.Wanted rival(Rival rival, String precision, ModelVariants variants, int threads, int batch) {
        boolean quantized = precision.equals(Rival.INT8) && rival.readsQuantizedFile();
        return new GroupRun.Wanted(variants, what(variants, rival.label(), precision),
                () -> configuration(rival.label(), quantized ? variants.rivalQuantized() : variants.rivalFloat(),
                        precision, variants, threads, batch));
    }

    private static String what(ModelVariants variants, String engine, String precision) {
        return variants.name() + (variants.width() == 0 ? "" : " " + variants.width()) + ", " + engine + " "
                + precision;
    }

    private Configuration configuration(String engine, Path file, String precision, ModelVariants variants, int threads,
            int batch) {
        return new Configuration(engine, file, precision, variants.width(), variants.height(), threads, batch,
                request.image());
    }

    /** The model's name without folder and ending. */
    private static String name(String weights) {
        String name = weights.substring(weights.lastIndexOf('/') + 1);
        return name.replaceFirst("\\.(onnx|shrike|engine)$", "");
    }

    private void requireResults() {
        if (!results.isEmpty()) {
            return;
        }
        String reasons = String.join("; ",
                absent.stream().map(one -> one.what() + ": " + one.reason()).distinct().limit(4).toList());
        throw new ShrikeException("nothing could be measured: " + reasons);
    }

    private void requireUndisturbed(BenchReport report) {
        if (!request.how().strict()) {
            return;
        }
        Optional<BenchReport.Result> disturbed = report.results().stream()
                .filter(result -> !result.quality().disturbed().isEmpty() || !result.quality().tight()).findFirst();
        if (disturbed.isPresent()) {
            List<String> reasons = new ArrayList<>(disturbed.get().quality().disturbed());
            if (!disturbed.get().quality().tight()) {
                reasons.add("the intervals did not become as narrow as +-"
                        + 100 * request.how().stopping().precision() + " %");
            }
            throw new ShrikeException("--strict: the run of " + disturbed.get().task() + " was disturbed, so nothing is"
                    + " written: " + String.join("; ", reasons)
                    + ". Let the machine rest and end other programs, or leave --strict out");
        }
    }

    private static Path workFolder() {
        try {
            return Files.createTempDirectory("shrike-bench");
        } catch (IOException e) {
            throw new ShrikeException("no folder for the models of the bench can be made: " + e.getMessage(), e);
        }
    }

    private void delete(Path folder) {
        try {
            FileTree.delete(folder);
        } catch (IOException e) {
            console.note(folder + ": cannot be removed: " + e.getMessage());
        }
    }
}
