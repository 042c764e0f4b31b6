package dev.shrike.app.bench.harness;

import dev.shrike.Detections;
import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import dev.shrike.StageTimes;
import java.util.Collections;
import java.util.List;

/** One of Shrike's detectors: from the frame to the boxes. */
public final class ShrikeContestant implements Contestant {
    private final Detector detector;
    private final List<Frame> frames;
    private StageTimes stages;

    private ShrikeContestant(Detector detector, List<Frame> frames) {
        this.detector = detector;
        this.frames = frames;
    }

    /** The detector that the configuration asks for; errors are those of {@link Detectors#open}. */
    public static ShrikeContestant open(Configuration configuration) {
        Frame frame = InputImage.frame(configuration.image());
        Detector detector = Detectors.open(configuration.model(),
                DetectorOptions.DEFAULT.withThreads(configuration.threads()).withEngine(configuration.engine())
                        .withInputSize(configuration.width(), configuration.height()));
        return new ShrikeContestant(detector, Collections.nCopies(configuration.batch(), frame));
    }

    @Override
    public String description() {
        return detector.engine();
    }

    /** Size of the network's input in pixels. */
    public int width() {
        return detector.inputWidth();
    }

    /** As {@link #width}. */
    public int height() {
        return detector.inputHeight();
    }

    @Override
    public void run() {
        List<Detections> found = frames.size() == 1 ? List.of(detector.detect(frames.getFirst()))
                : detector.detectAll(frames);
        long letterbox = 0;
        long network = 0;
        long decode = 0;
        for (Detections one : found) {
            letterbox += one.times().letterbox();
            network += one.times().network();
            decode += one.times().decode();
        }
        stages = new StageTimes(letterbox, network, decode);
    }

    @Override
    public StageTimes stages() {
        return stages;
    }

    @Override
    public void close() {
        detector.close();
    }
}
