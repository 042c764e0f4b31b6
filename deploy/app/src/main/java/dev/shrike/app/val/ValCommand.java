package dev.shrike.app.val;

import dev.shrike.DetectorOptions;
import dev.shrike.app.Console;
import dev.shrike.app.HelpAll;
import dev.shrike.app.PathArgument;
import dev.shrike.app.PixelLimit;
import dev.shrike.app.detect.EngineChoice;
import dev.shrike.app.detect.InputSizeOption;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.app.detect.RunFolderOptions;
import dev.shrike.app.detect.Yolov5Options;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code shrike val}: the command line, checked and handed to {@link ValRun}. */
@Command(
        name = "val",
        description = {
                "Measures how well a model, or a file of detections, finds the objects of a data set.",
                "Prints YOLOv5's precision, recall and mAP and COCO's twelve figures; curves and the confusion matrix"
                        + " go to a new folder below runs/val.",
                ""
        },
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = dev.shrike.app.Version.class)
public final class ValCommand implements Callable<Integer> {
    private static final Set<String> SPLITS = Set.of("train", "val", "test");
    private static final String DEFAULT_WEIGHTS = "yolov5s";

    private final Console console;
    private final Function<Boolean, ModelStore> stores;

    @Mixin
    private HelpAll help;

    @Spec
    private CommandSpec spec;

    @Option(
            names = "--data",
            required = true,
            paramLabel = "PATH",
            description = "Data set: COCO JSON, a folder with one (or of images beside instances_NAME.json), or"
                    + " YOLO's data.yaml.")
    private String data;

    @Option(
            names = "--images",
            paramLabel = "DIR",
            description = "Folder of the images that a COCO JSON names (default: looked for beside it).")
    private String images;

    @Option(
            names = "--task",
            paramLabel = "PART",
            defaultValue = "val",
            description = "Part of a data.yaml: train, val or test (default: ${DEFAULT-VALUE}).")
    private String task;

    @Option(
            names = "--weights",
            paramLabel = "FILE|NAME",
            description = "Model: an ONNX file, one that 'shrike build' wrote, or a name that 'shrike models' lists"
                    + " (default: " + DEFAULT_WEIGHTS + ").")
    private String weights;

    @Option(
            names = "--results",
            paramLabel = "FILE",
            description = "Measure the detections in this COCO results JSON instead of running a model.")
    private String results;

    @Mixin
    private InputSizeOption inputSize;

    @Option(
            names = {"--conf-thres", "--conf"},
            paramLabel = "SCORE",
            defaultValue = "0.001",
            description = "Lowest score that counts, 0 to 1 (default: ${DEFAULT-VALUE}).")
    private float confidence;

    @Option(
            names = {"--iou-thres", "--iou"},
            paramLabel = "IOU",
            defaultValue = "0.6",
            description = "Overlap above which the weaker of two boxes is dropped, 0 to 1 (default: ${DEFAULT-VALUE}).")
    private float iou;

    @Option(
            names = "--max-det",
            paramLabel = "N",
            defaultValue = "300",
            description = "Most objects per image (default: ${DEFAULT-VALUE}).")
    private int maxDetections;

    @Option(
            names = {"--batch", "--batch-size"},
            paramLabel = "N",
            defaultValue = "1",
            description = "Images per run of the network; engines take 1 (default: ${DEFAULT-VALUE}).")
    private int batch;

    @Option(
            names = "--classes-by-order",
            description = "The n-th class of the model is the n-th of the data set, whatever their names.")
    private boolean classesByOrder;

    @Option(
            names = "--strict",
            description = "Stop, and list all problems, where an image or label is broken; else the image is left"
                    + " out.")
    private boolean strict;

    @Mixin
    private PixelLimit pixels;

    @Mixin
    private EngineChoice on;

    @Option(
            names = "--augment",
            description = "Run on each image in three sizes, one mirrored, as YOLOv5 does.")
    private boolean augment;

    @Mixin
    private Yolov5Options yolov5;

    @Mixin
    private ValExtras extras;

    @Option(names = "--verbose", description = "Tell about each class as well.")
    private boolean verbose;

    @Option(names = "--json", description = "Print one JSON object (docs/val.schema.json) instead of tables.")
    private boolean json;

    @Option(names = "--save-json", description = "Write the detections as COCO results, predictions.json.")
    private boolean saveResults;

    @Option(names = "--nosave", description = "Write no images of curves and matrix.")
    private boolean noImages;

    @Mixin
    private RunFolderOptions folder;

    @Option(names = "--no-progress", description = "Draw no progress bar.")
    private boolean noProgress;

    /**
     * A command that writes to the console.
     *
     * @param stores makes the store that named models come from, given whether it may draw a progress bar
     */
    public ValCommand(Console console, Function<Boolean, ModelStore> stores) {
        this.console = console;
        this.stores = stores;
    }

    @Override
    public Integer call() {
        ValRequest request = request();
        return new ValRun(console, stores.apply(request.showing().progress()), request).run();
    }

    private ValRequest request() {
        requireSense();
        List<String> extra = extras.notes();
        return new ValRequest(
                new ValRequest.Data(path(data), images == null ? null : path(images), task, strict, classesByOrder),
                results == null ? null : path(results),
                weights == null ? DEFAULT_WEIGHTS : weights,
                detectorOptions(),
                new ValRequest.Saving(!noImages, saveResults, folder.project(), folder.name(), folder.existOk()),
                new ValRequest.Showing(verbose, json, !noProgress, engine -> {
                    List<String> notes = new ArrayList<>(extra);
                    notes.addAll(yolov5.notes());
                    notes.addAll(yolov5.notesOnPrecision(engine));
                    return notes;
                }),
                augment);
    }

    private Path path(String text) {
        return PathArgument.of(text, spec);
    }

    private void requireSense() {
        if (weights != null && results != null) {
            throw usage("--weights and --results exclude each other: measure a model, or detections that there are");
        }
        if (results != null && augment) {
            throw usage("--augment is for models; --results has what one found");
        }
        if (results != null && saveResults) {
            throw usage("--save-json writes what a model found; --results has that already");
        }
        if (!SPLITS.contains(task)) {
            throw usage("--task '" + task + "' is none of train, val and test");
        }
        if (batch != 1) {
            throw usage("--batch " + batch + ": images are run one at a time, --batch 1");
        }
    }

    private DetectorOptions detectorOptions() {
        try {
            return new DetectorOptions(
                    inputSize.width(), inputSize.height(), confidence, iou, maxDetections, Set.of(), false, true,
                    on.threads(), on.engine(),
                    on.anchors(),
                    on.head(),
                    on.softNms());
        } catch (IllegalArgumentException e) {
            throw usage(e.getMessage());
        }
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
