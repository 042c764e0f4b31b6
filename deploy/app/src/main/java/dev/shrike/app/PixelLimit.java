package dev.shrike.app;

import dev.shrike.vision.Pictures;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The limit of pixels, as all commands that read pictures take it. */
public final class PixelLimit {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    /** Sets the limit of this run; {@link Main} takes it back. */
    @Option(
            names = "--max-pixels",
            paramLabel = "N",
            description = "Pixels of the largest picture that is read, at most 715827882 (default: 64 million).")
    public void setPixels(long pixels) {
        if (pixels < 1 || pixels > Pictures.HARD_MAX_PIXELS) {
            throw new ParameterException(spec.commandLine(),
                    "--max-pixels " + pixels + " is not within 1 to " + Pictures.HARD_MAX_PIXELS);
        }
        System.setProperty(Pictures.MAX_PIXELS_PROPERTY, String.valueOf(pixels));
    }
}
