package dev.shrike.jetson;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** An engine that the GPU suite builds of each model, and how near it must come to the float network. */
enum SuiteVariant {
    FP32("fp32", "", false, 0.005, 0.98),
    FP16("fp16", "", false, 0.01, 0.95),
    INT8_ENTROPY("best", "entropy", false, 0.1, 0.7),
    INT8_MINMAX("best", "minmax", false, 0.1, 0.7),
    /** Of the network that {@code shrike quantize} made, with its own ranges. */
    INT8_QDQ("auto", "", true, 0.02, 0.8);

    private final String precision;
    private final String calibration;
    private final boolean quantized;
    private final double loss;
    private final double agreement;

    SuiteVariant(String precision, String calibration, boolean quantized, double loss, double agreement) {
        this.precision = precision;
        this.calibration = calibration;
        this.quantized = quantized;
        this.loss = loss;
        this.agreement = agreement;
    }

    /** How people call it: {@code "int8-entropy"}. */
    String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    boolean isInt8() {
        return this != FP32 && this != FP16;
    }

    boolean quantized() {
        return quantized;
    }

    /**
     * Most mAP50-95 that it may lose. Stock INT8 calibration is known to lose 0.05 to 0.07 of a small YOLOv5, the
     * integer engine less than 0.01 with the quantised network's own ranges.
     */
    double loss() {
        return loss;
    }

    /** Least share of the float network's objects that it must find. */
    double agreement() {
        return agreement;
    }

    /** The properties of a JVM that builds it, or loads it, in this cache. */
    List<String> properties(Path cache, Path images) {
        List<String> properties = new ArrayList<>(List.of("-Dshrike.tensorrt.cache=" + cache,
                "-Dshrike.tensorrt.precision=" + precision, "-Dshrike.tensorrt.detailed=true"));
        if (!calibration.isEmpty()) {
            properties.add("-Dshrike.tensorrt.calibration=" + calibration);
            properties.add("-Dshrike.tensorrt.data=" + images);
        }
        return properties;
    }
}
