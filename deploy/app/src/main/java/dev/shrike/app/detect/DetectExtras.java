package dev.shrike.app.detect;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Options of YOLOv5's detect.py that change nothing here: accepted, and said so in a sentence. */
final class DetectExtras {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(names = "--view-img", hidden = true,
            description = "No window is opened here; the images are in the folder of the run.")
    private boolean view;

    @Option(
            names = "--vid-stride", hidden = true,
            paramLabel = "N",
            defaultValue = "1",
            description = "Every Nth image of a video; videos are not read yet.")
    private int videoStride;

    @Option(names = "--visualize", hidden = true, description = "YOLOv5's images of features; not written here.")
    private boolean visualize;

    @Option(names = "--update", hidden = true, description = "YOLOv5's clean-up of .pt files; changes nothing here.")
    private boolean update;

    /**
     * One sentence for each that was given.
     *
     * @param images whether images with boxes are written
     * @throws ParameterException if the stride is less than 1
     */
    List<String> notes(boolean images) {
        if (videoStride < 1) {
            throw new ParameterException(spec.commandLine(), "--vid-stride " + videoStride + " is less than 1");
        }
        List<String> notes = new ArrayList<>();
        if (view) {
            notes.add("--view-img opens no window: " + (images
                    ? "look at the images in the folder of the run, which is named at the end"
                    : "leave --nosave out and look at the images in the folder of the run"));
        }
        if (visualize) {
            notes.add("--visualize writes nothing: features of inner layers are not drawn");
        }
        if (update) {
            notes.add("--update changes nothing: it removes optimizers from .pt files, and ONNX files have none");
        }
        return notes;
    }
}
