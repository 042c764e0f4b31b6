package dev.shrike.calibration.prune.channels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.shrike.ModelException;
import dev.shrike.calibration.activations.Elements;
import dev.shrike.calibration.prune.RandomNetwork;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.testing.SharedFolder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChannelRemovalTest {
    private static final int GRAPHS = 200;
    private static final Backend BACKEND = Backends.usable(Backends.installed(), "").getFirst();

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void removingChannelsThatAreConstantLeavesTheResult(boolean shifts) throws OrtException {
        int removedInAll = 0;
        int tied = 0;
        for (long seed = 0; seed < GRAPHS; seed++) {
            Random random = new Random(seed);
            Graph graph = GraphPasses.simplify(RandomNetwork.graph(seed, shifts), Map.of());
            ChannelDependencies dependencies = ChannelDependencies.of(graph);
            Set<Integer> units = some(dependencies, random);
            tied += (int) units.stream().filter(unit -> dependencies.members(unit).size() > 1).count();
            Graph masked = ChannelMask.apply(dependencies, units);
            Map<String, double[]> means = ConstantChannels.of(dependencies, units, BACKEND);
            byte[] file = OnnxModels.toBytes(ChannelRemoval.apply(dependencies, units,
                    ConstantChannels.shifts(dependencies, units, means)));
            Graph pruned = OnnxModels.read(file, "pruned", null);
            Tensor input = input(graph, random);
            Set<String> outputs = graph.outputs().stream().map(ValueInfo::name).collect(Collectors.toSet());
            Map<String, Tensor> expected = ReferenceEvaluator.run(masked, Map.of("images", input), outputs);
            Map<String, Tensor> actual = ReferenceEvaluator.run(pruned, Map.of("images", input), outputs);
            Map<String, float[]> elsewhere = onnxRuntime(file, input);
            for (String name : outputs) {
                assertEquals(expected.get(name).shape(), actual.get(name).shape(), "seed " + seed);
                assertNear(expected.get(name).toFloats(), actual.get(name).toFloats(), "seed " + seed);
                assertNear(expected.get(name).toFloats(), elsewhere.get(name), "ONNX Runtime, seed " + seed);
            }
            removedInAll += units.size();
        }
        assertTrue(removedInAll > 10 * GRAPHS, removedInAll + " units removed");
        assertTrue(tied > GRAPHS, tied + " of them in several layers");
    }

    private static void assertNear(float[] expected, float[] actual, String what) {
        assertEquals(expected.length, actual.length, what);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], 1e-4 * Math.max(1, Math.abs(expected[i])), what + ", element " + i);
        }
    }

    private static Map<String, float[]> onnxRuntime(byte[] file, Tensor input) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            try (OrtSession session = environment.createSession(file, options);
                    OnnxTensor given = OnnxTensor.createTensor(environment, FloatBuffer.wrap(input.toFloats()),
                            input.shape().toArray());
                    OrtSession.Result result = session.run(Map.of("images", given))) {
                Map<String, float[]> outputs = new HashMap<>();
                for (Map.Entry<String, OnnxValue> output : result) {
                    FloatBuffer buffer = ((OnnxTensor) output.getValue()).getFloatBuffer();
                    float[] values = new float[buffer.remaining()];
                    buffer.get(values);
                    outputs.put(output.getKey(), values);
                }
                return outputs;
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"yolov5n-640-bn.onnx", "yolov5n-640.onnx", "yolov5s-640.onnx", "others/yolov8n.onnx"})
    void realNetworksKeepTheirResultToo(String model) {
        Graph graph = GraphPasses.simplify(OnnxModels.read(SharedFolder.file("models/" + model)), Map.of());
        ChannelDependencies dependencies = ChannelDependencies.of(graph);
        Set<Integer> units = some(dependencies, new Random(1));
        assertTrue(units.size() > 1000, units.size() + " units");
        Graph silent = silenced(dependencies, units);
        Graph pruned = ChannelRemoval.apply(dependencies, units, Map.of());
        float[] pixels = input(graph, new Random(2)).toFloats();
        Map<String, float[]> expected = engine(silent, pixels);
        Map<String, float[]> actual = engine(pruned, pixels);
        expected.forEach((name, values) -> assertNear(values, actual.get(name), model + ", " + name));
    }

    /** The masked network with zeros instead of the constants that the mask leaves. */
    private static Graph silenced(ChannelDependencies dependencies, Set<Integer> units) {
        Graph masked = ChannelMask.apply(dependencies, units);
        Map<String, Tensor> constants = new HashMap<>(masked.constants());
        dependencies.layers().forEach((name, made) -> {
            Node layer = dependencies.layer(name);
            List<String> shifts = new ArrayList<>(List.of(layer.input(2)));
            masked.nodes().stream().filter(node -> node.op() instanceof Op.BatchNormalization
                    && node.input(0).equals(layer.output())).forEach(norm -> shifts.add(norm.input(2)));
            for (String shift : shifts) {
                constants.computeIfPresent(shift, (_, tensor) -> {
                    float[] values = tensor.toFloats();
                    for (int i = 0; i < values.length; i++) {
                        values[i] = units.contains(made[i]) ? 0 : values[i];
                    }
                    return Tensor.ofFloats(tensor.shape(), values);
                });
            }
        });
        return masked.withNodes(masked.nodes(), constants);
    }

    private static Map<String, float[]> engine(Graph graph, float[] pixels) {
        try (GraphExecutor executor = BACKEND.open(GraphPasses.forInference(graph, Map.of()),
                ExecutorOptions.DEFAULT.withThreads(1))) {
            Elements.write(pixels, executor.inputs().getFirst());
            executor.run();
            return Elements.all(executor.outputs());
        }
    }

    private static Tensor input(Graph graph, Random random) {
        Shape shape = graph.inputs().getFirst().shape();
        float[] values = new float[(int) shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat();
        }
        return Tensor.ofFloats(shape, values);
    }

    /** Some of the removable units, so that no value is left without channels. */
    private static Set<Integer> some(ChannelDependencies dependencies, Random random) {
        List<Integer> all = new ArrayList<>(dependencies.removable());
        Collections.shuffle(all, random);
        Set<Integer> chosen = new TreeSet<>();
        for (int unit : all.subList(0, all.size() * 2 / 3)) {
            Set<Integer> more = new TreeSet<>(chosen);
            more.add(unit);
            if (dependencies.emptied(more).isEmpty()) {
                chosen = more;
            }
        }
        return chosen;
    }

    @Test
    void aLayerIsNeverEmptied() {
        Graph graph = GraphPasses.simplify(RandomNetwork.graph(1, false), Map.of());
        ChannelDependencies dependencies = ChannelDependencies.of(graph);
        ModelException e = assertThrows(ModelException.class,
                () -> ChannelRemoval.apply(dependencies, dependencies.removable(), Map.of()));
        assertTrue(e.getMessage().contains("without channels"), e.getMessage());
        assertTrue(e.getMessage().contains("conv"), e.getMessage());
    }
}
