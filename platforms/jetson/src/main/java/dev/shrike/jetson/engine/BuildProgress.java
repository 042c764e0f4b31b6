package dev.shrike.jetson.engine;

import dev.shrike.jetson.binding.TensorRt;
import java.lang.System.Logger;
import java.util.concurrent.atomic.AtomicInteger;

/** What a long build tells while it goes on. Called from several threads. */
public interface BuildProgress {
    /** A new stage begins. */
    void stage(String name);

    /** So many calibration images are done. */
    void calibrated(int done, int all);

    /** TensorRT's own words. */
    void log(TensorRt.LogLine line);

    /** Tells by way of {@link System.Logger}: each stage, every hundredth image, every hundredth timed kernel. */
    static BuildProgress logging() {
        Logger logger = System.getLogger(TensorRtBuilder.class.getName());
        AtomicInteger timed = new AtomicInteger();
        return new BuildProgress() {
            @Override
            public void stage(String name) {
                logger.log(Logger.Level.INFO, "TensorRT engine: " + name);
            }

            @Override
            public void calibrated(int done, int all) {
                if (done % 100 == 0 || done == all) {
                    logger.log(Logger.Level.INFO, "TensorRT engine: calibrated with " + done + " of " + all
                            + " images");
                }
            }

            @Override
            public void log(TensorRt.LogLine line) {
                if (line.text().contains("Autotuning") && timed.incrementAndGet() % 100 == 0) {
                    logger.log(Logger.Level.INFO, "TensorRT engine: timed kernels for " + timed + " formats of layers");
                }
            }
        };
    }
}
