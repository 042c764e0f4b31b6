package dev.shrike.training;

import dev.shrike.ShrikeException;
import dev.shrike.calibration.activations.ActivationMemory;
import dev.shrike.calibration.data.DataSet;
import dev.shrike.calibration.prune.Budget;
import dev.shrike.calibration.prune.Criterion;
import dev.shrike.calibration.prune.Pruner;
import dev.shrike.calibration.prune.UnitSelection;
import dev.shrike.files.FileReplacement;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Prunes a network and fine-tunes what is left, in turn. The state of each round lies in the run's folder, so that a
 * run
 * that was stopped goes on with the round that it was in.
 */
public final class IterativePruning {
    /** Least share of its channels that each layer keeps in a round. */
    private static final double KEEP = 0.1;
    /** Shares and digest of the model: the file by which a run can go on. */
    private static final String SCHEDULE = "schedule.txt";

    private final Path model;
    private final DataSet train;
    private final DataSet validation;
    private final Path output;
    private final TrainingOptions options;
    private final TrainingListener listener;
    private final Path folder;

    /**
     * A run; parameters are those of {@link Trainer}.
     *
     * @param output file for the network of the last round
     */
    public IterativePruning(Path model, DataSet train, DataSet validation, Path output, TrainingOptions options,
            TrainingListener listener) {
        this.model = model;
        this.train = train;
        this.validation = validation;
        this.output = output;
        this.options = options;
        this.listener = listener;
        this.folder = Trainer.folder(output);
    }

    /**
     * Runs all rounds; the epochs of the last one.
     *
     * @throws dev.shrike.ModelException if a share cannot be reached
     * @throws TrainingException as {@link Trainer#run} does
     */
    public List<EpochResult> run(PruneSchedule schedule) {
        FileReplacement.requireFolder(output);
        double whole = parameters(prepared(model));
        EarlierRun.recover(folder, SCHEDULE);
        if (options.resume()) {
            return run(schedule, whole);
        }
        EarlierRun earlier = EarlierRun.setAside(folder, SCHEDULE);
        try {
            List<EpochResult> epochs = run(schedule, whole);
            earlier.discard();
            return epochs;
        } catch (Throwable e) {
            if (Files.exists(Trainer.folder(folder.resolve("round-1.onnx")).resolve(Trainer.CHECKPOINT))) {
                earlier.discard();
            } else {
                earlier.restore(false);
            }
            throw e;
        }
    }

    private List<EpochResult> run(PruneSchedule schedule, double whole) {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new ShrikeException(folder + ": cannot be made: " + e + "; name another --output", e);
        }
        begin(schedule);
        Path before = model;
        List<EpochResult> epochs = List.of();
        for (int round = 1; round <= schedule.shares().size(); round++) {
            Path pruned = folder.resolve("round-" + round + "-pruned.onnx");
            Path tuned = folder.resolve("round-" + round + ".onnx");
            Path finished = folder.resolve("round-" + round + ".done");
            boolean goesOn = options.resume() && Files.exists(pruned);
            if (options.resume() && Files.exists(finished) && Files.exists(tuned)) {
                listener.note("round " + round + " is done");
                before = tuned;
                continue;
            }
            if (!goesOn) {
                discard(finished);
                prune(before, pruned, whole * schedule.shares().get(round - 1), round);
            }
            boolean resumes = goesOn && Files.exists(Trainer.folder(tuned).resolve(Trainer.CHECKPOINT));
            epochs = new Trainer(pruned, train, validation, tuned, taught(resumes), listener).run();
            FileReplacement.write(finished, stream -> stream.write('\n'));
            before = tuned;
        }
        Path last = before;
        FileReplacement.write(output, stream -> Files.copy(last, stream));
        return epochs;
    }

    /** Notes the schedule, or makes sure that a run that goes on has the same. */
    private void begin(PruneSchedule schedule) {
        Path file = folder.resolve(SCHEDULE);
        String text = schedule.shares().toString();
        String digest = RunInputs.of(model);
        try {
            if (options.resume() && Files.exists(file)) {
                List<String> before = Files.readAllLines(file);
                if (before.isEmpty() || !before.getFirst().equals(text)) {
                    throw new TrainingException(folder + ": the run that is to go on has the shares "
                            + (before.isEmpty() ? "of no file" : before.getFirst()) + ", not " + text
                            + "; give them as they were, or begin anew without --resume");
                }
                if (before.size() > 1 && !before.get(1).equals(digest)) {
                    throw new TrainingException(folder + ": the run that is to go on began with another model than "
                            + model + "; give that one, or begin anew without --resume");
                }
                return;
            }
            try (DirectoryStream<Path> old = Files.newDirectoryStream(folder, "round-*.{done,onnx}")) {
                old.forEach(IterativePruning::discard);
            }
            Files.writeString(file, text + "\n" + digest + "\n");
        } catch (IOException e) {
            throw new ShrikeException(folder + ": cannot be written: " + e + "; name another --output", e);
        }
    }

    /** Options of a round; the network that all began with is the teacher where the run names itself. */
    private TrainingOptions taught(boolean resumes) {
        TrainingMethods methods = options.methods();
        if (methods.teacher() != null && methods.teacher().network().equals(Teaching.ITSELF)) {
            methods = methods.with(methods.teacher().in(model.toAbsolutePath().toString()));
        }
        return options.with(methods).resuming(resumes);
    }

    private void prune(Path from, Path to, double parameters, int round) {
        Backend backend = Backends.usable(Backends.installed(), "").getFirst();
        Graph graph = prepared(from);
        Pruner pruner = new Pruner(graph, Map.of(), backend, options.threads());
        Pruner.Result result = pruner.prune(new Pruner.Options(Criterion.BN_SCALE, false,
                new Budget(Budget.Measure.PARAMETERS, false, parameters), UnitSelection.Scope.GLOBAL, KEEP,
                options.seed(), 1, Optional.empty()), () -> {
                    throw new IllegalStateException("gammas need no images");
                }, ActivationMemory.unlimited(), listener::working);
        OnnxModels.write(result.graph(), to);
        listener.note(String.format(Locale.ROOT, "round %d: %d channels pruned, %.0f parameters of %.0f left",
                round, result.removed(), parameters(result.graph()), parameters(graph)));
    }

    private Graph prepared(Path file) {
        Graph graph = OnnxModels.read(file);
        TrainableModel trainable = TrainableModel.of(graph, options.width(), options.height());
        return GraphPasses.simplify(trainable.whole(), Map.<String, Shape>of());
    }

    private static double parameters(Graph graph) {
        List<String> counted = new ArrayList<>();
        double sum = 0;
        for (Node node : graph.nodes()) {
            for (String name : node.inputs()) {
                Tensor constant = graph.constants().get(name);
                boolean learned = node.op() instanceof Op.Conv
                        || node.op() instanceof Op.BatchNormalization;
                if (learned && constant != null && constant.type() == DataType.FLOAT32 && !counted.contains(name)) {
                    counted.add(name);
                    sum += constant.elements();
                }
            }
        }
        return sum;
    }

    private static void discard(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new ShrikeException(file + ": cannot be deleted: " + e, e);
        }
    }
}
