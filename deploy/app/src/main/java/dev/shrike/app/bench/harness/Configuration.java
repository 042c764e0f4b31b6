package dev.shrike.app.bench.harness;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What is opened, and how.
 *
 * @param engine name of the engine: one of Shrike's, or a rival
 * @param model the file that the engine opens
 * @param precision of the numbers, for people: {@code float}, {@code w8a8}, {@code int8}
 * @param width width of the network's input in pixels; 0 for the model's own
 * @param height height of the network's input in pixels; 0 for the model's own
 * @param threads worker threads, at least 1
 * @param batch images of a run, at least 1
 * @param image the image that is looked at; one is made up if there is none
 */
public record Configuration(String engine, Path model, String precision, int width, int height, int threads, int batch,
        Optional<Path> image) {
    private static final int PARTS = 8;

    public Configuration {
        Objects.requireNonNull(engine, "engine");
        Objects.requireNonNull(model, "model");
        Objects.requireNonNull(precision, "precision");
        Objects.requireNonNull(image, "image");
        if (width < 0 || height < 0 || threads < 1 || batch < 1) {
            throw new IllegalArgumentException(
                    width + "x" + height + ", " + threads + " threads, batch " + batch);
        }
    }

    /** The same as arguments of a command line, for {@link #parse}. */
    public List<String> arguments() {
        return List.of(engine, model.toString(), precision, Integer.toString(width), Integer.toString(height),
                Integer.toString(threads), Integer.toString(batch), image.map(Path::toString).orElse(""));
    }

    /** What {@link #arguments} gave. */
    public static Configuration parse(List<String> arguments) {
        if (arguments.size() != PARTS) {
            throw new IllegalArgumentException(PARTS + " arguments are wanted, not " + arguments.size());
        }
        return new Configuration(arguments.get(0), Path.of(arguments.get(1)), arguments.get(2),
                Integer.parseInt(arguments.get(3)), Integer.parseInt(arguments.get(4)),
                Integer.parseInt(arguments.get(5)), Integer.parseInt(arguments.get(6)),
                Optional.of(arguments.get(7)).filter(text -> !text.isEmpty()).map(Path::of));
    }
}
