package dev.shrike.calibration.quantize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.activations.CalibrationPictures;
import dev.shrike.calibration.activations.Elements;
import dev.shrike.calibration.ranges.StatisticsCollector;
import dev.shrike.calibration.ranges.ValueStatistics;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPasses;
import dev.shrike.graph.IntegerEvaluator;
import dev.shrike.graph.Tensor;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QuantizerTest {
    private static final Backend BACKEND = Backends.usable(Backends.installed(), "").getFirst();

    @TempDir
    private static Path folder;

    private static Graph model;
    private static Quantizer quantizer;
    private static List<Path> files;
    private static Map<String, ValueStatistics> statistics;

    @BeforeAll
    static void measure() {
        model = SmallNetwork.graph(1);
        quantizer = new Quantizer(model, Map.of(), BACKEND, 1);
        files = SmallNetwork.pictures(folder, 16);
        try (CalibrationPictures pictures = pictures(0);
                StatisticsCollector collector = new StatisticsCollector(quantizer.prepared(),
                        quantizer.valuesToMeasure(), pictures.shape(), BACKEND, 1)) {
            for (int i = 0; i < pictures.size(); i++) {
                collector.add(pictures, i);
            }
            statistics = collector.statistics();
        }
    }

    private static CalibrationPictures pictures(int crop) {
        return new CalibrationPictures(files, quantizer.prepared().inputs().getFirst(), crop);
    }

    private static Quantizer.Result quantize(String widths, Effort effort) {
        try (CalibrationPictures pictures = pictures(0)) {
            return quantizer.quantize(quantizer.uniform(Widths.parse(widths)), statistics, pictures, effort,
                    (_, _, _) -> {});
        }
    }

    /** The first output on one picture, channels together. */
    private static float[] run(Graph graph, float[] picture) {
        try (GraphExecutor executor = BACKEND.open(graph, ExecutorOptions.DEFAULT.withThreads(1))) {
            Elements.write(picture, executor.inputs().getFirst());
            executor.run();
            Binding output = executor.outputs().getFirst();
            float[] values = new float[output.elements()];
            Elements.read(output, values);
            return values;
        }
    }

    private static float[] picture(int index) {
        try (CalibrationPictures pictures = pictures(0)) {
            float[] picture = new float[(int) pictures.shape().elements()];
            pictures.read(index, picture);
            return picture;
        }
    }

    private static double distance(Graph quantized) {
        double sum = 0;
        double energy = 0;
        for (int i = 0; i < 6; i++) {
            float[] wanted = run(model, picture(i));
            float[] given = run(quantized, picture(i));
            for (int j = 0; j < wanted.length; j++) {
                sum += (wanted[j] - given[j]) * (wanted[j] - given[j]);
                energy += wanted[j] * wanted[j];
            }
        }
        return sum / energy;
    }

    @ParameterizedTest
    @ValueSource(strings = {"w4a8", "w4a4", "w3a8", "w3a3", "w2a2"})
    void fittingBeatsRoundingToNearest(String widths) {
        double nearest = distance(quantize(widths, Effort.NEAREST).graph());
        double full = distance(quantize(widths, Effort.FULL).graph());
        assertTrue(full < 0.8 * nearest, widths + ": " + full + " against " + nearest);
    }

    @Test
    void eightBitsLoseLittle() {
        Quantizer.Result result = quantize("w8a8", Effort.FULL);
        assertTrue(distance(result.graph()) < 0.002, "distance " + distance(result.graph()));
        assertEquals(11, result.layers().size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"w8a8", "w4a8", "w4a4", "w3a5"})
    void theFileComputesTheSameToTheBit(String widths) {
        Graph graph = quantize(widths, Effort.FULL).graph();
        Path file = folder.resolve(widths + ".onnx");
        OnnxModels.write(graph, file);
        Graph read = GraphPasses.forInference(OnnxModels.read(file), Map.of());
        Tensor input = channelsFirst(picture(3));
        Map<String, Tensor> expected =
                IntegerEvaluator.run(graph, Map.of("images", input), Set.of("head", "coarse")).reals();
        Map<String, Tensor> again =
                IntegerEvaluator.run(read, Map.of("images", input), Set.of("head", "coarse")).reals();
        assertArrayEquals(expected.get("head").toFloats(), again.get("head").toFloats());
        assertArrayEquals(expected.get("coarse").toFloats(), again.get("coarse").toFloats());
        float[] engine = run(read, picture(3));
        float[] head = expected.get("head").toFloats();
        int places = head.length / 6;
        for (int i = 0; i < head.length; i++) {
            assertEquals(head[i], engine[i % places * 6 + i / places], widths + " at " + i);
        }
    }

    private static Tensor channelsFirst(float[] picture) {
        float[] values = new float[picture.length];
        int places = picture.length / 3;
        for (int i = 0; i < values.length; i++) {
            values[i] = picture[i % places * 3 + i / places];
        }
        return Tensor.ofFloats(dev.shrike.graph.Shape.of(1, 3, SmallNetwork.SIDE, SmallNetwork.SIDE), values);
    }

    /** A code of the last activation apart, carried through the last layer: reals of results may differ by little. */
    @ParameterizedTest
    @ValueSource(strings = {"w8a8", "w4a8"})
    void onnxRuntimeAgrees(String widths) throws OrtException {
        Graph graph = quantize(widths, Effort.FULL).graph();
        Path file = folder.resolve(widths + "-ort.onnx");
        OnnxModels.write(graph, file);
        float[] ours = run(graph, picture(2));
        float[] pixels = channelsFirst(picture(2)).toFloats();
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession session = environment.createSession(file.toString());
                OnnxTensor input = OnnxTensor.createTensor(environment, FloatBuffer.wrap(pixels),
                        new long[] {1, 3, SmallNetwork.SIDE, SmallNetwork.SIDE});
                OrtSession.Result result = session.run(Map.of("images", input))) {
            float[][][][] theirs = (float[][][][]) result.get("head").orElseThrow().getValue();
            double energy = 0;
            double distance = 0;
            int at = 0;
            for (int y = 0; y < theirs[0][0].length; y++) {
                for (int x = 0; x < theirs[0][0][0].length; x++) {
                    for (int c = 0; c < 6; c++, at++) {
                        distance += Math.pow(theirs[0][c][y][x] - ours[at], 2);
                        energy += Math.pow(ours[at], 2);
                    }
                }
            }
            assertTrue(distance < 1e-4 * energy, widths + ": " + distance / energy);
        }
    }

    @Test
    void residualsAndForeignOperandsKeepEightBits() {
        CodedValues values = CodedValues.of(quantizer.prepared(), name -> new Widths(4, 4));
        Map<String, CodedValues.Group> groups = new HashMap<>();
        values.groups().forEach(group -> group.values().forEach(name -> groups.put(name, group)));
        // left is read by a layer and a sum, joined and narrow by a layer and a Concat with others.
        for (String wide : List.of("left", "joined", "narrow")) {
            assertEquals(8, groups.get(wide).bits(), wide);
            assertEquals(4, groups.get(wide + ".narrow").bits(), wide);
        }
        assertEquals(groups.get("both"), groups.get("right"));
        assertEquals(4, groups.get("both").bits());
        assertEquals(groups.get("pyramid"), groups.get("pooled"));
        assertEquals(groups.get("deep"), groups.get("pooled"));
        assertEquals(4, groups.get("merged").bits());
        assertTrue(!groups.containsKey("head") && !groups.containsKey("coarse"));
        CodedValues eight = CodedValues.of(quantizer.prepared(), name -> Widths.EIGHT);
        assertTrue(eight.groups().stream().allMatch(group -> group.bits() == 8));
        assertEquals(eight.graph(), quantizer.prepared());
    }

    @Test
    void aWindowWillDo() {
        try (CalibrationPictures pictures = pictures(32)) {
            Graph graph = quantizer.quantize(quantizer.uniform(Widths.parse("w4a8")), statistics, pictures,
                    Effort.FULL, (_, _, _) -> {}).graph();
            assertTrue(distance(graph) < distance(quantize("w4a8", Effort.NEAREST).graph()));
        }
    }

    @Test
    void theChoiceOfWidthsKeepsTheBudget() {
        try (CalibrationPictures pictures = pictures(0)) {
            MixedPrecision mixed = new MixedPrecision(quantizer, statistics, pictures, Set.of(2, 3, 4, 5, 6, 8),
                    Effort.FULL, (_, _, _) -> {});
            QuantizationPlan plan = mixed.plan(new MixedPrecision.Budget.AverageBits(4), 8);
            assertEquals(plan, QuantizationPlan.parse(plan.toYaml(), "plan"));
            long bits = 0;
            long weights = 0;
            for (String name : mixed.losses().keySet()) {
                long count = model.constants().get(name + ".w").elements();
                weights += count;
                bits += count * plan.widths(name).weights();
            }
            assertTrue(bits <= 4 * weights, bits + " for " + weights);
            assertEquals(Widths.EIGHT, plan.widths("first"));
            assertEquals(Widths.EIGHT, plan.widths("head"));
            double uniform = distance(quantize("w4a8", Effort.FULL).graph());
            double chosen = distance(quantizer.quantize(plan, statistics, pictures, Effort.FULL, (_, _, _) -> {})
                    .graph());
            assertTrue(chosen < 1.1 * uniform, chosen + " against " + uniform);
            assertThrows(dev.shrike.ShrikeException.class,
                    () -> mixed.plan(new MixedPrecision.Budget.Size(100), 8));
        }
    }

    @Test
    void layersCanStayFloat() {
        Map<String, Optional<Widths>> layers = new LinkedHashMap<>(quantizer.uniform(Widths.parse("w4a4")).layers());
        layers.put("inner", Optional.empty());
        QuantizationPlan plan = new QuantizationPlan("mine", Optional.of("mse"), Optional.empty(), layers);
        try (CalibrationPictures pictures = pictures(0)) {
            Graph graph = quantizer.quantize(plan, statistics, pictures, Effort.FULL, (_, _, _) -> {}).graph();
            assertTrue(distance(graph) < 0.5);
            assertTrue(graph.constants().containsKey("inner.w"));
        }
    }

    @Test
    void plansThatDoNotFitAreRefused() {
        Map<String, Optional<Widths>> layers = new LinkedHashMap<>(quantizer.uniform(Widths.EIGHT).layers());
        layers.remove("down");
        assertRefused(layers, "'down'");
        layers.put("down", Optional.of(Widths.EIGHT));
        layers.put("elsewhere", Optional.of(Widths.EIGHT));
        assertRefused(layers, "'elsewhere'");
        Graph quantized = quantize("w8a8", Effort.NEAREST).graph();
        assertThrows(UnsupportedModelException.class, () -> new Quantizer(quantized, Map.of(), BACKEND, 1));
        for (String text : List.of("", "layers: 3", "layers: {a: w9a8}", "layers: {a: [1]}", "what: 1\nlayers: {}",
                "ranges: best\nlayers: {}", "{")) {
            ModelException e = assertThrows(ModelException.class, () -> QuantizationPlan.parse(text, "plan.yaml"));
            assertTrue(e.getMessage().startsWith("plan.yaml: "), e.getMessage());
        }
    }

    private static void assertRefused(Map<String, Optional<Widths>> layers, String named) {
        QuantizationPlan plan = new QuantizationPlan("mine", Optional.empty(), Optional.empty(), layers);
        try (CalibrationPictures pictures = pictures(0)) {
            ModelException e = assertThrows(ModelException.class,
                    () -> quantizer.quantize(plan, statistics, pictures, Effort.FULL, (_, _, _) -> {}));
            assertTrue(e.getMessage().contains(named), e.getMessage());
        }
    }
}
