package dev.shrike.app.val;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.DeviceException;
import dev.shrike.app.ToyModel;
import dev.shrike.calibration.activations.Elements;
import dev.shrike.graph.Graph;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backends;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** ONNX Runtime as an engine gives what our own engine gives. */
class OnnxRuntimeBackendTest {
    @TempDir
    private Path folder;

    @Test
    void givesTheNumbersOfOurEngine() {
        Path model = ToyModel.write(folder.resolve("toy.onnx"));
        Graph graph = OnnxModels.read(model);
        try (GraphExecutor theirs = OnnxRuntimeBackend.open(graph, model.toString(), 1);
                GraphExecutor ours = Backends.usable(Backends.installed(), "cpu").getFirst()
                        .open(GraphPasses.forInference(graph, Map.of()), ExecutorOptions.DEFAULT)) {
            for (int seed = 0; seed < 3; seed++) {
                float[] expected = run(ours, seed);
                float[] found = run(theirs, seed);
                assertTrue(expected.length > 0);
                assertEquals(expected.length, found.length);
                for (int i = 0; i < expected.length; i++) {
                    assertEquals(expected[i], found[i], 1e-4f * Math.max(1, Math.abs(expected[i])), "element " + i);
                }
            }
        }
    }

    private static float[] run(GraphExecutor executor, int seed) {
        Binding input = executor.inputs().getFirst();
        float[] image = new float[input.elements()];
        Random random = new Random(seed);
        for (int i = 0; i < image.length; i++) {
            image[i] = random.nextFloat();
        }
        Elements.write(image, input);
        executor.run();
        float[] output = new float[executor.outputs().getFirst().elements()];
        Elements.read(executor.outputs().getFirst(), output);
        return output;
    }

    @Test
    void saysWhichFileItCannotRun() throws Exception {
        Path model = ToyModel.write(folder.resolve("toy.onnx"));
        Graph graph = OnnxModels.read(model);
        Path broken = Files.writeString(folder.resolve("broken.onnx"), "no model");
        String said = assertThrows(DeviceException.class,
                () -> OnnxRuntimeBackend.open(graph, broken.toString(), 1)).getMessage();
        assertTrue(said.contains("broken.onnx"), said);
        said = assertThrows(DeviceException.class,
                () -> new OnnxRuntimeBackend().open(graph, ExecutorOptions.DEFAULT)).getMessage();
        assertTrue(said.contains("onnxruntime.model"), said);
    }
}
