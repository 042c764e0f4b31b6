package dev.shrike.examples.flink;

import dev.shrike.Detector;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.io.PrintStream;
import java.util.stream.Stream;

/** The same as {@link ImageFolderJob} in one process and without Flink: {@code --images FOLDER --weights FILE}. */
public final class OneProcess {
    private OneProcess() {
    }

    /** Prints a line for each image. */
    public static void main(String[] args) throws Exception {
        Arguments arguments = Arguments.of(args);
        Path list = Files.createTempFile("names", ".txt");
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        try (Detector detector = DetectFunction.open(arguments.wanted("weights"))) {
            ImageList.write(Path.of(arguments.wanted("images")), list);
            try (Stream<String> names = Files.lines(list)) {
                names.forEach(image -> out.println(DetectFunction.line(detector, image)));
            }
        } finally {
            Files.delete(list);
        }
    }
}
