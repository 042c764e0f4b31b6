package dev.shrike.training.qat;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.evaluation.IntegerEvaluator;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What was learned, written, read, built and run by the engine, against the evaluator on the written file. */
@Tag("any-processor")
class BuiltTwinTest {
    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource({"1,1", "1,2", "2,1", "1,8", "2,2", "3,3", "4,4"})
    void theEngineComputesTheWrittenFileToTheBit(int weights, int values) {
        Graph real = TinyNetwork.real(5);
        Graph quantized = TinyNetwork.quantized(real, Math.max(2, weights), Math.max(2, values));
        check(new QuantizedTwin(OneBitCodes.of(quantized, real, weights == 1, values == 1), real,
                Set.of("head", "coarse")), Map.of());
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void theEngineComputesLearnedWidthsToTheBit(long seed) {
        Graph real = TinyNetwork.real(5);
        QuantizedTwin twin = new QuantizedTwin(TinyNetwork.quantized(real, 4, 4), real, Set.of("head", "coarse"));
        Random random = new Random(seed);
        Map<String, Integer> widths = new HashMap<>();
        WidthBudget.ofAverage(twin, 8).items().forEach(item -> widths.put(item.name(), 2 + random.nextInt(7)));
        check(twin, widths);
    }

    private void check(QuantizedTwin twin, Map<String, Integer> widths) {
        Path file = folder.resolve("learned.onnx");
        OnnxModels.write(twin.assembled(learned(twin)::get, widths), file);
        Graph read = GraphPasses.forInference(OnnxModels.read(file), Map.of());
        Map<String, Tensor> expected = IntegerEvaluator
                .run(read, Map.of("images", TinyNetwork.image(9)), Set.of("head", "coarse")).floats();
        Backend backend = Backends.usable(Backends.installed(), "").getFirst();
        Path built = folder.resolve("learned.shrike");
        backend.build(read, built);
        try (GraphExecutor executor = backend.open(backend.load(built), ExecutorOptions.DEFAULT.withThreads(1))) {
            fill(executor.inputs().getFirst(), TinyNetwork.image(9));
            executor.run();
            for (String name : List.of("head", "coarse")) {
                compare(expected.get(name),
                        executor.outputs().stream().filter(each -> each.name().equals(name)).findFirst()
                                .orElseThrow(),
                        name);
            }
        }
    }

    private static Map<String, float[]> learned(QuantizedTwin twin) {
        Random random = new Random(8);
        Map<String, float[]> learned = new HashMap<>();
        twin.graph().constants().forEach((name, tensor) -> learned.put(name, tensor.toFloats()));
        twin.layers().forEach(layer -> learned.put(layer.step(), new float[layer.rows()]));
        twin.values().forEach(value -> learned.put(value.step(), new float[] {(float) (0.1 * random.nextGaussian())}));
        for (QuantizedLayer layer : twin.layers()) {
            for (int row = 0; row < layer.rows() && layer.normalized(); row++) {
                learned.get(layer.gamma())[row] = 0.5f + random.nextFloat();
                learned.get(layer.variance())[row] = 0.5f + random.nextFloat();
                learned.get(layer.mean())[row] = random.nextFloat() - 0.5f;
            }
        }
        return learned;
    }

    private static void fill(Binding input, Tensor image) {
        List<Integer> dims = input.dims();
        for (int i = 0; i < image.elements(); i++) {
            input.memory().setAtIndex(ValueLayout.JAVA_FLOAT, place(input, i, dims), image.floatAt(i));
        }
    }

    private static long place(Binding binding, int index, List<Integer> dims) {
        int x = index % dims.get(3);
        int y = index / dims.get(3) % dims.get(2);
        int channel = index / dims.get(3) / dims.get(2);
        return (long) channel * binding.strides().get(1) + (long) y * binding.strides().get(2)
                + (long) x * binding.strides().get(3);
    }

    private static void compare(Tensor expected, Binding output, String name) {
        for (int i = 0; i < expected.elements(); i++) {
            assertEquals(expected.floatAt(i),
                    output.memory().getAtIndex(ValueLayout.JAVA_FLOAT, place(output, i, output.dims())),
                    name + " " + i);
        }
    }
}
