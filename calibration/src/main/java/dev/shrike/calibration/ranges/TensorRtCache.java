package dev.shrike.calibration.ranges;

import dev.shrike.files.FileReplacement;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * A calibration cache as TensorRT's calibrators write it: a line that names the version and the kind of calibrator,
 * then for each tensor its name and the bits of a float32 in hexadecimal, the scale of symmetric 8-bit codes.
 */
public final class TensorRtCache {
    private static final int HIGHEST = 127;

    private TensorRtCache() {}

    /** The kinds of calibrators whose caches TensorRT accepts. */
    public enum Kind {
        ENTROPY("EntropyCalibration2"),
        MIN_MAX("MinMaxCalibration");

        private final String title;

        Kind(String title) {
            this.title = title;
        }
    }

    /** The scale of symmetric codes for a value: what the method keeps of its range, divided by 127. */
    public static float scale(ActivationStatistics statistics, RangeCalibrator method) {
        UniformCodes codes = method.codes(statistics, 8);
        // Ends of a range are floats; without this a range that ends at 1 would seem to end a little above.
        float low = (float) (-codes.zero() * (double) codes.scale());
        float high = (float) ((255 - codes.zero()) * (double) codes.scale());
        return (float) Math.max(Math.max(-low, high) / HIGHEST, 1e-30);
    }

    /**
     * The text of a cache.
     *
     * @param version TensorRT's version as one number, 8400 for 8.4.0
     * @param scales by the name of the tensor
     */
    public static String text(int version, Kind kind, Map<String, Float> scales) {
        StringBuilder text = new StringBuilder("TRT-" + version + "-" + kind.title + "\n");
        new TreeMap<>(scales).forEach((name, scale) -> text.append(name).append(": ")
                .append(String.format("%08x", Float.floatToIntBits(scale))).append('\n'));
        return text.toString();
    }

    /** Writes a cache, all of it or nothing. */
    public static void write(Path file, int version, Kind kind, Map<String, Float> scales) {
        byte[] bytes = text(version, kind, scales).getBytes(StandardCharsets.UTF_8);
        FileReplacement.write(file, stream -> stream.write(bytes));
    }
}
