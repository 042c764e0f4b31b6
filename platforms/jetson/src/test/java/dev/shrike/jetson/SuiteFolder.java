package dev.shrike.jetson;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What {@code gpu-suite.sh --pack} put together, and where results go.
 *
 * @param root the folder
 */
record SuiteFolder(Path root) {
    private static final String QUANTIZED = "-qdq.onnx";

    /** The float networks. */
    List<Path> models() throws IOException {
        List<Path> found = list(root.resolve("models")).stream().filter(file -> !file.toString().endsWith(QUANTIZED))
                .toList();
        if (found.isEmpty()) {
            throw new IOException(root + ": has no models; pack again with --model");
        }
        return found;
    }

    /** The network that {@code shrike quantize} made of a float one. */
    Path quantized(Path model) {
        return model.resolveSibling(name(model) + QUANTIZED);
    }

    /** Name of a model without its ending. */
    static String name(Path model) {
        return model.getFileName().toString().replaceFirst("\\.onnx$", "");
    }

    /** The data set in COCO's JSON. */
    Path data() {
        return root.resolve("data/instances.json");
    }

    /** The folder of the data set's pictures. */
    Path dataPictures() {
        return root.resolve("data/pictures");
    }

    /** The first pictures of the data set. */
    List<Path> pictures(int count) throws IOException {
        return list(dataPictures()).stream().limit(count).toList();
    }

    /** The folder of pictures to calibrate with. */
    Path calibration() {
        return root.resolve("calibration");
    }

    /** A new folder below the results. */
    Path results(String name) throws IOException {
        return Files.createDirectories(root.resolve("results").resolve(name));
    }

    /** The figures in {@code NAME VALUE} lines. */
    static Map<String, Double> figures(String lines) {
        Map<String, Double> figures = new LinkedHashMap<>();
        for (String line : lines.lines().toList()) {
            String[] words = line.split(" ");
            figures.put(words[0], Double.valueOf(words[1]));
        }
        return figures;
    }

    private static List<Path> list(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        }
    }
}
