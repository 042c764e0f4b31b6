package dev.shrike.app.train;

import dev.shrike.app.Console;
import dev.shrike.app.ExitCode;
import dev.shrike.app.OtherFile;
import dev.shrike.app.Progress;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.app.detect.Weights;
import dev.shrike.app.quantize.CalibrationData;
import dev.shrike.calibration.data.Category;
import dev.shrike.calibration.data.DataSet;
import dev.shrike.calibration.data.DataSetException;
import dev.shrike.calibration.data.DataSets;
import dev.shrike.calibration.data.Sample;
import dev.shrike.graph.Graph;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.training.EpochResult;
import dev.shrike.training.IterativePruning;
import dev.shrike.training.TrainableModel;
import dev.shrike.training.Trainer;
import dev.shrike.training.TrainingListener;
import dev.shrike.training.TrainingProgress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** One run of {@code shrike train}: opens data and model, trains, prints the figures of each epoch. */
final class TrainRun implements TrainingListener {
    private final Console console;
    private final ModelStore store;
    private final TrainRequest request;
    private final Progress progress;
    private volatile int measured;

    TrainRun(Console console, ModelStore store, TrainRequest request) {
        this.console = console;
        this.store = store;
        this.request = request;
        this.progress = new Progress(console, request.progress());
    }

    /** The exit code. */
    int run() {
        Path model = Weights.resolve(request.model(), request.options().width(), request.options().height(), store);
        OtherFile.require("-o", request.output(), model);
        DataSet train = train(model);
        DataSet validation = validation(train);
        note(train.census().toString());
        long start = System.nanoTime();
        Thread atExit = new Thread(this::tellHowToGoOn, "shrike-train-stopped");
        Runtime.getRuntime().addShutdownHook(atExit);
        try {
            List<EpochResult> epochs = request.schedule().isPresent()
                    ? new IterativePruning(model, train, validation, request.output(), request.options(), this)
                            .run(request.schedule().get())
                    : new Trainer(model, train, validation, request.output(), request.options(), this).run();
            progress.clear();
            report(epochs, (System.nanoTime() - start) / 1e9);
            return ExitCode.OK;
        } finally {
            forget(atExit);
            progress.clear();
        }
    }

    /** Told to end in the middle, as by Ctrl-C, people should know that not all is lost. */
    private void tellHowToGoOn() {
        if (measured > 0) {
            progress.clear();
            console.note("stopped; the same command with --resume goes on after the last whole epoch");
        }
    }

    private static void forget(Thread hook) {
        try {
            Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // The process is ending and the hook runs.
            return;
        }
    }

    /** The images to learn; without labels if none are learned and it is only a folder. */
    private DataSet train(Path model) {
        try {
            return DataSets.open(request.data(), null, "train").requireImages();
        } catch (DataSetException e) {
            if (request.labels() || !Files.isDirectory(request.data())) {
                throw e;
            }
            List<Path> images = CalibrationData.choose(console, new CalibrationData.Wanted(
                    List.of(request.data().toString()), Integer.MAX_VALUE, false, Optional.empty()),
                    (image, done, total) -> progress.show("reading " + image.getFileName(), done, total)).images();
            progress.clear();
            Graph graph = OnnxModels.read(model);
            List<String> names = TrainableModel.of(graph, request.options().width(), request.options().height())
                    .classNames();
            List<Category> categories = new ArrayList<>();
            names.forEach(name -> categories.add(new Category(categories.size(), name)));
            List<Sample> samples = new ArrayList<>();
            images.forEach(image -> samples.add(new Sample(image.toString(), image, 0, 0, true, List.of())));
            return new DataSet(request.data(), categories, samples);
        }
    }

    private DataSet validation(DataSet train) {
        boolean parts = train.file().toString().toLowerCase(Locale.ROOT).matches(".*\\.ya?ml");
        if (request.val().isEmpty() && !parts) {
            throw new DataSetException(train.file() + ": has no part to measure with: name such images with --val");
        }
        DataSet validation = DataSets.open(request.val().orElse(request.data())).requireImages();
        if (!validation.names().equals(train.names())) {
            throw new DataSetException(validation.file() + ": has the classes " + validation.names() + ", the images to"
                    + " learn have " + train.names() + "; both must be the same");
        }
        return validation;
    }

    private void report(List<EpochResult> epochs, double seconds) {
        if (request.quiet()) {
            return;
        }
        Optional<EpochResult> last = epochs.stream().filter(EpochResult::best).reduce((_, later) -> later);
        if (last.isEmpty()) {
            console.line(request.output() + ": was done before");
            return;
        }
        EpochResult best = last.get();
        console.line(String.format(Locale.ROOT, "%s: epoch %d of %d, mAP50 %.4f, mAP50-95 %.4f, in %s",
                request.output(), best.epoch(), epochs.size(), best.map50(), best.map(), time(seconds)));
        console.line(leftBehind(Trainer.folder(request.output())));
    }

    /**
     * What the folder of the run has, as far as it is there: one epoch makes no curve, rounds have folders of their
     * own.
     */
    static String leftBehind(Path folder) {
        if (!Files.exists(folder.resolve("results.csv"))) {
            return "networks and figures of all rounds: " + folder;
        }
        return (Files.exists(folder.resolve("results.png")) ? "curves" : "figures") + " and the last network: "
                + folder;
    }

    private static String time(double seconds) {
        long whole = Math.round(seconds);
        return whole < 3600 ? String.format(Locale.ROOT, "%d:%02d", whole / 60, whole % 60)
                : String.format(Locale.ROOT, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60);
    }

    @Override
    public void note(String text) {
        if (!request.quiet()) {
            progress.clear();
            console.note(text);
        }
    }

    @Override
    public void progress(TrainingProgress now, double secondsLeft) {
        progress.show(String.format(Locale.ROOT, "%s left, epoch %d of %d, loss %.4f", time(secondsLeft),
                now.epoch() + 1, now.epochs(), now.loss()), now.step(), now.steps());
    }

    @Override
    public void working(String what, int done, int total) {
        progress.show(what, done, total);
    }

    @Override
    public void epoch(EpochResult result) {
        measured++;
        progress.clear();
        if (!request.quiet()) {
            console.line(String.format(Locale.ROOT, "epoch %d: loss %.4f, mAP50 %.4f, mAP50-95 %.4f, %s, %d MB%s",
                    result.epoch(), result.losses().getOrDefault("total", 0.0), result.map50(), result.map(),
                    time(result.seconds()), result.peakMegabytes(), result.best() ? ", best so far" : ""));
        }
    }
}
