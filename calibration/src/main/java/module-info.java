/** The tools that make networks small and measure what that costs. */
module dev.shrike.calibration {
    requires com.fasterxml.jackson.core;
    requires com.fasterxml.jackson.databind;
    requires transitive dev.shrike;
    requires io.jenetics.base;
    requires io.jenetics.ext;
    requires org.bytedeco.javacpp;
    requires org.bytedeco.openblas;
    requires org.snakeyaml.engine.v2;

    exports dev.shrike.calibration;
    exports dev.shrike.calibration.activations;
    exports dev.shrike.calibration.charts;
    exports dev.shrike.calibration.data;
    exports dev.shrike.calibration.metrics;
    exports dev.shrike.calibration.prune;
    exports dev.shrike.calibration.prune.channels;
    exports dev.shrike.calibration.quantize;
    exports dev.shrike.calibration.quantize.rounding;
    exports dev.shrike.calibration.ranges;
    exports dev.shrike.calibration.training;
}
