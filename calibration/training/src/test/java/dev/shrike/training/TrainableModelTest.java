package dev.shrike.training;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.onnx.OnnxModels;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class TrainableModelTest {
    private static float[] run(Graph graph, int side) {
        Tensor input = Tensor.ofFloats(Shape.of(1, 3, side, side), TestNetworks.pixels(3 * side * side, 3));
        String output = graph.outputs().getFirst().name();
        return ReferenceEvaluator.run(graph, Map.of("images", input), Set.of(output)).get(output).toFloats();
    }

    @Test
    void headsOfBothFamiliesAreFoundInTheirExports() {
        for (TrainableModel model : List.of(TestNetworks.yolov5(64, 3, true), TestNetworks.yolov8(64, 5, false))) {
            Graph read = OnnxModels.read(OnnxModels.toBytes(model.whole()), "file", null);
            TrainableModel found = TrainableModel.of(read, 0, 0);
            assertEquals(model.head(), found.head());
            assertArrayEquals(run(model.whole(), 64), run(found.with(found.trunk()), 64), 1e-4f);
        }
    }

    @Test
    void rawHeadsAreFoundWithTheAnchorsOfTheFile() {
        TrainableModel model = TestNetworks.yolov5(64, 4, true);
        Map<String, String> metadata = new HashMap<>(model.whole().metadata());
        metadata.put("anchors", "[10,13,16,30,33,23,30,61,62,45,59,119,1,2,3,4,5,6]");
        Graph trunk = model.trunk();
        // Three anchors of six numbers are as many channels as two of nine.
        Graph raw = new Graph("raw", trunk.inputs(), trunk.outputs(), trunk.nodes(), trunk.constants(), Map.of(),
                Map.of("anchors", metadata.get("anchors"), "names", "['one']"));
        DetectHead head = TrainableModel.of(raw, 0, 0).head();
        assertEquals(1, head.classes());
        assertEquals(List.of(1f, 2f, 3f, 4f, 5f, 6f), head.anchors().subList(12, 18));
    }

    @Test
    void anotherSizeIsDecodedForItsOwnCells() {
        for (TrainableModel model : List.of(TestNetworks.yolov5(64, 3, true), TestNetworks.yolov8(64, 3, true))) {
            TrainableModel larger = TrainableModel.of(model.whole(), 96, 96);
            assertEquals(96, larger.width());
            // Its own size again: the same boxes as the file's own nodes give.
            float[] expected = run(model.whole(), 64);
            float[] actual = run(TrainableModel.of(larger.whole(), 64, 64).whole(), 64);
            assertArrayEquals(expected, actual, 1e-4f);
            assertEquals(larger.head(), TrainableModel.of(larger.whole(), 0, 0).head());
        }
    }

    @Test
    void aSizeThatIsNoMultipleOfTheStrideIsRefused() {
        UnsupportedModelException e = assertThrows(UnsupportedModelException.class,
                () -> TrainableModel.of(TestNetworks.yolov5(64, 3, true).whole(), 80, 80));
        assertTrue(e.getMessage().contains("multiple of 32"), e.getMessage());
    }

    @Test
    void otherClassesKeepBoxesAndThoseOfTheSameName() {
        TrainableModel model = TestNetworks.yolov5(64, 3, true);
        TrainableModel other = model.withClasses(List.of("new", "kind2", "it's"), 1);
        assertEquals(List.of("new", "kind2", "it's"), other.classNames());
        TrainableModel more = model.withClasses(List.of("a", "kind1"), 1);
        assertEquals(2, more.head().classes());
        float[] before = model.trunk().constants().get("model.9.m.1.weight").toFloats();
        float[] after = more.trunk().constants().get("model.9.m.1.weight").toFloats();
        float[] bias = more.trunk().constants().get("model.9.m.1.bias").toFloats();
        assertEquals(2 * 7, bias.length);
        for (int anchor = 0; anchor < 2; anchor++) {
            for (int value = 0; value < 5; value++) {
                assertEquals(before[(anchor * 8 + value) * 4], after[(anchor * 7 + value) * 4]);
            }
            assertEquals(before[(anchor * 8 + 6) * 4 + 3], after[(anchor * 7 + 6) * 4 + 3]);
            assertTrue(Math.abs(after[(anchor * 7 + 5) * 4]) <= 0.5);
            assertEquals(Math.log(0.6 / (2 - 0.99999)), bias[anchor * 7 + 5], 1e-5);
        }
        assertEquals(more.head(), TrainableModel.of(OnnxModels.read(OnnxModels.toBytes(more.whole()), "file", null), 0,
                0).head());
    }

    @Test
    void classesOfYolov8ChangeOnlyTheirOwnConvolution() {
        TrainableModel model = TestNetworks.yolov8(64, 3, true);
        TrainableModel other = model.withClasses(List.of("kind2"), 1);
        assertEquals(model.trunk().constants().get("model.9.cv2.0.weight"),
                other.trunk().constants().get("model.9.cv2.0.weight"));
        assertEquals(model.trunk().constants().get("model.9.cv3.0.bias").floatAt(2),
                other.trunk().constants().get("model.9.cv3.0.bias").floatAt(0));
        assertEquals(Shape.of(1, 5, 84), other.whole().outputs().getFirst().shape());
    }

    @Test
    void otherDecodingIsRefusedInsteadOfTrainedWrongly() {
        TrainableModel model = TestNetworks.yolov5(64, 3, true);
        Graph whole = model.whole();
        List<Node> nodes = new ArrayList<>(whole.nodes());
        nodes.add(new Node("to parts", new Op.Binary(Op.Binary.Kind.DIV), List.of("output", "side"), List.of("parts")));
        Map<String, Tensor> constants = new HashMap<>(whole.constants());
        constants.put("side", Tensor.scalar(64));
        Graph other = whole.withNodes(nodes, constants)
                .withOutputs(List.of(new ValueInfo("parts", DataType.FLOAT32, whole.outputs().getFirst().shape())));
        UnsupportedModelException e = assertThrows(UnsupportedModelException.class,
                () -> TrainableModel.of(other, 0, 0));
        assertTrue(e.getMessage().contains("boxes in pixels"), e.getMessage());
    }

    @Test
    void aNetworkWithoutSuchAHeadIsRefused() {
        Graph trunk = TestNetworks.yolov5(64, 3, true).trunk();
        Graph one = trunk.withOutputs(List.of(trunk.outputs().getFirst()));
        UnsupportedModelException e = assertThrows(UnsupportedModelException.class, () -> TrainableModel.of(one, 0, 0));
        assertFalse(e.getMessage().isEmpty());
    }

    @Test
    void insertedNormalizationKeepsWhatIsComputed() {
        TrainableModel model = TestNetworks.yolov5(64, 3, false);
        assertTrue(model.isFolded());
        TrainableModel inserted = model.withTrunk(NormalizationInsertion.apply(model.trunk()));
        assertFalse(inserted.isFolded());
        assertEquals(5, inserted.trunk().nodes().stream()
                .filter(node -> node.op() instanceof Op.BatchNormalization).count());
        assertArrayEquals(run(model.whole(), 64), run(inserted.whole(), 64), 1e-4f);
    }
}
