package dev.shrike.app.detect;

import dev.shrike.ShrikeException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** What a model on the command line means. */
public final class Weights {
    private Weights() {}

    /**
     * The model file: {@code weights} itself if there is such a file or it looks like one (a separator or an
     * extension), else the model of that name in the store.
     *
     * @param width width of the network's input that is wanted, 0 for the model's own
     * @param height height of the network's input that is wanted, 0 for the model's own
     * @throws ShrikeException if there is neither; names the models that there are
     */
    public static Path resolve(String weights, int width, int height, ModelStore store) {
        Path file;
        try {
            file = Path.of(weights);
        } catch (InvalidPathException e) {
            throw new ShrikeException("'" + weights + "' is no path: " + e.getReason(), e);
        }
        if (Files.isRegularFile(file)) {
            requireNoCheckpoint(file);
            return file;
        }
        if (store.names().contains(weights)) {
            if (width != height) {
                throw new ShrikeException("models by name take square images only, not " + width + "x" + height
                        + "; give the file of a model with that input");
            }
            return store.model(weights, width);
        }
        if (Files.isDirectory(file)) {
            throw new ShrikeException(weights + ": is a folder, not a model file");
        }
        if (weights.indexOf('/') >= 0 || weights.indexOf('.') >= 0) {
            throw new ShrikeException(weights + ": no such file" + hint(weights, store));
        }
        throw new ShrikeException("there is no model '" + weights + "'; give a file, or one of "
                + String.join(", ", store.names())
                + (weights.matches("yolov5[a-z0-9]*") ? export(weights + ".pt") : ""));
    }

    /** What PyTorch saves is a program and its data; ONNX is the form in which to hand a network on. */
    private static void requireNoCheckpoint(Path file) {
        String name = Sources.Names.extension(file);
        if (name.equals("pt") || name.equals("pth")) {
            throw new ShrikeException(file + ": is a file of PyTorch by its name, which is not read" + export(
                    file.getFileName().toString()));
        }
    }

    private static String export(String checkpoint) {
        String quoted = checkpoint.matches("[A-Za-z0-9._-]+") ? checkpoint : "FILE.pt";
        return "; export it with YOLOv5's 'python export.py --weights " + quoted + " --include onnx'";
    }

    /** PyTorch users are used to names such as yolov5s.pt, which stand for a download. */
    private static String hint(String weights, ModelStore store) {
        for (String name : store.names()) {
            if (weights.startsWith(name + ".")) {
                return "; '--weights " + name + "' fetches that model";
            }
        }
        if (weights.matches("yolov5[a-z0-9]*[.](pt|onnx)")) {
            return export(weights.replace(".onnx", ".pt"));
        }
        return "";
    }
}
