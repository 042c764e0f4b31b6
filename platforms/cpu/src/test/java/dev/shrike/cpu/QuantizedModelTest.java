package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.Activation;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.spi.StepTime;
import dev.shrike.testing.SharedFolder;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A whole detector at several widths equals the scalar integer evaluation of the same graph, bit for bit, on every tier
 * of the CPU and number of threads; and that evaluation is what fake quantisation gives. Evaluations are slow, so the
 * image is small; {@code -Dshrike.model.side=640} takes the full one.
 */
class QuantizedModelTest {
    private static final int SIDE = Integer.getInteger("shrike.model.side", 160);

    @ParameterizedTest
    @ValueSource(strings = {"8x8", "8x8f", "8x8d", "4x8", "4x8d", "4x4", "4x4f", "3x3", "2x2", "1x1"})
    void yolov5nEqualsTheEvaluatorBitForBit(String bits) throws IOException {
        Graph real = OnnxModels.read(SharedFolder.file("models/yolov5n-dynamic.onnx"));
        float[] bus = image("bus");
        Shape shape = Shape.of(1, 3, SIDE, SIDE);
        QuantizedModels.Width width = QuantizedModels.Width.of(bits);
        Graph graph = QuantizedModels.quantize(real, shape, List.of(bus, image("zidane")), width);
        graph = GraphPasses.forInference(graph, Map.of());
        String what = width.toString();
        compare(graph, bus, what);
        if (!width.dynamic()) {
            compareWithFakeQuantization(graph, bus, what);
        }
    }

    /** Nothing between the image's codes and the Detect head is a step on floats. */
    @ParameterizedTest
    @ValueSource(strings = {"8x8", "8x8f"})
    void onlyTheImageIsRoundedInAStepOfItsOwn(String bits) throws IOException {
        Graph real = OnnxModels.read(SharedFolder.file("models/yolov5n-dynamic.onnx"));
        Graph graph = QuantizedModels.quantize(real, Shape.of(1, 3, SIDE, SIDE), List.of(image("bus")),
                QuantizedModels.Width.of(bits));
        try (GraphExecutor executor =
                new CpuBackend().open(GraphPasses.forInference(graph, Map.of()), ExecutorOptions.DEFAULT)) {
            executor.run();
            List<String> kernels = executor.times().stream().map(StepTime::kernel).toList();
            assertEquals(1, kernels.stream().filter(kernel -> kernel.startsWith("quantize")).count(),
                    kernels.toString());
            assertTrue(kernels.stream().noneMatch(kernel -> kernel.matches("(dequantize|add).*")), kernels.toString());
        }
    }

    /** Every so-manieth pixel of a recorded 640x640 input. */
    private static float[] image(String name) throws IOException {
        float[] full = ModelAgreementTest.floats(SharedFolder.file("reference/" + name + "-640-input.f32.gz"));
        int step = 640 / SIDE;
        float[] result = new float[3 * SIDE * SIDE];
        for (int i = 0; i < result.length; i++) {
            int row = i / SIDE % SIDE;
            result[i] = full[i / (SIDE * SIDE) * 640 * 640 + step * row * 640 + step * (i % SIDE)];
        }
        return result;
    }

    /** The values that the last products give: exact sums times a scale, before the head's float arithmetic. */
    private static void compare(Graph graph, float[] pixels, String what) {
        Set<String> wanted = lastProducts(graph);
        Map<String, Tensor> expected = EngineBits.evaluate(graph, pixels, wanted);
        for (EngineBits.Way way : EngineBits.tiersAndThreads()) {
            EngineBits.assertBits(expected, EngineBits.run(graph, pixels, wanted, way), what + " " + way);
        }
    }

    /** Node by node, the codes are those of fake quantisation. */
    private static void compareWithFakeQuantization(Graph graph, float[] pixels, String what) {
        FakeQuantization.Report report = FakeQuantization.compare(graph, pixels);
        System.out.println(what + " at " + SIDE + ", node by node: " + report);
        assertTrue(report.farthest() < FakeQuantization.FLOAT_NOISE, what + ": " + report);
        assertTrue(report.differing() * 10_000 <= report.compared(), what + ": " + report);
    }

    private static Set<String> lastProducts(Graph graph) {
        Set<String> names = new TreeSet<>();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Conv conv && conv.activation().equals(Activation.NONE)
                    && graph.quantization().containsKey(node.input(1))
                    && !graph.quantization().containsKey(node.output())) {
                names.add(node.output());
            }
        }
        assertEquals(3, names.size(), names.toString());
        return names;
    }
}
