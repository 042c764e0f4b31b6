package dev.shrike.graph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Op;
import dev.shrike.graph.Sameness;
import dev.shrike.graph.Shape;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.testing.SharedFolder;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The passes over real networks: what they compute stays, and the nodes that engines lack are gone. */
class ModelPassesTest {
    private static final Set<String> PLAIN =
            Set.of("Binary", "Concat", "Conv", "MaxPool", "Reshape", "Resize", "Split", "Transpose", "Unary");

    @Test
    void theDynamicNetworkBecomesAStaticOne() {
        Graph graph = OnnxModels.read(SharedFolder.file("models/yolov5n-dynamic.onnx"));
        assertEquals(Shape.OPEN, ShapeInference.infer(graph).get("output").shape().dim(1));

        Graph prepared = GraphPasses.forInference(graph, Map.of("images", Shape.of(1, 3, 64, 96)));

        assertEquals(Shape.of(1, 378, 85), prepared.outputs().getFirst().shape());
        assertYolo(prepared);
        Sameness.assertSameOutputs(graph, prepared, 1, 1e-4);
    }

    @Test
    void theDynamicNetworkAsksForASize() {
        Graph graph = OnnxModels.read(SharedFolder.file("models/yolov5n-dynamic.onnx"));
        String message = assertThrows(ModelException.class, () -> GraphPasses.forInference(graph, Map.of()))
                .getMessage();
        assertTrue(message.contains("images") && message.contains("needs a size"), message);
    }

    @ParameterizedTest
    @CsvSource({"yolov5n-640-bn.onnx, 25200, 85", "yolov5n-640-fp16.onnx, 25200, 85", "yolov5s-640.onnx, 25200, 85",
            "crops-yolov5n-pruned-p1.57M-320.onnx, 6300, 11", "crops-yolov5n-sparse-320-bn.onnx, 6300, 11"})
    void staticNetworksAreFused(String file, long rows, long columns) {
        Graph graph = OnnxModels.read(SharedFolder.file("models/" + file));
        Graph prepared = GraphPasses.forInference(graph, Map.of());
        assertEquals(Shape.of(1, rows, columns), prepared.outputs().getFirst().shape());
        assertEquals(DataType.FLOAT32, prepared.outputs().getFirst().type());
        assertYolo(prepared);
    }

    @Test
    void batchNormalizationFoldsIntoTheSameNetwork() {
        Graph graph = OnnxModels.read(SharedFolder.file("models/crops-yolov5n-sparse-320-bn.onnx"));
        Sameness.assertSameOutputs(graph, GraphPasses.forInference(graph, Map.of()), 2, 1e-3);
    }

    /** YOLOv5 keeps nothing but convolutions with everything fused, and the decoding of its head. */
    private static void assertYolo(Graph prepared) {
        Map<String, Long> counts = GraphBuilder.counts(prepared);
        assertTrue(PLAIN.containsAll(counts.keySet()), counts.toString());
        assertEquals(60, counts.get("Conv"));
        assertEquals(3, counts.get("Unary"), "only the head's sigmoids stay apart");
        long silu = prepared.nodes().stream().filter(node -> node.op() instanceof Op.Conv conv
                && conv.activation().equals(Activation.SILU)).count();
        assertEquals(57, silu);
        assertTrue(prepared.nodes().stream().noneMatch(node -> node.op() instanceof Op.Binary binary
                && binary.kind() == Op.Binary.Kind.ADD
                && prepared.constants().keySet().stream().noneMatch(node.inputs()::contains)),
                "residual adds are fused");
    }
}
