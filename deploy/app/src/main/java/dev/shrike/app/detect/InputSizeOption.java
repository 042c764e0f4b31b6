package dev.shrike.app.detect;

import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The size of a network's input, as all commands that run a network take it. */
public final class InputSizeOption {
    private static final int SMALLEST = 32;
    private static final int LARGEST = 16384;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(
            names = {"--imgsz", "--img", "--img-size"},
            paramLabel = "SIZE",
            parameterConsumer = Numbers.class,
            description = "Size of the network's input in pixels, N or HEIGHT,WIDTH (default: the model's own, or 640"
                    + " if it leaves that open).")
    private List<Integer> numbers = List.of();

    /**
     * Height in pixels; 0 for the model's own.
     *
     * @throws ParameterException as {@link #check}
     */
    public int height() {
        check();
        return numbers.isEmpty() ? 0 : numbers.getFirst();
    }

    /**
     * Width in pixels; 0 for the model's own.
     *
     * @throws ParameterException as {@link #check}
     */
    public int width() {
        check();
        return numbers.isEmpty() ? 0 : numbers.getLast();
    }

    /**
     * Complains of what is no size.
     *
     * @throws ParameterException if more than two numbers were given, or one that is too small or too large
     */
    public void check() {
        if (numbers.size() > 2) {
            throw usage("--imgsz takes N or HEIGHT,WIDTH, not " + numbers.size() + " numbers");
        }
        for (int size : numbers) {
            if (size < SMALLEST || size > LARGEST) {
                throw usage("--imgsz " + size + " is not within " + SMALLEST + " to " + LARGEST);
            }
        }
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
