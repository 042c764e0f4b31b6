package dev.shrike.app.detect;

import dev.shrike.heads.HeadFormat;
import dev.shrike.heads.SoftNms;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of commands that detect: on which engine, with how many threads, and how its outputs are read. */
public final class EngineChoice {
    private static final String CPU = "cpu";
    private static final String GPU = "tensorrt";

    @Option(
            names = "--anchors", hidden = true,
            paramLabel = "W,H",
            split = ",",
            description = "Anchors of a model that ends in raw YOLOv5 heads, in pixels, smallest stride first (default:"
                    + " its metadata, or else those of YOLOv5 for COCO).")
    private List<Float> anchors = List.of();

    @Option(
            names = "--head",
            paramLabel = "NAME",
            description = "Form of the model's outputs: yolov5, yolov5-face, yolov5-raw, yolov6, yolox, yolov8,"
                    + " yolov8-raw,"
                    + " end-to-end or boxes-scores (default: found out by their shapes, values and class names).")
    private String head = "";

    @Option(
            names = "--soft-nms",
            paramLabel = "KIND",
            defaultValue = "off",
            description = "Lower the scores of overlapping boxes instead of dropping them: linear, gaussian or off"
                    + " (default: ${DEFAULT-VALUE}).")
    private String softNms = "off";

    @Option(names = "--engine", paramLabel = "NAME", description = "Engine to run on, such as cpu (default: the best).")
    private String engine = "";

    @Option(
            names = "--device",
            paramLabel = "ID",
            description = "The same as YOLOv5 says it: cpu, or 0 or cuda:0 for the GPU.")
    private String device = "";

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Mixin
    private ThreadsOption threads;

    /** Width and height of each anchor; empty for the model's own. */
    public List<Float> anchors() {
        return anchors;
    }

    /**
     * The form of the model's outputs, if it is given.
     *
     * @throws IllegalArgumentException if there is no such form
     */
    public Optional<HeadFormat> head() {
        return head.isBlank() ? Optional.empty() : Optional.of(HeadFormat.of(head));
    }

    /**
     * What a better box does to those that it overlaps.
     *
     * @throws IllegalArgumentException if there is no such kind
     */
    public SoftNms softNms() {
        return SoftNms.of(softNms);
    }

    /**
     * Name of the engine; empty for the best.
     *
     * @throws ParameterException if there is no engine for the device, or another one is asked for as well
     */
    public String engine() {
        String wanted = switch (device.toLowerCase(Locale.ROOT)) {
            case "" -> engine;
            case "cpu" -> CPU;
            case "0", "cuda", "cuda:0", "gpu" -> GPU;
            default -> throw usage(device.matches("(cuda:)?[0-9][0-9,]*")
                    ? "--device " + device + ": one GPU is used, which is called 0; CUDA_VISIBLE_DEVICES chooses which"
                    : "--device '" + device + "': there are engines for cpu and for NVIDIA's GPUs, 0");
        };
        if (!engine.isEmpty() && !wanted.equalsIgnoreCase(engine)) {
            throw usage("--device " + device + " means --engine " + wanted + ", not " + engine + ": give one of them");
        }
        return wanted;
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    /** {@link ThreadsOption#count}. */
    public int threads() {
        return threads.count();
    }
}
