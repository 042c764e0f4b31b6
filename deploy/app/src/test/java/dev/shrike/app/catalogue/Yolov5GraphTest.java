package dev.shrike.app.catalogue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.testing.SharedFolder;
import dev.shrike.vision.Labels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class Yolov5GraphTest {
    @TempDir
    private Path folder;

    @Test
    void hasTheOperationsOfTheExport() throws IOException {
        Graph graph = Yolov5Graph.build(tinyWeights(), 64, 96, List.of("cat", "dog's"));
        Map<String, Long> histogram = graph.nodes().stream()
                .collect(Collectors.groupingBy(Yolov5GraphTest::kind, TreeMap::new, Collectors.counting()));
        Map<String, Long> expected = new TreeMap<>(Map.of("Conv", 60L, "SIGMOID", 60L, "MUL", 69L, "Concat", 17L,
                "ADD", 10L, "Reshape", 6L, "MaxPool", 3L, "Transpose", 3L, "Split", 3L, "POW", 3L));
        expected.put("Resize", 2L);
        assertEquals(expected, histogram);
        assertEquals(Shape.of(1, 3 * (8 * 12 + 4 * 6 + 2 * 3), 7), graph.outputs().getFirst().shape());
        assertEquals("['cat', 'dog\\'s']", graph.metadata().get("names"));
        assertEquals("32", graph.metadata().get("stride"));
    }

    @Test
    void gridAndAnchorsFollowTheirCells() throws IOException {
        Graph graph = Yolov5Graph.build(tinyWeights(), 64, 96, List.of("a", "b"));
        Tensor grid = graph.constants().get("/model.24/Constant_2_output_0");
        Tensor anchors = graph.constants().get("/model.24/Constant_6_output_0");
        assertEquals(Shape.of(1, 3, 8, 12, 2), grid.shape());
        for (int anchor = 0; anchor < 3; anchor++) {
            for (int row = 0; row < 8; row++) {
                for (int column = 0; column < 12; column++) {
                    long at = 2 * ((anchor * 8L + row) * 12 + column);
                    assertEquals(column - 0.5f, grid.floatAt(at));
                    assertEquals(row - 0.5f, grid.floatAt(at + 1));
                    assertEquals(Yolov5Architecture.ANCHORS.getFirst().get(2 * anchor), anchors.floatAt(at));
                    assertEquals(Yolov5Architecture.ANCHORS.getFirst().get(2 * anchor + 1), anchors.floatAt(at + 1));
                }
            }
        }
    }

    /** Against a file of the same network that others made: every node, constant and weight. */
    @Test
    void equalsTheReferenceFile() throws IOException {
        Graph reference = OnnxModels.read(SharedFolder.file("models/yolov5s-640.onnx"));
        Yolov5Weights weights = Yolov5Weights.of(Yolov5Architecture.SMALL, reference);
        CatalogueEntry.Preparation.Yolov5FromTfjs pinned =
                (CatalogueEntry.Preparation.Yolov5FromTfjs) CatalogueEntry.YOLOV5S.preparation();
        assertEquals(weights.contentHash(), pinned.content(), "the pinned weights are the reference's");
        Graph built = Yolov5Graph.build(weights, 640, 640, Labels.COCO);
        assertEquals(reference.inputs(), built.inputs());
        assertEquals(reference.outputs(), built.outputs());
        for (String key : List.of("names", "stride")) {
            assertEquals(reference.metadata().get(key), built.metadata().get(key));
        }
        assertEquals(reference.nodes().stream().map(Node::name).toList(),
                built.nodes().stream().map(Node::name).toList());
        for (int i = 0; i < built.nodes().size(); i++) {
            assertSameNode(reference, reference.nodes().get(i), built, built.nodes().get(i));
        }
    }

    private static void assertSameNode(Graph reference, Node expected, Graph built, Node actual) {
        assertEquals(expected.op(), actual.op(), expected.name());
        assertEquals(expected.outputs(), actual.outputs());
        assertEquals(expected.inputs().size(), actual.inputs().size(), expected.name());
        for (int i = 0; i < expected.inputs().size(); i++) {
            Tensor constant = reference.constants().get(expected.input(i));
            if (constant == null) {
                assertEquals(expected.input(i), actual.input(i), expected.name());
                continue;
            }
            Tensor other = built.constants().get(actual.input(i));
            assertEquals(constant.type(), other.type(), expected.name());
            assertEquals(constant.shape(), other.shape(), expected.name());
            assertEquals(-1, constant.data().mismatch(other.data()), expected.name() + " input " + i);
        }
    }

    private static String kind(Node node) {
        return switch (node.op()) {
            case Op.Unary unary -> unary.kind().name();
            case Op.Binary binary -> binary.kind().name();
            case Op other -> other.getClass().getSimpleName();
        };
    }

    private Yolov5Weights tinyWeights() throws IOException {
        TfjsGraphModel model = TfjsGraphModel.read(new TinyTfjs(5).write(folder));
        Yolov5Weights weights = Yolov5Weights.of(TinyTfjs.ARCHITECTURE, model);
        assertTrue(weights.tensors().size() == 120, "60 convolutions");
        return weights;
    }
}
