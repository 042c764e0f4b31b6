package dev.shrike.app.compress;

import dev.shrike.calibration.quantize.BitWidths;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What one run of {@code shrike compress} is to do.
 *
 * @param model the float network, an ONNX file
 * @param sha256 of it
 * @param data images to fit and to calibrate with, as {@code shrike quantize} takes them
 * @param val labelled data to measure mAP with
 * @param budget latency that is wanted: milliseconds, or a share of the float network's
 * @param share whether the budget is a share
 * @param latencies table of latencies for pruning
 * @param scheme widths of the quantised network
 * @param images most images to take of the data
 * @param epochs of fine-tuning after pruning
 * @param threads worker threads; 0 for one per processor
 * @param size width and height of the input in pixels; 0 for the model's own
 * @param seconds most time of each measurement of latency
 */
record CompressRequest(Path model, String sha256, String data, Optional<String> val, double budget, boolean share,
        Optional<Path> latencies, String scheme, int images, int epochs, int threads, int size, double seconds) {
    CompressRequest {
        Objects.requireNonNull(model, "model");
        Objects.requireNonNull(sha256, "sha256");
        Objects.requireNonNull(data, "data");
        Objects.requireNonNull(val, "val");
        Objects.requireNonNull(latencies, "latencies");
        Objects.requireNonNull(scheme, "scheme");
    }

    /** The same as text, to tell whether a plan is of this request. */
    List<String> text() {
        return List.of("model " + model, "sha256 " + sha256, "data " + data, "val " + val.orElse("none"),
                "latency " + budget + (share ? " of the float network's" : " ms"),
                "latencies " + latencies.map(Path::toString).orElse("none"), "scheme " + scheme, "images " + images,
                "epochs " + epochs, "threads " + threads, "size " + size, "seconds " + seconds);
    }

    /** Bits of an activation; {@code int8} is another name of {@code w8a8}. */
    int activationBits() {
        return scheme.equals("int8") ? Byte.SIZE : BitWidths.parse(scheme).activations();
    }

    /** Arguments for commands that run a network. */
    List<String> running() {
        List<String> arguments = new ArrayList<>(List.of("--threads", Integer.toString(threads)));
        if (size != 0) {
            arguments.addAll(List.of("--imgsz", Integer.toString(size)));
        }
        return arguments;
    }
}
