package dev.shrike.app.detect;

import dev.shrike.vision.DrawingStyle;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How boxes are drawn, as on YOLOv5's command line. */
final class DrawingOptions {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    @Option(
            names = "--line-thickness",
            paramLabel = "PIXELS",
            defaultValue = "0",
            description = "Thickness of the lines of boxes; 0 goes by the size of the image"
                    + " (default: ${DEFAULT-VALUE}).")
    private int thickness;

    @Option(names = "--hide-labels", description = "Draw boxes without the names of their classes.")
    private boolean hideLabels;

    @Option(names = "--hide-conf", description = "Draw boxes without scores.")
    private boolean hideScores;

    /**
     * The style.
     *
     * @throws ParameterException if the thickness makes no sense
     */
    DrawingStyle style() {
        try {
            return new DrawingStyle(thickness, !hideLabels, !hideScores);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), "--line-thickness: " + e.getMessage());
        }
    }
}
