package dev.shrike.app;

import dev.shrike.vision.Images;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The limit of pixels, as all commands that read images take it. */
public final class PixelLimit {
    @Spec(Spec.Target.MIXEE)
    private CommandSpec spec;

    /** Sets the limit of this run; {@link Main} takes it back. */
    @Option(
            names = "--max-pixels",
            paramLabel = "N",
            description = "Pixels of the largest image that is read, at most 715827882 (default: 64 million).")
    public void setPixels(long pixels) {
        if (pixels < 1 || pixels > Images.HARD_MAX_PIXELS) {
            throw new ParameterException(spec.commandLine(),
                    "--max-pixels " + pixels + " is not within 1 to " + Images.HARD_MAX_PIXELS);
        }
        System.setProperty(Images.MAX_PIXELS_PROPERTY, String.valueOf(pixels));
    }
}
