package dev.shrike.app.detect;

import dev.shrike.DetectorOptions;
import dev.shrike.app.Console;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
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
                "Finds objects in pictures.",
                "Without a source it looks at sample photographs. Results go to the standard output, pictures with the"
                        + " boxes drawn to a new folder below runs/detect.",
                ""
        },
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = dev.shrike.app.Version.class)
public final class DetectCommand implements Callable<Integer> {

    private final Console console;
    private final Function<Boolean, ModelStore> stores;

    @Spec
    private CommandSpec spec;

    @Parameters(
            arity = "0..*",
            paramLabel = "SOURCE",
            description = "Pictures (JPEG, PNG, BMP, WebP), folders of them, or quoted globs such as 'in/**/*.jpg'.")
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
    private InputSizeOption inputSize;

    @Option(
            names = "--conf-thres",
            paramLabel = "SCORE",
            defaultValue = "0.25",
            description = "Lowest score reported, 0 to 1 (default: ${DEFAULT-VALUE}).")
    private float confidence;

    @Option(
            names = "--iou-thres",
            paramLabel = "IOU",
            defaultValue = "0.45",
            description = "Overlap above which the weaker of two boxes is dropped, 0 to 1 (default: ${DEFAULT-VALUE}).")
    private float iou;

    @Option(
            names = "--max-det",
            paramLabel = "N",
            defaultValue = "1000",
            description = "Most objects reported per picture (default: ${DEFAULT-VALUE}).")
    private int maxDetections;

    @Option(
            names = "--classes",
            paramLabel = "ID",
            parameterConsumer = Numbers.class,
            description = "Report these classes only: 0,2 or 0 2.")
    private List<Integer> classes = List.of();

    @Option(names = "--agnostic-nms", description = "Boxes of different classes suppress each other.")
    private boolean agnostic;

    @Option(names = "--multi-label", description = "Report a box for each of its classes above the threshold.")
    private boolean multiLabel;

    @Mixin
    private EngineChoice on;

    @Option(names = "--json", description = "Print JSON lines, one object a picture (docs/detect.schema.json).")
    private boolean json;

    @Option(names = "--save-txt", description = "Write labels/*.txt: class, centre, width and height, normalised.")
    private boolean saveText;

    @Option(names = "--save-conf", description = "Add the score to each line of --save-txt.")
    private boolean saveScore;

    @Option(names = "--nosave", description = "Write no pictures.")
    private boolean noPictures;

    @Mixin
    private RunFolderOptions folder;

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
        return new DetectRun(console, stores.apply(request.progress()), request).run();
    }

    private DetectRequest request() {
        List<String> all = new ArrayList<>(sources);
        all.addAll(positional);
        if (saveScore && !saveText) {
            throw usage("--save-conf adds to --save-txt, which is missing");
        }
        return new DetectRequest(
                weights,
                all,
                detectorOptions(),
                new DetectRequest.Saving(
                        !noPictures, saveText, saveScore, folder.project(), folder.name(), folder.existOk()),
                json,
                quiet,
                !noProgress && !quiet);
    }

    private DetectorOptions detectorOptions() {
        try {
            return new DetectorOptions(
                    inputSize.width(),
                    inputSize.height(),
                    confidence,
                    iou,
                    maxDetections,
                    new HashSet<>(classes),
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
