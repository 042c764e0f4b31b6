package dev.shrike.jetson;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Comparator;
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

    /** The folder of the data set's images. */
    Path dataImages() {
        return root.resolve("data/images");
    }

    /** The first images of the data set. */
    List<Path> images(int count) throws IOException {
        return list(dataImages()).stream().limit(count).toList();
    }

    /** The folder of images to calibrate with. */
    Path calibration() {
        return root.resolve("calibration");
    }

    /** A new folder below the results. */
    Path results(String name) throws IOException {
        return Files.createDirectories(root.resolve("results").resolve(name));
    }

    /** A cache of engines, with the newest timings of kernels that any of them has. */
    Path engines(String name) throws IOException {
        Path cache = results("engines/" + name);
        List<Path> timings;
        try (Stream<Path> files = Files.walk(root.resolve("results/engines"), 2)) {
            timings = files.filter(file -> file.getFileName().toString().startsWith("timings-"))
                    .filter(file -> !file.getParent().equals(cache))
                    .sorted(Comparator.comparing((Path file) -> file.toFile().lastModified())).toList();
        }
        for (Path file : timings) {
            Path own = cache.resolve(file.getFileName());
            if (!Files.exists(own) || own.toFile().lastModified() < file.toFile().lastModified()) {
                Files.copy(file, own, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
        return cache;
    }

    /** The same without engines. */
    Path emptyEngines(String name) throws IOException {
        for (Path file : list(results("engines/" + name))) {
            Files.delete(file);
        }
        return engines(name);
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
