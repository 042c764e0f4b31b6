package dev.shrike.onnx;

import static org.junit.jupiter.api.Assertions.assertNull;

import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPasses;
import dev.shrike.graph.IntegerEvaluator;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Quantised files of other tools compute what ONNX Runtime computes. */
class QuantizedFilesTest {
    @TestFactory
    List<DynamicTest> sameAsOnnxRuntime() {
        return QuantizedFiles.all().stream().map(file -> DynamicTest.dynamicTest(file.name(), () -> {
            Graph graph = GraphPasses.forInference(OnnxModels.read(file.model(), file.name(), null), Map.of());
            Tensor x = Tensor.ofFloats(Shape.of(file.shape()), file.input());
            float[] found = IntegerEvaluator.run(graph, Map.of("x", x), Set.of("y")).reals().get("y").toFloats();
            assertNull(QuantizedFile.difference(file.expected(), found, file.step()), () -> graph.nodes().toString());
        })).toList();
    }
}
