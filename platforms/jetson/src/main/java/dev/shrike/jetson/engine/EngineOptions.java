package dev.shrike.jetson.engine;

import dev.shrike.jetson.binding.TensorRt.Calibration;
import dev.shrike.spi.BatchProfile;
import dev.shrike.spi.BuildOptions;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/**
 * How to build engines and run them. Every part has a system property {@code shrike.tensorrt.…}.
 *
 * @param precision formats that layers may run in ({@code precision})
 * @param calibration how ranges for INT8 are found where the model brings none ({@code calibration})
 * @param data folder of images to find them on, or empty ({@code data})
 * @param images most images of the folder to take ({@code images})
 * @param dlaCore deep learning accelerator to use, -1 for none ({@code dla})
 * @param workspaceBytes most memory that a layer may take while it runs, 0 for a share of what is free
 *     ({@code workspace}, in MiB)
 * @param cache folder that keeps engines, timings and calibrations ({@code cache})
 * @param detailed whether engines keep what a profiler shows ({@code detailed})
 * @param decode where candidates are found in the network's output ({@code decode})
 * @param batches sizes of the batch of models that leave it open, as {@link BatchProfile#parse} takes them; empty for
 *     one
 *     image ({@code batch})
 */
public record EngineOptions(
        Precision precision,
        Calibration calibration,
        Optional<Path> data,
        int images,
        int dlaCore,
        long workspaceBytes,
        Path cache,
        boolean detailed,
        Decode decode,
        Optional<BatchProfile> batches) {
    /** Formats that layers may run in. */
    public enum Precision {
        /** INT8 beside FP16 if the model is quantised or there are images, else FP16. */
        AUTO,
        /** FP32 alone (with TF32 where the GPU has it). */
        FP32,
        /** FP16 and FP32. */
        FP16,
        /** INT8 and FP32. */
        INT8,
        /** Whatever is quickest of INT8, FP16 and FP32. */
        BEST
    }

    /** Where candidates are found. */
    public enum Decode {
        /** Where it is quicker, tried when a detector opens. */
        AUTO,
        /** On the GPU; a detector whose GPU cannot does not open. Raw heads stay on the processor all the same. */
        GPU,
        /** On the processor. */
        CPU
    }

    private static final int DEFAULT_IMAGES = 500;
    private static final String PREFIX = "shrike.tensorrt.";

    public static EngineOptions fromSystemProperties() {
        return from(System::getProperty, System.getenv("XDG_CACHE_HOME"), System.getProperty("user.home"));
    }

    public static EngineOptions from(Function<String, String> properties, String cacheHome, String home) {
        Function<String, Optional<String>> get = name -> Optional.ofNullable(properties.apply(PREFIX + name))
                .map(String::strip).filter(text -> !text.isEmpty());
        Path caches = cacheHome == null || cacheHome.isBlank() ? Path.of(home, ".cache") : Path.of(cacheHome);
        return new EngineOptions(
                choice(Precision.class, "precision", get.apply("precision").orElse("auto")),
                choice(Calibration.class, "calibration", get.apply("calibration").orElse("entropy")),
                get.apply("data").map(Path::of),
                (int) number("pictures", get.apply("pictures").orElse("" + DEFAULT_IMAGES), 1, 100_000),
                (int) number("dla", get.apply("dla").orElse("-1"), -1, 15),
                number("workspace", get.apply("workspace").orElse("0"), 0, 1 << 20) << 20,
                get.apply("cache").map(Path::of).orElse(caches.resolve("shrike").resolve("engines")),
                get.apply("detailed").map(Boolean::parseBoolean).orElse(false),
                choice(Decode.class, "decode", get.apply("decode").orElse("auto")),
                get.apply("batch").map(EngineOptions::batches));
    }

    /** The same with what a build asks for in place of the properties. */
    public EngineOptions with(BuildOptions build) {
        return new EngineOptions(precision, calibration, build.calibration().map(BuildOptions.Calibration::folder)
                .or(() -> data), build.calibration().map(BuildOptions.Calibration::most).orElse(images), dlaCore,
                workspaceBytes, cache, detailed, decode, build.batches().or(() -> batches));
    }

    private static BatchProfile batches(String text) {
        try {
            return BatchProfile.parse(text);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("property " + PREFIX + "batch: " + e.getMessage(), e);
        }
    }

    private static long number(String name, String text, long low, long high) {
        try {
            long value = Long.parseLong(text);
            if (value >= low && value <= high) {
                return value;
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "property " + PREFIX + name + ": '" + text + "' is no whole number", e);
        }
        throw new IllegalArgumentException(
                "property " + PREFIX + name + ": " + text + " is not within " + low + " to " + high);
    }

    private static <E extends Enum<E>> E choice(Class<E> type, String name, String text) {
        try {
            return Enum.valueOf(type, text.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("property " + PREFIX + name + ": '" + text + "' is not one of "
                    + Arrays.toString(type.getEnumConstants()).toLowerCase(Locale.ROOT), e);
        }
    }
}
