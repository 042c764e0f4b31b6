package dev.shrike.app;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes {@link ToyModel}, a data set for it and pictures to calibrate with, for {@code gpu-suite.sh --played}. */
public final class ToyData {
    private static final int BLOCK = 8;
    private static final int PICTURES = 12;

    private ToyData() {}

    /** The argument is the folder: gets {@code toy.onnx}, {@code instances_blocks.json} and {@code blocks/}. */
    public static void main(String[] arguments) throws IOException {
        Path folder = Path.of(arguments[0]);
        Path pictures = Files.createDirectories(folder.resolve("blocks"));
        ToyModel.write(folder.resolve("toy.onnx"));
        StringBuilder images = new StringBuilder();
        StringBuilder annotations = new StringBuilder();
        for (int i = 0; i < PICTURES; i++) {
            int column = i % 7;
            int row = 3 * i % 7;
            ToyModel.picture(pictures.resolve(i + ".png"), column, row);
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
}
