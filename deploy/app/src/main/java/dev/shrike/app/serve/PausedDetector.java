package dev.shrike.app.serve;

import dev.shrike.Detections;
import dev.shrike.Detector;
import dev.shrike.Frame;
import dev.shrike.StageTimes;
import java.util.List;
import java.util.function.BooleanSupplier;

/** A detector that is left alone while its camera is paused; the results of that time are of no meaning. */
record PausedDetector(Detector detector, BooleanSupplier paused) implements Detector {
    @Override
    public Detections detect(Frame frame) {
        return paused.getAsBoolean()
                ? new Detections(frame.width(), frame.height(), frame.captured(), new StageTimes(0, 0, 0), List.of())
                : detector.detect(frame);
    }

    @Override
    public List<String> labels() {
        return detector.labels();
    }

    @Override
    public String engine() {
        return detector.engine();
    }

    @Override
    public int inputWidth() {
        return detector.inputWidth();
    }

    @Override
    public int inputHeight() {
        return detector.inputHeight();
    }

    /** Nothing: the engine is its opener's. */
    @Override
    public void close() {
        // see above
    }
}
