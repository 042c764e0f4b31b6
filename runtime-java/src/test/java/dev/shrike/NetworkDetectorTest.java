package dev.shrike;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.spi.Availability;
import dev.shrike.spi.Backend;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.testing.SharedFolder;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class NetworkDetectorTest {
    private static final DetectorOptions DEFAULT = DetectorOptions.DEFAULT;

    @Test
    void findsWhatTheReferenceFindsInTheBus() throws IOException {
        float[] raw = SharedFolder.floats("reference/yolov5n-640-bus-raw.f32.gz");
        JsonNode expected = new ObjectMapper()
                .readTree(SharedFolder.file("reference/yolov5n-640-bus-det.json").toFile())
                .get("detections");
        Frame bus = Frame.read(SharedFolder.file("reference/bus.jpg"));
        ReplayBackend backend = new ReplayBackend(List.of(1, 25200, 85), raw);
        try (Detector detector = Detectors.open(network(640, Map.of()), DEFAULT, List.of(backend))) {
            for (int round = 0; round < 2; round++) {
                Detections found = detector.detect(bus);
                assertEquals(expected.size(), found.size(), found.toString());
                for (int i = 0; i < found.size(); i++) {
                    assertSame(expected.get(i), found.list().get(i));
                }
                assertEquals(810, found.width());
                assertEquals(1080, found.height());
                assertTrue(found.times().total() > 0);
            }
        }
        assertEquals(1, backend.closed());
    }

    private static void assertSame(JsonNode expected, Detection found) {
        assertEquals(expected.get("cls").asInt(), found.classId());
        assertEquals(expected.get("name").asText(), found.label());
        assertEquals(expected.get("conf").asDouble(), found.score(), 1e-6);
        JsonNode box = expected.get("xyxy_image");
        assertEquals(box.get(0).asDouble(), found.x1(), 1e-3);
        assertEquals(box.get(1).asDouble(), found.y1(), 1e-3);
        assertEquals(box.get(2).asDouble(), found.x2(), 1e-3);
        assertEquals(box.get(3).asDouble(), found.y2(), 1e-3);
    }

    @Test
    void mapsBoxesBackToTheFrame() {
        // 64x64 input: 3 * (8*8 + 4*4 + 2*2) = 252 boxes of 2 classes
        float[] raw = new float[252 * 7];
        float[] box = {32, 32, 16, 8, 0.9f, 0.1f, 0.8f};
        System.arraycopy(box, 0, raw, 100 * 7, 7);
        ReplayBackend backend = new ReplayBackend(List.of(1, 252, 7), raw);
        try (Detector detector = Detectors.open(network(64, Map.of("names", "['cat', 'dog']")), DEFAULT,
                List.of(backend))) {
            Detections found = detector.detect(Frame.allocate(128, 64));
            // ratio 0.5, 16 pixels of padding above
            assertEquals(List.of(new Detection(1, "dog", 0.9f * 0.8f, 48, 24, 80, 40)), found.list());
            assertEquals(List.of("cat", "dog"), detector.labels());
            assertEquals(64, detector.inputWidth());
            assertEquals(64, detector.inputHeight());
            assertEquals("replay (replays a tensor)", detector.engine());
            assertEquals(1, backend.runs());
        }
    }

    @Test
    void fixesOpenSizesToAMultipleOfTheStride() {
        Graph open = network(Shape.of(-1, 3, -1, -1), DataType.FLOAT32, Map.of("stride", "32"));
        // 96x64: 3 * (12*8 + 6*4 + 3*2) = 378
        ReplayBackend backend = new ReplayBackend(List.of(1, 378, 6), new float[378 * 6]);
        DetectorOptions options = DEFAULT.withInputSize(90, 64).withThreads(3);
        try (Detector detector = Detectors.open(open, options, List.of(backend))) {
            assertEquals(96, detector.inputWidth());
            assertEquals(64, detector.inputHeight());
            assertEquals(Map.of("images", Shape.of(1, 3, 64, 96)), backend.options().inputShapes());
            assertEquals(3, backend.options().threads());
            assertTrue(detector.detect(Frame.allocate(10, 10)).list().isEmpty());
        }
    }

    @Test
    void refusesAnotherSizeThanTheModelFixes() {
        ReplayBackend backend = new ReplayBackend(List.of(1, 252, 7), new float[252 * 7]);
        var error = assertThrows(UnsupportedModelException.class,
                () -> Detectors.open(network(64, Map.of()), DEFAULT.withInputSize(32, 32), List.of(backend)));
        assertTrue(error.getMessage().contains("fixed to 64x64") && error.getMessage().contains("32x32"),
                error.getMessage());
    }

    @Test
    void closesTheExecutorWhenAStepOfOpeningFails() {
        ReplayBackend backend = new ReplayBackend(List.of(1, 10), new float[10]);
        var error = assertThrows(UnsupportedModelException.class,
                () -> Detectors.open(network(64, Map.of()), DEFAULT, List.of(backend)));
        assertTrue(error.getMessage().contains("output [1, 10]"), error.getMessage());
        assertEquals(1, backend.closed());

        ReplayBackend sound = new ReplayBackend(List.of(1, 252, 7), new float[252 * 7]);
        assertThrows(IllegalArgumentException.class,
                () -> Detectors.open(network(64, Map.of()), DEFAULT.withClasses(Set.of(2)), List.of(sound)));
        assertEquals(1, sound.closed());
    }

    @Test
    void refusesUseAfterClose() {
        ReplayBackend backend = new ReplayBackend(List.of(1, 252, 7), new float[252 * 7]);
        Detector detector = Detectors.open(network(64, Map.of()), DEFAULT, List.of(backend));
        detector.close();
        detector.close();
        assertEquals(1, backend.closed());
        assertThrows(IllegalStateException.class, () -> detector.detect(Frame.allocate(4, 4)));
    }

    @Test
    void refusesNetworksWithoutOneImage() {
        ReplayBackend backend = new ReplayBackend(List.of(1, 252, 7), new float[252 * 7]);
        for (ValueInfo input : List.of(
                new ValueInfo("x", DataType.FLOAT32, Shape.of(1, 784)),
                new ValueInfo("x", DataType.FLOAT32, Shape.of(1, 1, 64, 64)),
                new ValueInfo("x", DataType.FLOAT32, Shape.of(8, 3, 64, 64)),
                new ValueInfo("x", DataType.INT64, Shape.of(1, 3, 64, 64)))) {
            Graph graph = new Graph("net", List.of(input), List.of(input), List.of(), Map.of(), Map.of(), Map.of());
            var error = assertThrows(UnsupportedModelException.class,
                    () -> Detectors.open(graph, DEFAULT, List.of(backend)));
            assertTrue(error.getMessage().contains("input x is "), error.getMessage());
        }
    }

    @Test
    void triesEnginesByRankAndPassesOverThoseThatLackAnOperation() {
        List<String> tried = new ArrayList<>();
        ReplayBackend sound = new ReplayBackend(List.of(1, 252, 7), new float[252 * 7]);
        Backend picky = new RefusingBackend("picky", 5, tried);
        Backend pickier = new RefusingBackend("pickier", 9, tried);
        try (Detector detector = Detectors.open(network(64, Map.of()), DEFAULT, List.of(sound, picky, pickier))) {
            assertTrue(detector.engine().startsWith("replay"));
        }
        assertEquals(List.of("pickier", "picky"), tried);
        var error = assertThrows(UnsupportedModelException.class, () -> Detectors.open(network(64, Map.of()),
                DEFAULT.withEngine("picky"), List.of(sound, picky)));
        assertEquals("picky lacks Frobnicate", error.getMessage());
    }

    @Test
    void saysWhatEveryEngineIsMissing() {
        Backend gpu = new MissingBackend("gpu", "no driver: install nvidia-l4t-core");
        Backend npu = new MissingBackend("npu", "no device");
        var none = assertThrows(BackendUnavailableException.class,
                () -> Detectors.open(network(64, Map.of()), DEFAULT, List.of(gpu, npu)));
        assertEquals("no engine can run here; gpu: no driver: install nvidia-l4t-core; npu: no device",
                none.getMessage());
        var named = assertThrows(BackendUnavailableException.class,
                () -> Detectors.open(network(64, Map.of()), DEFAULT.withEngine("tpu"), List.of(gpu, npu)));
        assertTrue(named.getMessage().contains("no engine 'tpu'") && named.getMessage().contains("[gpu, npu]"));
        var empty = assertThrows(BackendUnavailableException.class,
                () -> Detectors.open(network(64, Map.of()), DEFAULT, List.of()));
        assertFalse(empty.getMessage().isEmpty());
    }

    private static Graph network(int side, Map<String, String> metadata) {
        return network(Shape.of(1, 3, side, side), DataType.FLOAT32, metadata);
    }

    /** A network of no nodes: what it computes is the executor's business. */
    private static Graph network(Shape shape, DataType type, Map<String, String> metadata) {
        ValueInfo input = new ValueInfo("images", type, shape);
        return new Graph("net", List.of(input), List.of(input), List.of(), Map.of(), Map.of(), metadata);
    }

    private record RefusingBackend(String name, int rank, List<String> tried) implements Backend {
        @Override
        public Availability probe() {
            return new Availability.Available("here");
        }

        @Override
        public GraphExecutor open(Graph graph, ExecutorOptions options) {
            tried.add(name);
            throw new UnsupportedModelException(name + " lacks Frobnicate");
        }
    }

    private record MissingBackend(String name, String reason) implements Backend {
        @Override
        public int rank() {
            return 1;
        }

        @Override
        public Availability probe() {
            return new Availability.Missing(reason, null);
        }

        @Override
        public GraphExecutor open(Graph graph, ExecutorOptions options) {
            throw new AssertionError("opened an engine that is missing");
        }
    }
}
