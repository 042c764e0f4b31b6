package dev.shrike.app.detect;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Options of YOLOv5's detect.py that change nothing here: accepted, and said so in a sentence. */
final class DetectExtras {
    @Option(names = "--view-img", hidden = true,
            description = "No window is opened here; the images are in the folder of the run, and --view shows videos"
                    + " on a page.")
    private boolean view;

    @Option(names = "--visualize", hidden = true, description = "YOLOv5's images of features; not written here.")
    private boolean visualize;

    @Option(names = "--update", hidden = true, description = "YOLOv5's clean-up of .pt files; changes nothing here.")
    private boolean update;

    /**
     * One sentence for each that was given.
     *
     * @param images whether images with boxes are written
     */
    List<String> notes(boolean images) {
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
