package dev.shrike.jetson;

import dev.shrike.ShrikeException;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.engine.EngineOptions;
import dev.shrike.jetson.kernels.KernelSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;

/** What detectors on this GPU will do, before there is one: for {@code shrike doctor}. Compiles the kernels to know. */
final class EngineReport {
    private static final String DECODE = "-Dshrike.tensorrt.decode";

    private final Gpu gpu;
    private final Supplier<EngineOptions> options;

    EngineReport(Gpu gpu, Supplier<EngineOptions> options) {
        this.gpu = gpu;
        this.options = options;
    }

    /** A line each; an option or a device that is not as it should be becomes a line too. */
    List<String> lines() {
        List<String> lines = new ArrayList<>();
        try {
            lines.add(memory());
            EngineOptions read = options.get();
            lines.add(decoding(read.decode()));
            lines.add(failure(KernelSource.LETTERBOX).map(why -> "images are resized on the processor: " + why)
                    .orElse("images are resized on the GPU"));
            lines.add(engines(read));
        } catch (IllegalArgumentException e) {
            lines.add("no detector opens: " + e.getMessage());
        } catch (ShrikeException e) {
            lines.add("the GPU does not answer: " + e.getMessage());
        }
        return lines;
    }

    private String memory() {
        Gpu.Device device = gpu.device();
        return mebibytes(device.totalBytes()) + " of memory" + (device.integrated() ? " shared with the processor" : "")
                + ", " + mebibytes(gpu.freeBytes()) + " free";
    }

    private static String mebibytes(long bytes) {
        return (bytes >> 20) + " MiB";
    }

    private String decoding(EngineOptions.Decode decode) {
        String said = ", as " + DECODE + "=" + decode.name().toLowerCase(Locale.ROOT) + " says";
        if (decode == EngineOptions.Decode.CPU) {
            return "candidates are found on the processor" + said;
        }
        Optional<String> failure = failure(KernelSource.CANDIDATES);
        if (decode == EngineOptions.Decode.GPU) {
            return failure.map(why -> "no detector opens: " + DECODE + "=gpu wants candidates found on the GPU, which"
                    + " cannot: " + why + "; leave the property out")
                    .orElse("candidates are found on the GPU" + said + "; those of raw heads on the processor");
        }
        return failure.map(why -> "candidates are found on the processor, since the GPU cannot: " + why)
                .orElse("candidates are found on the GPU or on the processor: a trial when a detector opens decides, "
                        + DECODE + "=gpu or cpu does without");
    }

    /** Why a kernel cannot run here; empty if it can. */
    private Optional<String> failure(KernelSource kernel) {
        try {
            kernel.compile(gpu).close();
            return Optional.empty();
        } catch (ShrikeException e) {
            return Optional.of(e.getMessage());
        }
    }

    private static String engines(EngineOptions options) {
        String ranges = options.data().map(folder -> ", " + word(options.calibration()) + " calibration with images"
                + " of " + folder).orElse("");
        return "engines have precision " + word(options.precision()) + ranges
                + options.batches().map(sizes -> ", batches of " + sizes.describe()).orElse("")
                + (options.dlaCore() < 0 ? "" : ", DLA " + options.dlaCore()) + " and are kept in " + options.cache();
    }

    private static String word(Enum<?> choice) {
        return choice.name().toLowerCase(Locale.ROOT);
    }
}
