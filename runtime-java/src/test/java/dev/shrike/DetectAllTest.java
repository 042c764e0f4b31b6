package dev.shrike;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.spi.ExecutorOptions;
import java.lang.foreign.Arena;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Several frames at once, in every way that an engine may look at them. */
class DetectAllTest {
    private static Graph network(int batch) {
        ValueInfo input = new ValueInfo("images", DataType.FLOAT32, Shape.of(batch, 3, 64, 64));
        return new Graph("net", List.of(input), List.of(input), List.of(), Map.of(), Map.of(),
                Map.of("names", "['cat', 'dog']"));
    }

    private static Detector open(GreyBackend backend, int batch) {
        return Detectors.open(network(batch), DetectorOptions.DEFAULT, List.of(backend));
    }

    /** Frames of different sizes; the grey of the n-th is 80 + 8 n. */
    private static List<Frame> frames(int count) {
        List<Frame> frames = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int size = 64 << i % 3;
            Frame frame = new Frame(size, size, Arena.ofAuto().allocate(3L * size * size),
                    Instant.EPOCH.plusSeconds(i));
            frame.pixels().fill((byte) (80 + 8 * i));
            frames.add(frame);
        }
        return frames;
    }

    private static void assertSeen(List<Detections> found, int count) {
        assertEquals(count, found.size());
        for (int i = 0; i < count; i++) {
            int size = 64 << i % 3;
            Detections one = found.get(i);
            assertEquals(List.of(size, size), List.of(one.width(), one.height()));
            assertEquals(Instant.EPOCH.plusSeconds(i), one.captured());
            assertEquals(1, one.size(), "frame " + i);
            assertEquals((10 + i) * size / 64f, one.list().getFirst().width(), 1e-4f, "frame " + i);
            assertEquals("dog", one.list().getFirst().label());
            assertTrue(one.times().letterbox() > 0 && one.times().network() > 0 && one.times().decode() > 0);
        }
    }

    @Test
    void framesOfAllSizesFillBatchesInEveryWay() {
        for (boolean accepts : new boolean[] {false, true}) {
            for (boolean picks : new boolean[] {false, true}) {
                for (int batch : new int[] {1, 2, 3, 8}) {
                    for (int count : new int[] {0, 1, 2, 3, 7}) {
                        GreyBackend backend = new GreyBackend(accepts, picks);
                        try (Detector detector = open(backend, batch)) {
                            assertEquals(batch, detector.batch());
                            assertSeen(detector.detectAll(frames(count)), count);
                            assertEquals(Math.ceilDiv(count, batch), backend.runs());
                        }
                        assertEquals(1, backend.closed());
                    }
                }
            }
        }
    }

    @Test
    void oneFrameRunsOnABatchToo() {
        try (Detector detector = open(new GreyBackend(false, true), 4)) {
            assertSeen(detector.detectAll(frames(4)), 4);
            assertSeen(List.of(detector.detect(frames(1).getFirst())), 1);
        }
    }

    @Test
    void whatAnEngineDoesNotPickIsDecodedHere() {
        GreyBackend backend = new GreyBackend(true, true);
        backend.pickOnlyBelow(2);
        try (Detector detector = open(backend, 3)) {
            assertEquals("grey (grey, picks)", detector.engine());
            assertSeen(detector.detectAll(frames(7)), 7);
        }
        assertEquals(2, backend.decodedOnHost(), "the third image of two of the three runs");
    }

    @Test
    void enginesAreAskedForWhatTheOptionsWant() {
        for (boolean picks : new boolean[] {false, true}) {
            for (DetectorOptions options : List.of(DetectorOptions.DEFAULT.withClasses(Set.of(0)),
                    DetectorOptions.DEFAULT.withThresholds(0.95f, 0.5f))) {
                try (Detector detector =
                        Detectors.open(network(1), options, List.of(new GreyBackend(false, picks)))) {
                    assertEquals(0, detector.detect(frames(1).getFirst()).size());
                }
            }
        }
    }

    /** The engine chooses what the model leaves open, and hears how many images of it count. */
    @Test
    void anOpenBatchIsTheEnginesToChoose() {
        GreyBackend backend = new GreyBackend(false, false);
        backend.chooseBatch(4);
        try (Detector detector = open(backend, -1)) {
            assertEquals(4, detector.batch());
            assertSeen(detector.detectAll(frames(6)), 6);
            assertSeen(List.of(detector.detect(frames(1).getFirst())), 1);
        }
        assertEquals(List.of(4, 2, 1), backend.sizes());
    }

    /** One that runs no batches gets one image at a time, as before. */
    @Test
    void anOpenBatchIsOneImageElsewhere() {
        ReplayBackend single = new ReplayBackend(List.of(1, 252, 7), new float[252 * 7]);
        try (Detector detector = Detectors.open(network(-1), DetectorOptions.DEFAULT, List.of(single))) {
            assertEquals(1, detector.batch());
            assertEquals(2, detector.detectAll(frames(2)).size());
        }
    }

    @Test
    void runsAskForImagesThatAreThere() {
        try (var executor = new GreyBackend(false, false).open(network(2), ExecutorOptions.DEFAULT.withInputShapes(
                Map.of("images", Shape.of(2, 3, 64, 64))))) {
            executor.run(1);
            executor.run(2);
            assertThrows(IllegalArgumentException.class, () -> executor.run(0));
            assertThrows(IllegalArgumentException.class, () -> executor.run(3));
        }
    }

    @Test
    void badArgumentsAreRefused() {
        Detector detector = open(new GreyBackend(false, false), 2);
        List<Frame> holes = Arrays.asList(frames(1).getFirst(), null);
        assertThrows(NullPointerException.class, () -> detector.detectAll(holes));
        Arena arena = Arena.ofConfined();
        Frame freed = new Frame(64, 64, arena.allocate(3 * 64 * 64), Instant.EPOCH);
        arena.close();
        assertThrows(IllegalStateException.class, () -> detector.detectAll(List.of(frames(1).getFirst(), freed)));
        assertSeen(detector.detectAll(frames(3)), 3);
        detector.close();
        assertThrows(IllegalStateException.class, () -> detector.detectAll(frames(1)));
        assertThrows(IllegalStateException.class, () -> detector.detectAll(List.of()));
    }

    @Test
    void batchesAreOnlyForEnginesThatRunThem() {
        ReplayBackend single = new ReplayBackend(List.of(8, 252, 7), new float[8 * 252 * 7]);
        String message = assertThrows(UnsupportedModelException.class,
                () -> Detectors.open(network(8), DetectorOptions.DEFAULT, List.of(single))).getMessage();
        assertTrue(message.contains("'replay' takes one image at a time"), message);
        message = assertThrows(UnsupportedModelException.class, () -> open(new GreyBackend(true, true), 257))
                .getMessage();
        assertTrue(message.contains("1 to 256"), message);
    }

    @Test
    void byDefaultOneIsSeenAfterAnother() {
        try (Detector whole = open(new GreyBackend(false, false), 1);
                Detector plain = new Plain(whole)) {
            assertEquals(1, plain.batch());
            assertSeen(plain.detectAll(frames(5)), 5);
            assertEquals(List.of(), plain.detectAll(List.of()));
            List<Frame> holes = Arrays.asList(frames(1).getFirst(), null);
            assertThrows(NullPointerException.class, () -> plain.detectAll(holes));
        }
    }

    /** A detector that has only what every detector must have. */
    private record Plain(Detector inner) implements Detector {
        @Override
        public Detections detect(Frame frame) {
            return inner.detect(frame);
        }

        @Override
        public List<String> labels() {
            return inner.labels();
        }

        @Override
        public String engine() {
            return inner.engine();
        }

        @Override
        public int inputWidth() {
            return inner.inputWidth();
        }

        @Override
        public int inputHeight() {
            return inner.inputHeight();
        }

        @Override
        public void close() {
            inner.close();
        }
    }
}
