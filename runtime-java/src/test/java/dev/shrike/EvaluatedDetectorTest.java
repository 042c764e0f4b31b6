package dev.shrike;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

class EvaluatedDetectorTest extends DetectorContract {
    @Override
    protected Detector open() {
        return Detectors.open(BlockYolo.graph(), DetectorOptions.DEFAULT, List.of(new EvaluatorBackend()));
    }

    @Test
    void theNetworkFindsBrightBlocks() {
        try (Detector detector = open()) {
            Frame black = Frame.allocate(BlockYolo.SIDE, BlockYolo.SIDE);
            assertEquals(0, detector.detect(black).size());
        }
    }
}
