package dev.shrike.app.train;

import dev.shrike.app.Console;
import dev.shrike.app.HelpAll;
import dev.shrike.app.PathArgument;
import dev.shrike.app.detect.InputSizeOption;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.training.LearningSchedule;
import dev.shrike.training.TrainingOptions;
import dev.shrike.training.data.Augmentation;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code shrike train}: the command line, checked and handed to {@link TrainRun}. */
@Command(
        name = "train",
        description = {
                "Trains a float network on your own images.",
                "The classes become those of the data set; weights of the others stay. Writes the network of the best"
                        + " epoch as ONNX, for any engine, 'shrike prune' and 'shrike quantize'; with --scheme an"
                        + " integer"
                        + " network for 'shrike build', with --prune-schedule a smaller one. Needs PyTorch, which"
                        + " --fetch brings once (114 MB, x86_64 alone).",
                ""
        },
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = dev.shrike.app.Version.class)
public final class TrainCommand implements Callable<Integer> {
    private static final int NOMINAL_BATCH = 64;
    private static final double WARMUP = 3;
    /** In steps of weights of 2 bits, as far as other parameters go at a time. */
    private static final double ROUNDED_RATE = 0.002;
    private static final double ROUNDED_WARMUP = 0.3;

    private final Console console;
    private final Function<Boolean, ModelStore> stores;

    @Spec
    private CommandSpec spec;

    @Mixin
    private HelpAll help;

    @Parameters(
            arity = "1",
            paramLabel = "FILE|NAME",
            description = "Model: an ONNX file, or a name that 'shrike models' lists.")
    private String model;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "DATA",
            description = "Images with labels to learn: data.yaml (its part 'train'), COCO JSON, or a folder with one;"
                    + " with --no-labels also a folder of images.")
    private String data;

    @Option(
            names = "--val",
            paramLabel = "DATA",
            description = "Images with labels to measure each epoch with (default: the part 'val' of --data).")
    private String val;

    @Option(
            names = {"-o", "--output"},
            required = true,
            paramLabel = "OUT.onnx",
            description = "File for the network of the best epoch. Beside it OUT-train/ gets the last network, the"
                    + " checkpoint, results.csv and results.png.")
    private String output;

    @Option(names = "--epochs", paramLabel = "N", defaultValue = "50",
            description = "How often all images are learned (default: ${DEFAULT-VALUE}).")
    private int epochs;

    @Option(names = {"--batch", "--batch-size"}, paramLabel = "N", defaultValue = "16",
            description = "Images of a batch, which memory grows with (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Mixin
    private InputSizeOption inputSize;

    @Option(names = "--optimizer", paramLabel = "sgd|adamw",
            description = "Method (default: sgd, with --scheme adamw).")
    private String optimizer;

    @Option(names = "--lr", paramLabel = "RATE",
            description = "Learning rate after the warm-up (default: 0.01 for sgd, 0.001 for adamw,"
                    + " with --scheme 0.002).")
    private Double rate;

    @Option(names = "--freeze", paramLabel = "N", defaultValue = "0",
            description = "First modules that do not learn; 10 is the backbone of YOLOv5 (default: ${DEFAULT-VALUE}).")
    private int freeze;

    @Option(names = "--resume", description = "Go on with the run of this output after its last whole epoch.")
    private boolean resume;

    @Option(names = "--fetch", description = "Fetch PyTorch if it is not there, with the Maven of this machine.")
    private boolean fetch;

    @Option(names = "--device", paramLabel = "cpu|cuda", defaultValue = "cpu",
            description = "Where to train. cuda needs a folder with the jars of PyTorch for CUDA in the environment"
                    + " variable SHRIKE_TORCH (default: ${DEFAULT-VALUE}).")
    private String device;

    @Option(names = "--threads", paramLabel = "N", defaultValue = "0",
            description = "Threads; 0 takes one per processor. A run repeats to the bit with one"
                    + " (default: ${DEFAULT-VALUE}).")
    private int threads;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1",
            description = "Of random choices (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Option(names = "--final-lr", hidden = true, paramLabel = "SHARE", defaultValue = "0.01",
            description = "Last learning rate, as a part of the first (default: ${DEFAULT-VALUE}).")
    private double finalRate;

    @Option(names = "--momentum", hidden = true, paramLabel = "M", defaultValue = "0.937",
            description = "Momentum of sgd, first beta of adamw (default: ${DEFAULT-VALUE}).")
    private double momentum;

    @Option(names = "--weight-decay", hidden = true, paramLabel = "D", defaultValue = "0.0005",
            description = "Of weights of convolutions (default: ${DEFAULT-VALUE}).")
    private double weightDecay;

    @Option(names = "--warmup", hidden = true, paramLabel = "EPOCHS",
            description = "Length of the warm-up, at most half of all (default: 3, with --scheme 0.3).")
    private Double warmup;

    @Option(names = "--nominal-batch", hidden = true, paramLabel = "N",
            description = "Images whose gradients make one step; batches are added up to it (default: 64, with --scheme"
                    + " those of a batch).")
    private Integer nominalBatch;

    @Option(names = "--no-augmentation", hidden = true, description = "Learn the images as they are.")
    private boolean plain;

    @Option(names = "--mosaic", hidden = true, paramLabel = "P",
            description = "Probability that four images are joined (default: 1, with --scheme 0).")
    private Double mosaic;

    @Option(names = "--scale", hidden = true, paramLabel = "S", defaultValue = "0.5",
            description = "Largest relative change of the size (default: ${DEFAULT-VALUE}).")
    private double scale;

    @Option(names = "--plain-epochs", hidden = true, paramLabel = "N", defaultValue = "0",
            description = "Last epochs without mosaics (default: ${DEFAULT-VALUE}).")
    private int plainEpochs;

    @Mixin
    private MethodOptions methods;

    @Option(names = "--no-progress", description = "Draw no progress bar.")
    private boolean noProgress;

    @Option(names = "--quiet", description = "Print errors only.")
    private boolean quiet;

    /** A command that writes to the console. */
    public TrainCommand(Console console, Function<Boolean, ModelStore> stores) {
        this.console = console;
        this.stores = stores;
    }

    @Override
    public Integer call() {
        inputSize.check();
        methods.check();
        if (!output.endsWith(".onnx")) {
            throw usage("-o '" + output + "' does not end in .onnx");
        }
        if (threads < 0 || threads > 256) {
            throw usage("number of threads " + threads + " is not within 0 to 256");
        }
        TrainRequest request = new TrainRequest(model, path(data), Optional.ofNullable(val).map(this::path),
                path(output), options(), methods.schedule(), methods.needsLabels(), quiet, !noProgress && !quiet);
        return new TrainRun(console, stores.apply(request.progress()), request).run();
    }

    private TrainingOptions options() {
        boolean rounded = methods.isQuantized();
        String name = optimizer != null ? optimizer : rounded ? "adamw" : "sgd";
        LearningSchedule.Optimizer method = switch (name.toLowerCase(Locale.ROOT)) {
            case "sgd" -> LearningSchedule.Optimizer.SGD;
            case "adamw" -> LearningSchedule.Optimizer.ADAMW;
            default -> throw usage("--optimizer '" + name + "' is neither sgd nor adamw");
        };
        try {
            double usualRate = rounded ? ROUNDED_RATE : method.usualRate();
            LearningSchedule schedule = new LearningSchedule(method, epochs, batch,
                    nominalBatch != null ? nominalBatch : rounded ? batch : NOMINAL_BATCH,
                    rate == null ? usualRate : rate, finalRate, momentum, weightDecay,
                    warmup != null ? warmup : rounded ? ROUNDED_WARMUP : WARMUP);
            Augmentation usual = Augmentation.DEFAULT;
            Augmentation augmentation = plain ? Augmentation.NONE
                    : new Augmentation(mosaic != null ? mosaic : rounded ? 0 : usual.mosaic(), usual.hue(),
                            usual.saturation(), usual.value(), usual.flip(), scale,
                            usual.translate());
            return new TrainingOptions(inputSize.width(), inputSize.height(), schedule, freeze, augmentation,
                    plainEpochs, seed, threads == 0 ? Runtime.getRuntime().availableProcessors() : threads, device,
                    resume, fetch, methods.methods());
        } catch (IllegalArgumentException e) {
            throw usage(e.getMessage());
        }
    }

    private Path path(String text) {
        return PathArgument.of(text, spec);
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
