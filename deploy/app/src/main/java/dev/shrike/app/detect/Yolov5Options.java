package dev.shrike.app.detect;

import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Option;

/** Options that YOLOv5's commands have and that change nothing here: accepted, and said so in a sentence. */
public final class Yolov5Options {
    @Option(names = "--half", hidden = true,
            description = "Run in FP16: what TensorRT does anyway; the CPU engine says that it does not.")
    private boolean half;

    @Option(names = "--dnn", hidden = true,
            description = "YOLOv5's choice of OpenCV's DNN module; changes nothing here.")
    private boolean dnn;

    /** One sentence for each that was given. */
    public List<String> notes() {
        List<String> notes = new ArrayList<>();
        if (dnn) {
            notes.add("--dnn changes nothing: ONNX files run on the engines that 'shrike doctor' lists, not on OpenCV");
        }
        return notes;
    }

    /**
     * What is to be said about FP16 once the engine is known: a sentence or none.
     *
     * @param engine what runs the model
     */
    public List<String> notesOnPrecision(String engine) {
        if (!half || !engine.startsWith("cpu")) {
            return List.of();
        }
        return List.of("--half changes nothing: the CPU engine has no arithmetic of 16-bit floats; 8-bit integers are"
                + " what makes it quicker ('shrike quantize')");
    }
}
