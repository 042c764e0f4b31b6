package dev.shrike.app.detect;

import dev.shrike.DetectorOptions;
import dev.shrike.app.Console;
import dev.shrike.app.HelpAll;
import dev.shrike.app.PathArgument;
import dev.shrike.app.PixelLimit;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code shrike detect}: the command line, checked and handed to {@link DetectRun}. */
@Command(
        name = "detect",
        description = {
                "Finds objects in images, videos, cameras and streams.",
                "Without a source it runs on sample photographs. Results go to the standard output, images with the"
                        + " boxes drawn to a new folder below runs/detect.",
                ""
        },
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = dev.shrike.app.Version.class)
public final class DetectCommand implements Callable<Integer> {

    private final Console console;
    private final Function<Boolean, ModelStore> stores;

    @Mixin
    private HelpAll help;

    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "0..*",
            paramLabel = "SOURCE",
            description = "Images (JPEG, PNG, BMP, WebP, TIFF), folders of them, quoted globs such as"
                    + " 'in/**/*.jpg', lists of"
                    + " these (.txt, one a line), - for an image on the standard input; videos; a camera (0,"
                    + " /dev/video0, v4l2:by-id/NAME, csi://0) or a stream (rtsp://HOST/PATH), until Ctrl-C.")
    private List<String> positional = new ArrayList<>();

    @Option(
            names = "--source",
            arity = "1",
            paramLabel = "SOURCE",
            description = "The same as an option; may be repeated.")
    private List<String> sources = new ArrayList<>();

    @Option(
            names = "--weights",
            paramLabel = "FILE|NAME",
            defaultValue = "yolov5s",
            description = "Model: an ONNX file, one that 'shrike build' wrote, or a name that 'shrike models' lists"
                    + " (default: ${DEFAULT-VALUE}).")
    private String weights;

    @Mixin
    private MovingOptions moving;

    @Mixin
    private InputSizeOption inputSize;

    @Option(
            names = {"--conf-thres", "--conf"},
            paramLabel = "SCORE",
            defaultValue = "0.25",
            description = "Lowest score reported, 0 to 1 (default: ${DEFAULT-VALUE}).")
    private float confidence;

    @Option(
            names = {"--iou-thres", "--iou"},
            paramLabel = "IOU",
            defaultValue = "0.45",
            description = "Overlap above which the weaker of two boxes is dropped, 0 to 1 (default: ${DEFAULT-VALUE}).")
    private float iou;

    @Option(
            names = "--max-det",
            paramLabel = "N",
            defaultValue = "1000",
            description = "Most objects reported per image (default: ${DEFAULT-VALUE}).")
    private int maxDetections;

    @Option(
            names = "--classes",
            paramLabel = "ID|NAME",
            parameterConsumer = ClassChoice.Consumer.class,
            description = "Report these classes only: 0,2 or 0 2 or person,bus; may be repeated.")
    private List<String> classes = List.of();

    @Option(
            names = "--data",
            paramLabel = "FILE.yaml",
            description = "YOLO's data.yaml, whose names the classes of a model get that has no names of its own.")
    private String data;

    @Option(
            names = "--augment",
            description = "Run on each image in three sizes, one mirrored, as YOLOv5 does: sees more and takes"
                    + " over twice the time. For models whose input size is open, or by name.")
    private boolean augment;

    @Option(names = "--agnostic-nms", description = "Boxes of different classes suppress each other.")
    private boolean agnostic;

    @Option(names = "--multi-label", hidden = true,
            description = "Report a box for each of its classes above the threshold.")
    private boolean multiLabel;

    @Mixin
    private EngineChoice on;

    @Mixin
    private PixelLimit pixels;

    @Option(names = "--json", description = "Print JSON lines, one object an image (docs/detect.schema.json).")
    private boolean json;

    @Option(names = "--save-txt", description = "Write labels/*.txt: class, centre, width and height, normalised.")
    private boolean saveText;

    @Option(names = "--save-conf", description = "Add the score to each line of --save-txt.")
    private boolean saveScore;

    @Option(names = "--save-crop", description = "Write the part around each object: crops/CLASS/IMAGE.jpg.")
    private boolean saveCrops;

    @Option(names = "--save-csv", description = "Write predictions.csv: image, class and score of each object.")
    private boolean saveCsv;

    @Mixin
    private DrawingOptions drawing;

    @Option(names = "--nosave", description = "Write no images.")
    private boolean noImages;

    @Mixin
    private RunFolderOptions folder;

    @Mixin
    private Yolov5Options yolov5;

    @Mixin
    private DetectExtras extras;

    @Option(names = "--no-progress", description = "Draw no progress bar.")
    private boolean noProgress;

    @Option(names = "--quiet", description = "Print errors only; with --json, the objects as well.")
    private boolean quiet;

    /**
     * A command that writes to the console.
     *
     * @param stores makes the store that named models come from, given whether it may draw a progress bar
     */
    public DetectCommand(Console console, Function<Boolean, ModelStore> stores) {
        this.console = console;
        this.stores = stores;
    }

    @Override
    public Integer call() {
        DetectRequest request = request();
        return new DetectRun(console, stores.apply(request.showing().progress()), request).run();
    }

    private DetectRequest request() {
        List<String> all = new ArrayList<>(sources);
        all.addAll(positional);
        if (saveScore && !saveText) {
            throw usage("--save-conf adds to --save-txt, which is missing");
        }
        List<String> notes = new ArrayList<>(extras.notes(!noImages));
        notes.addAll(yolov5.notes());
        DetectRequest.Folder where =
                new DetectRequest.Folder(folder.project(), folder.name(), folder.existOk());
        return new DetectRequest(
                weights,
                all,
                detectorOptions(),
                new ModelReading(new ClassChoice(classes),
                        Optional.ofNullable(data).map(file -> PathArgument.of(file, spec)), augment),
                moving.moving(),
                new DetectRequest.Saving(
                        !noImages, drawing.style(), saveText, saveScore, saveCrops, saveCsv, where),
                new DetectRequest.Showing(json, quiet, !noProgress && !quiet, engine -> {
                    List<String> told = new ArrayList<>(notes);
                    told.addAll(yolov5.notesOnPrecision(engine));
                    return told;
                }));
    }

    private DetectorOptions detectorOptions() {
        ClassChoice chosen = new ClassChoice(classes);
        try {
            return new DetectorOptions(
                    inputSize.width(),
                    inputSize.height(),
                    confidence,
                    iou,
                    maxDetections,
                    chosen.hasNames() ? Set.of() : chosen.ids(List.of()),
                    agnostic,
                    multiLabel,
                    on.threads(),
                    on.engine(),
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
