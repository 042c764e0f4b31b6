package dev.shrike.app;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Tensor;
import dev.shrike.onnx.OnnxModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Writes {@link ToyModel}, one that sees nothing, a data set and blocks to calibrate with, for
 * {@code gpu-suite.sh --fake}.
 */
public final class ToyData {
    private static final int BLOCK = 8;
    private static final int IMAGES = 12;

    private ToyData() {}

    /** Writes {@code toy.onnx}, {@code blind.onnx}, {@code instances_blocks.json} and {@code blocks/} into a folder. */
    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        Path blocks = Files.createDirectories(folder.resolve("blocks"));
        writeBlind(ToyModel.write(folder.resolve("toy.onnx")), folder.resolve("blind.onnx"));
        StringBuilder images = new StringBuilder();
        StringBuilder annotations = new StringBuilder();
        for (int i = 0; i < IMAGES; i++) {
            int column = i % 7;
            int row = 3 * i % 7;
            ToyModel.image(blocks.resolve(i + ".png"), column, row);
            String comma = i == 0 ? "" : ", ";
            images.append(comma).append("{\"id\": ").append(i).append(", \"file_name\": \"").append(i)
                    .append(".png\", \"width\": 64, \"height\": 64}");
            annotations.append(comma).append("{\"id\": ").append(i + 1).append(", \"image_id\": ").append(i)
                    .append(", \"category_id\": 7, \"bbox\": [").append(column * BLOCK).append(", ")
                    .append(row * BLOCK).append(", 8, 8], \"area\": 64, \"iscrowd\": 0}");
        }
        Files.writeString(folder.resolve("instances_blocks.json"),
                "{\"categories\": [{\"id\": 7, \"name\": \"red block\"}], \"images\": [" + images
                        + "], \"annotations\": [" + annotations + "]}");
    }

    /** The network with weights of zero. */
    private static void writeBlind(Path model, Path file) {
        Graph graph = OnnxModels.read(model);
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        constants.computeIfPresent("weight", (_, weight) -> Tensor.ofFloats(weight.shape(),
                new float[Math.toIntExact(weight.shape().elements())]));
        OnnxModels.write(graph.withNodes(graph.nodes(), constants, graph.quantization()), file);
    }
}
