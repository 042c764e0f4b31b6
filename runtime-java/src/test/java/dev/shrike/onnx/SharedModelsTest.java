package dev.shrike.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Reads the real networks of the data folder, where there is one. */
class SharedModelsTest {
    @TestFactory
    Stream<DynamicTest> everyModelLoads() throws IOException {
        List<Path> models;
        try (Stream<Path> files = Files.list(models())) {
            models = files.filter(file -> file.toString().endsWith(".onnx")).sorted().toList();
        }
        assertFalse(models.isEmpty(), "the models folder holds no .onnx file");
        return models.stream().map(file -> DynamicTest.dynamicTest(file.getFileName().toString(), () -> {
            Graph graph = OnnxModels.read(file);
            assertFalse(graph.nodes().isEmpty());
            assertEquals(
                    graph.nodes().size(),
                    graph.nodes().stream().map(node -> node.name()).distinct().count(),
                    "node names are unique");
            assertTrue(graph.metadata().containsKey(OnnxModels.OPSET));
        }));
    }

    @Test
    void yolov5nHasTheOperatorsOfItsExport() {
        Graph graph = OnnxModels.read(models().resolve("yolov5n-640.onnx"));
        Map<String, Long> count = graph.nodes().stream()
                .collect(Collectors.groupingBy(SharedModelsTest::kind, Collectors.counting()));
        assertEquals(60, count.get("Conv"));
        assertEquals(69, count.get("MUL"));
        assertEquals(60, count.get("SIGMOID"));
        assertEquals(17, count.get("Concat"));
        assertEquals(10, count.get("ADD"));
        assertEquals(3, count.get("Split"));
        assertEquals(2, count.get("Resize"));
        assertEquals(Shape.of(1, 3, 640, 640), graph.inputs().getFirst().shape());
        assertEquals(Shape.of(1, 25200, 85), graph.outputs().getFirst().shape());
        assertEquals("12", graph.metadata().get(OnnxModels.OPSET));
    }

    private static String kind(dev.shrike.graph.Node node) {
        return switch (node.op()) {
            case Op.Unary unary -> unary.kind().name();
            case Op.Binary binary -> binary.kind().name();
            default -> node.op().getClass().getSimpleName();
        };
    }

    static Path models() {
        String given = System.getProperty("shrike.shared", System.getenv("SHRIKE_SHARED"));
        if (given != null) {
            Path folder = Path.of(given, "models");
            Assumptions.assumeTrue(Files.isDirectory(folder), "skipped: SHRIKE_SHARED has no folder models");
            return folder;
        }
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            if (Files.isDirectory(at.resolve("shared/models"))) {
                return at.resolve("shared/models");
            }
        }
        return Assumptions.abort("skipped: no data folder; set SHRIKE_SHARED to the folder that holds models/");
    }
}
