package example.finder;

import dev.shrike.Detection;
import dev.shrike.Detector;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import dev.shrike.ShrikeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/**
 * Prints the objects in an image: {@code Finder MODEL IMAGE}. Without arguments it makes both, a small network that
 * finds red blocks and an image with two of them.
 */
public final class Finder {
    private Finder() {}

    public static void main(String[] arguments) throws IOException {
        try {
            if (arguments.length == 2) {
                find(Path.of(arguments[0]), Path.of(arguments[1]));
            } else {
                Path folder = Files.createTempDirectory("finder");
                find(RedBlocks.model(folder.resolve("red.onnx")), RedBlocks.image(folder.resolve("red.png")));
            }
        } catch (ShrikeException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    private static void find(Path model, Path image) {
        try (Detector detector = Detectors.open(model)) {
            for (Detection found : detector.detect(Frame.read(image))) {
                System.out.printf(Locale.ROOT, "%s %.2f at %.0f,%.0f to %.0f,%.0f%n", found.label(), found.score(),
                        found.x1(), found.y1(), found.x2(), found.y2());
            }
        }
    }
}
