package dev.shrike.training;

import com.fasterxml.jackson.databind.JsonNode;
import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Detectors;
import dev.shrike.DeviceException;
import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.Evaluation;
import dev.shrike.calibration.data.DataSet;
import dev.shrike.calibration.data.Sample;
import dev.shrike.files.FileReplacement;
import dev.shrike.graph.Graph;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.training.data.ClassCounts;
import dev.shrike.training.data.ImageStoreWriter;
import dev.shrike.training.qat.QuantizedTwin;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Trains a network: prepares it and the images, has a child process take the steps, and measures each epoch with the
 * engine of this process.
 *
 * <p>Beside the output is a folder, named after it with {@code -train} in place of {@code .onnx}, with the state of the
 * run: {@code results.csv}, {@code results.png}, {@code last.onnx}, the checkpoint and the log of the child.
 */
public final class Trainer {
    private static final String JOB = "job.json";
    /** The file by which a run can go on. */
    static final String CHECKPOINT = "checkpoint.bin";
    /** What may differ when a run goes on; digests are compared one by one. */
    private static final Set<String> FREE = Set.of("threads", "device", "digests");
    private static final long HEAP_MEGABYTES = 1024;
    /** Of more classes than these only what is uneven is told. */
    private static final int SHOWN_CLASSES = 20;
    /** Overlap from which on a teacher's boxes of one class are one object. */
    private static final float PSEUDO_IOU = 0.5f;

    private final Path model;
    private final DataSet train;
    private final DataSet validation;
    private final Path output;
    private final TrainingOptions options;
    private final TrainingListener listener;
    private final Path folder;
    private RunResults results;
    private Optional<Teaching> labeller = Optional.empty();
    private long measuring;

    /**
     * A run.
     *
     * @param model ONNX file to start from
     * @param train images to learn
     * @param validation images to measure with, of the same classes
     * @param output file for the best network
     */
    public Trainer(Path model, DataSet train, DataSet validation, Path output, TrainingOptions options,
            TrainingListener listener) {
        this.model = model;
        this.train = train;
        this.validation = validation;
        this.output = output;
        this.options = options;
        this.listener = listener;
        this.folder = folder(output);
    }

    /** The folder with the state of a run. */
    public static Path folder(Path output) {
        String name = output.getFileName().toString().replaceFirst("\\.onnx$", "") + "-train";
        return output.toAbsolutePath().resolveSibling(name);
    }

    /** Whether there is a run of this output that has done an epoch and can go on, as far as its folder tells. */
    public static boolean canGoOn(Path output) {
        return Files.exists(output) && holdsRun(folder(output));
    }

    private static boolean holdsRun(Path folder) {
        return Files.exists(folder.resolve(JOB)) && Files.exists(folder.resolve(CHECKPOINT));
    }

    /**
     * Trains; the epochs with what they came to.
     *
     * @throws UnsupportedModelException if the network cannot be trained; says why
     * @throws TrainingException if PyTorch is missing, its process ends or the loss is no number
     * @throws DeviceException if memory is short
     */
    public List<EpochResult> run() {
        FileReplacement.requireFolder(output);
        TorchLibraries libraries = TorchLibraries.ofMachine();
        List<Path> jars = libraries.require(options.fetch(), listener::note);
        ClassCounts counts = ClassCounts.require(train, needsLabels());
        if (counts.names().size() <= SHOWN_CLASSES) {
            counts.toString().lines().forEach(listener::note);
        }
        if (needsLabels()) {
            counts.warnings().forEach(warning -> listener.note("warning: " + warning));
        }
        EarlierRun.recover(folder, CHECKPOINT);
        if (options.resume()) {
            return run(libraries, jars);
        }
        EarlierRun earlier = EarlierRun.setAside(folder, CHECKPOINT);
        try {
            return run(libraries, jars);
        } catch (Throwable e) {
            if (results == null || results.epochs().isEmpty()) {
                earlier.restore(String.valueOf(e.getMessage()).contains(EarlierRun.LOG));
            }
            throw e;
        } finally {
            if (results != null && !results.epochs().isEmpty()) {
                earlier.discard();
            }
        }
    }

    private List<EpochResult> run(TorchLibraries libraries, List<Path> jars) {
        makeFolder();
        TrainingJob job = prepare();
        results = new RunResults(folder);
        List<String> arguments = new ArrayList<>(List.of(folder.resolve(JOB).toString()));
        if (options.resume()) {
            arguments.add("--resume");
        }
        long heap = HEAP_MEGABYTES + 10 * (size(model) >> 20);
        try (ChildProcess child = ChildProcess.start(libraries, jars, arguments, folder.resolve(EarlierRun.LOG),
                options.threads(), heap)) {
            follow(child, job);
        }
        discard(Path.of(job.images()));
        return results.epochs();
    }

    private static long size(Path file) {
        try {
            return Files.size(file);
        } catch (IOException e) {
            throw new ModelException(file + ": cannot be read: " + e, e);
        }
    }

    private void makeFolder() {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new ShrikeException(folder + ": cannot be made: " + e + "; name another --output", e);
        }
    }

    /** Writes the network to start from, the images and the job, unless a run goes on that has them. */
    private TrainingJob prepare() {
        if (options.methods().rounding() != null && options.methods().rounding().network() != null
                && !Files.exists(Path.of(options.methods().rounding().network()))) {
            throw new ModelException(options.methods().rounding().network()
                    + ": no such file; --quantized takes the quantised form of " + model);
        }
        TrainableModel given = named(() -> known(TrainableModel.of(OnnxModels.read(model), options.width(),
                options.height())).withClasses(train.names(), options.seed()));
        boolean insert = given.isFolded() && options.methods().rounding() == null;
        TrainableModel start = insert ? given.withTrunk(NormalizationInsertion.apply(given.trunk())) : given;
        MemoryNeed.require(MemoryNeed.bytes(start.trunk(), options.schedule().batch(), options.methods()),
                MemoryNeed.free(),
                options.schedule().batch());
        TrainingJob job = new TrainingJob(folder.resolve("start.onnx").toString(),
                folder.resolve("images.bin").toString(), folder.toString(), start.width(), start.height(), insert,
                options.schedule(), options.freeze(), options.augmentation(), options.plainEpochs(), options.seed(),
                options.threads(), options.device(), methods(start),
                RunInputs.digests(model, train, validation, options.methods()));
        QuantizedTraining rounding = job.methods().rounding();
        if (options.methods().rounding() != null && options.methods().rounding().network() != null) {
            QuantizedTwin twin = QuantizedForm.twin(Path.of(rounding.network()), start.whole(), start.head().outputs());
            if (rounding.method() == QuantizedTraining.Method.NIPQ) {
                QuantizedForm.budget(rounding, twin);
            }
        }
        if (options.resume()) {
            requireSame(job);
        } else {
            discard(folder.resolve("results.csv"));
            discard(folder.resolve(CHECKPOINT));
            discard(folder.resolve("quantized.onnx"));
            OnnxModels.write(start.whole(), Path.of(job.model()));
        }
        if (!options.resume() || !Files.exists(Path.of(job.images()))) {
            decode(job);
        }
        if (rounding != null && !Files.exists(Path.of(rounding.network()))) {
            quantize(job);
        }
        job.write(folder.resolve(JOB));
        tell(start, insert);
        return job;
    }

    private boolean needsLabels() {
        return options.methods().teacher() == null || options.methods().teacher().labels();
    }

    /** What is done beside learning labels, with the files of this run. */
    private TrainingMethods methods(TrainableModel start) {
        TrainingMethods methods = options.methods();
        if (methods.rounding() != null && methods.rounding().network() == null) {
            methods = methods.with(methods.rounding().from(folder.resolve("quantized.onnx").toString()));
        }
        Teaching teacher = methods.teacher();
        if (teacher == null) {
            return methods;
        }
        if (teacher.network().equals(Teaching.ITSELF)) {
            return methods.with(teacher.in(folder.resolve("start.onnx").toString()));
        }
        labeller = hasSameHead(Path.of(teacher.network()), start) ? Optional.empty() : Optional.of(teacher);
        if (labeller.isPresent()) {
            listener.note(teacher.network() + ": has a head of another form: what it detects is taken for labels");
        }
        return labeller.isPresent() ? methods.with((Teaching) null) : methods;
    }

    private static boolean hasSameHead(Path teacher, TrainableModel start) {
        Graph graph = OnnxModels.read(teacher);
        try {
            return TrainableModel.of(graph, start.width(), start.height()).head().isLike(start.head());
        } catch (UnsupportedModelException e) {
            return false;
        }
    }

    /** Writes the quantised network that training starts from. */
    private void quantize(TrainingJob job) {
        listener.note("quantising the network first, on " + Math.min(job.methods().rounding().calibration(),
                train.samples().size()) + " images: this takes minutes");
        new QuantizedStart(OnnxModels.read(Path.of(job.model())), job.methods().rounding(), options.threads(), listener)
                .write(train.samples().stream().map(Sample::file).toList(),
                        Path.of(job.methods().rounding().network()));
    }

    /** The network, which must know the classes already if it is to be rounded. */
    private TrainableModel known(TrainableModel own) {
        if (options.methods().rounding() != null && own.head().classes() != train.names().size()) {
            throw new UnsupportedModelException("finds " + own.head().classes() + " classes and the images have "
                    + train.names().size() + ": train it on them first without --scheme, then the result with it");
        }
        return own;
    }

    private void tell(TrainableModel start, boolean insert) {
        listener.note(train.samples().size() + " images to train, " + validation.samples().size() + " to validate, "
                + start.head().classes() + " classes, input " + start.width() + "x" + start.height()
                + (insert ? "; the network was folded: batch normalisation is put back" : ""));
    }

    private TrainableModel named(java.util.function.Supplier<TrainableModel> reading) {
        try {
            return reading.get();
        } catch (UnsupportedModelException e) {
            String message = String.valueOf(e.getMessage());
            throw message.startsWith(model.toString()) ? e : new UnsupportedModelException(model + ": " + message, e);
        }
    }

    private void requireSame(TrainingJob job) {
        if (!holdsRun(folder)) {
            throw new TrainingException(folder + ": holds no run that could go on: leave --resume out");
        }
        TrainingJob earlier = TrainingJob.read(folder.resolve(JOB));
        JsonNode before = earlier.json();
        List<String> other = RunInputs.differences(earlier.digests(), job.digests());
        job.json().properties().forEach(field -> {
            if (!FREE.contains(field.getKey()) && !field.getValue().equals(before.get(field.getKey()))) {
                other.add(field.getKey() + " was " + before.get(field.getKey()) + ", is " + field.getValue());
            }
        });
        if (!other.isEmpty()) {
            throw new TrainingException(folder + ": the run that is to go on began otherwise: "
                    + String.join("; ", other) + "; give them as they were, or begin anew without --resume");
        }
    }

    private void decode(TrainingJob job) {
        int[] classes = new int[train.categories().size()];
        java.util.Arrays.setAll(classes, i -> i);
        ImageStoreWriter writer = new ImageStoreWriter(job.width(), job.height(), classes);
        ImageStoreWriter.Result written = writer.write(labelled(), Path.of(job.images()),
                (done, total) -> listener.working("decoding images", done, total));
        if (!written.problems().isEmpty()) {
            listener.note(written.problems().size() + " images left out, the first because of "
                    + written.problems().getFirst().message());
        }
    }

    /** The images to learn, with what a teacher of another form finds in them. */
    private DataSet labelled() {
        if (labeller.isEmpty()) {
            return train;
        }
        try (Detector detector = Detectors.open(Path.of(labeller.get().network()), DetectorOptions.DEFAULT
                .withThreads(options.threads()).withThresholds(PseudoLabels.CONFIDENCE, PSEUDO_IOU))) {
            DataSet found = PseudoLabels.of(train, detector, labeller.get().labels(), listener);
            ClassCounts counts = ClassCounts.require(found, true);
            listener.note("what the teacher detected is learned as labels:");
            counts.toString().lines().limit(SHOWN_CLASSES).forEach(listener::note);
            return found;
        }
    }

    private static void discard(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new ShrikeException(file + ": cannot be deleted: " + e, e);
        }
    }

    private void follow(ChildProcess child, TrainingJob job) {
        long start = System.nanoTime();
        int first = 0;
        boolean done = false;
        for (Optional<JsonNode> next = child.next(); next.isPresent(); next = child.next()) {
            JsonNode event = next.get();
            switch (event.path("event").asText()) {
                case "start" -> {
                    first = event.path("epoch").asInt();
                    results.read(first);
                    catchUp(first);
                }
                case "step" -> progress(event, job, first, start);
                case "epoch" -> {
                    measure(event);
                    child.answer(true);
                }
                case "done" -> done = true;
                case "error" -> throw failure(event);
                default -> listener.note(event.toString());
            }
        }
        if (!done) {
            throw new TrainingException("the process that trains ended without a word; see "
                    + folder.resolve(EarlierRun.LOG));
        }
    }

    /** Measures the network of the checkpoint if the run was stopped before that. */
    private void catchUp(int epoch) {
        Path last = folder.resolve("epoch-" + epoch + ".onnx");
        if (epoch == results.epochs().size() + 1 && Files.exists(last)) {
            record(new EpochResult(epoch, Map.of(), 0, 0, 0, 0, 0, false), last);
        }
    }

    private void progress(JsonNode event, TrainingJob job, int first, long start) {
        int epoch = event.path("epoch").asInt();
        int steps = event.path("steps").asInt();
        TrainingProgress progress = new TrainingProgress(epoch, job.schedule().epochs(), event.path("step").asInt(),
                steps, event.path("loss").asDouble());
        double share = epoch - first + (double) progress.step() / steps;
        double elapsed = (System.nanoTime() - start) / 1e9;
        listener.progress(progress, share > 0 ? elapsed / share * (job.schedule().epochs() - first - share) : 0);
    }

    private void measure(JsonNode event) {
        Map<String, Double> losses = new LinkedHashMap<>();
        event.path("losses").properties().forEach(field -> losses.put(field.getKey(), field.getValue().asDouble()));
        record(new EpochResult(event.path("epoch").asInt(), losses, event.path("rate").asDouble(),
                event.path("seconds").asDouble(), event.path("peakMegabytes").asLong(), 0, 0, false),
                Path.of(event.path("model").asText()));
    }

    private void record(EpochResult epoch, Path network) {
        long start = System.nanoTime();
        double[] figures;
        try (Detector detector = Detectors.open(network, Evaluation.DETECTOR_OPTIONS.withThreads(options.threads()))) {
            figures = Evaluation.of(validation, detector, (_, done, total) -> listener.working("validating epoch "
                    + epoch.epoch(), done, total)).coco().all();
        }
        measuring += System.nanoTime() - start;
        EpochResult result = results.add(new EpochResult(epoch.epoch(), epoch.losses(), epoch.rate(),
                epoch.seconds(), epoch.peakMegabytes(), figures[1], figures[0], false));
        copy(network, folder.resolve("last.onnx"));
        if (result.best()) {
            copy(network, output);
        }
        listener.epoch(result);
        if (options.methods().sparse() != null) {
            double small = new GammaHistory(folder, epoch.epoch() - 1).add(OnnxModels.read(network));
            listener.note(String.format(Locale.ROOT, "gammas below 0.01: %.1f %%", 100 * small));
        }
    }

    /** Seconds that measuring took. */
    public double measuringSeconds() {
        return measuring / 1e9;
    }

    private static void copy(Path from, Path to) {
        FileReplacement.write(to, stream -> Files.copy(from, stream));
    }

    private ShrikeException failure(JsonNode event) {
        String message = event.path("message").asText();
        return switch (event.path("kind").asText()) {
            case "ModelException" -> new ModelException(message);
            case "UnsupportedModelException" -> new UnsupportedModelException(message);
            case "DeviceException" -> new DeviceException(message);
            case "ShrikeException", "TrainingException" -> new TrainingException(message);
            case "OutOfMemoryError" -> new DeviceException("memory is short in the process that trains: " + message
                    + "; give a smaller --batch or --img");
            case "UnsatisfiedLinkError", "ExceptionInInitializerError", "NoClassDefFoundError" ->
                new TrainingException("PyTorch's libraries do not load on this machine, they need glibc 2.35 as Debian"
                        + " 12 and Ubuntu 22.04 have it: " + message + "; see " + folder.resolve(EarlierRun.LOG));
            default -> new TrainingException("the process that trains failed: " + event.path("kind").asText() + ": "
                    + message);
        };
    }
}
