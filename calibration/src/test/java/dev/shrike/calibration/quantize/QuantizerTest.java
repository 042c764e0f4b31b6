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
import dev.shrike.calibration.activations.ActivationMemory;
import dev.shrike.calibration.activations.CalibrationImages;
import dev.shrike.calibration.activations.Elements;
import dev.shrike.calibration.ranges.ActivationStatistics;
import dev.shrike.calibration.ranges.Histogram;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.evaluation.IntegerEvaluator;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.passes.ExplicitQuantization;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantizerTest {
    private static final Backend BACKEND = Backends.usable(Backends.installed(), "").getFirst();

    @TempDir
    private static Path folder;

    private static final Map<String, Quantizer.Result> QUANTIZED = new HashMap<>();

    private static Graph model;
    private static Quantizer quantizer;
    private static List<Path> files;
    private static List<float[]> pixels;
    /** What the float network gives for each image. */
    private static List<List<float[]>> real;
    private static Map<String, ActivationStatistics> statistics;

    @BeforeAll
    static void measure() {
        model = SmallNetwork.graph(1);
        quantizer = new Quantizer(model, Map.of(), BACKEND, 1);
        files = SmallNetwork.images(folder, 16);
        pixels = readAll();
        real = runAll(model, pixels);
        try (CalibrationImages images = images(0)) {
            statistics = SmallNetwork.statistics(quantizer, images, BACKEND);
        }
    }

    private static CalibrationImages images(int crop) {
        return new CalibrationImages(files, quantizer.prepared().inputs().getFirst(), crop);
    }

    /** Made once for all tests that ask for the same. */
    private static Quantizer.Result quantize(String widths, PtqOptions effort) {
        return QUANTIZED.computeIfAbsent(widths + " " + effort, _ -> quantized(widths, effort));
    }

    private static Quantizer.Result quantized(String widths, PtqOptions effort) {
        try (CalibrationImages images = images(0)) {
            return quantizer.quantize(quantizer.uniform(BitWidths.parse(widths)), statistics, images, effort,
                    (_, _, _) -> {});
        }
    }

    /** The outputs on one image, channels together. */
    private static List<float[]> run(Graph graph, float[] image) {
        return runAll(graph, List.of(image)).getFirst();
    }

    private static List<List<float[]>> runAll(Graph graph, List<float[]> inputs) {
        try (GraphExecutor executor = BACKEND.open(graph, ExecutorOptions.DEFAULT.withThreads(1))) {
            List<List<float[]>> outputs = new ArrayList<>();
            for (float[] input : inputs) {
                Elements.write(input, executor.inputs().getFirst());
                executor.run();
                outputs.add(List.copyOf(Elements.all(executor.outputs()).values()));
            }
            return outputs;
        }
    }

    private static float[] image(int index) {
        return pixels.get(index).clone();
    }

    private static List<float[]> readAll() {
        try (CalibrationImages images = images(0)) {
            return IntStream.range(0, images.size()).mapToObj(index -> {
                float[] image = new float[(int) images.shape().elements()];
                images.read(index, image);
                return image;
            }).toList();
        }
    }

    /** Mean squared distance from the float network as a share of the energy, summed over the outputs. */
    private static double distance(Graph quantized) {
        double[] sum = new double[2];
        double[] energy = new double[2];
        List<List<float[]>> all = runAll(quantized, pixels.subList(0, 6));
        for (int i = 0; i < all.size(); i++) {
            List<float[]> wanted = real.get(i);
            List<float[]> given = all.get(i);
            for (int output = 0; output < 2; output++) {
                for (int j = 0; j < wanted.get(output).length; j++) {
                    sum[output] += Math.pow(wanted.get(output)[j] - given.get(output)[j], 2);
                    energy[output] += Math.pow(wanted.get(output)[j], 2);
                }
            }
        }
        return sum[0] / energy[0] + sum[1] / energy[1];
    }

    @ParameterizedTest
    @ValueSource(strings = {"w4a8", "w4a4", "w3a8", "w3a3", "w2a2", "w3a8 power-of-two", "w4a4 power-of-two",
            "w2.5a8 entropy-coded", "w4a4 entropy-coded"})
    void fittingBeatsRoundingToNearest(String widths) {
        double nearest = distance(quantize(widths, PtqOptions.NEAREST).graph());
        double full = distance(quantize(widths, PtqOptions.FULL).graph());
        assertTrue(full < 0.8 * nearest, widths + ": " + full + " against " + nearest);
    }

    /** For TensorRT: one scale about every Concat, MaxPool and Resize, no zero points, floats before SiLU. */
    @Test
    void symmetricCodesShareScalesWhereValuesMove() {
        Quantizer own = quantizer.withSymmetricCodes();
        Graph graph;
        try (CalibrationImages images = images(0)) {
            graph = own.quantize(own.uniform(BitWidths.EIGHT), statistics, images, PtqOptions.FULL, (_, _, _) -> {})
                    .graph();
        }
        assertTrue(distance(graph) < 0.02, "distance " + distance(graph));
        graph.quantization().forEach((name, how) -> {
            assertTrue(how.signed() && how.bits() == 8, name);
            assertTrue(how.isPerTensor() || graph.constants().containsKey(name), name);
            assertArrayEquals(new long[(int) how.zeroPoint().elements()], how.zeroPoint().toLongs(), name);
        });
        for (Node node : graph.nodes()) {
            boolean moves = node.op() instanceof Op.Concat || node.op() instanceof Op.MaxPool
                    || node.op() instanceof Op.Resize;
            for (String input : moves && node.op() instanceof Op.Concat ? node.inputs()
                    : moves ? List.of(node.input(0)) : List.<String>of()) {
                assertTrue(graph.quantization().get(input).isSameAs(graph.quantization().get(node.output())),
                        node.name() + " of " + input);
            }
            if (node.op() instanceof Op.Unary) {
                assertTrue(!graph.quantization().containsKey(node.input(0)), node.name());
            }
        }
        Graph file = OnnxModels.read(OnnxModels.toBytes(new ExplicitQuantization().apply(graph)), "file", null);
        for (int i = 0; i < 2; i++) {
            List<float[]> wanted = run(graph, image(i));
            List<float[]> given = run(GraphPasses.forInference(file, Map.of()), image(i));
            for (int output = 0; output < 2; output++) {
                assertArrayEquals(wanted.get(output), given.get(output), 1e-3f);
            }
        }
        QuantizationPlan uniform = own.uniform(BitWidths.EIGHT);
        Set<String> last = own.layers().last();
        assertTrue(!last.isEmpty() && last.size() < uniform.layers().size(), last + " of " + uniform.layers());
        uniform.layers().forEach((name, widths) -> assertEquals(last.contains(name), widths.isEmpty(), name));
        quantizer.uniform(BitWidths.EIGHT).layers().forEach((name, widths) -> assertTrue(widths.isPresent(), name));
        QuantizationPlan plan = own.uniform(BitWidths.parse("w4a8"));
        try (CalibrationImages images = images(0)) {
            assertTrue(assertThrows(ModelException.class, () -> own.quantize(plan, statistics, images,
                    PtqOptions.NEAREST, (_, _, _) -> {})).getMessage().contains("codes of 8 bits only"));
        }
    }

    @Test
    void layersFitBestAtThePlacesThatCount() {
        double[] left = halves(atPlaces(true));
        double[] right = halves(atPlaces(false));
        assertTrue(left[0] < 0.9 * right[0], "left half " + left[0] + " against " + right[0]);
        assertTrue(right[1] < 0.9 * left[1], "right half " + right[1] + " against " + left[1]);
    }

    /** Where large values do not count, ranges leave them out. */
    @Test
    void codesAreFineWhereValuesCount() {
        Histogram small = new Histogram();
        small.add(new float[] {-0.05f, 0.02f, 0.05f}, 0, 3, new long[] {5, 8, 5});
        SampledPositions.Choice choice = new SampledPositions.Choice() {
            @Override
            public SampledPositions of(String layer, int image, int count, int most) {
                return new UniformPositions().of(layer, image, count, most);
            }

            @Override
            public Optional<Histogram> weighted(String value) {
                return value.equals("deep") ? Optional.of(small) : Optional.empty();
            }
        };
        try (CalibrationImages images = images(0)) {
            QuantizationPlan plan = quantizer.uniform(BitWidths.parse("w4a4"));
            Graph plain = quantizer.quantize(plan, statistics, images, PtqOptions.FULL, (_, _, _) -> {}).graph();
            Graph weighted = quantizer.at(choice).quantize(plan, statistics, images, PtqOptions.FULL, (_, _, _) -> {})
                    .graph();
            assertTrue(scale(weighted, "deep") < 0.5 * scale(plain, "deep"));
            assertEquals(scale(plain, "left"), scale(weighted, "left"));
        }
    }

    private static float scale(Graph graph, String value) {
        return graph.quantization().get(value).scale().floatAt(0);
    }

    /** Fitted to the left or the right half of the images, whose other half hardly counts. */
    private static Graph atPlaces(boolean left) {
        SampledPositions.Choice choice = (_, _, count, most) -> {
            int side = (int) Math.sqrt(count);
            int[] indices = IntStream.range(0, count).toArray();
            float[] weights = new float[count];
            for (int i = 0; i < count; i++) {
                weights[i] = i % side < side / 2 == left ? 1 : 1e-3f;
            }
            return new SampledPositions(indices, weights);
        };
        try (CalibrationImages images = images(0)) {
            return quantizer.at(choice).quantize(quantizer.uniform(BitWidths.parse("w2a8")), statistics, images,
                    PtqOptions.FULL, (_, _, _) -> {}).graph();
        }
    }

    /** The squared error of the first output in the left and in the right half of the images. */
    private static double[] halves(Graph quantized) {
        double[] sums = new double[2];
        List<List<float[]>> all = runAll(quantized, pixels);
        for (int i = 0; i < all.size(); i++) {
            float[] wanted = real.get(i).getFirst();
            float[] given = all.get(i).getFirst();
            int side = SmallNetwork.SIDE / 4;
            for (int j = 0; j < wanted.length; j++) {
                sums[j / 6 % side < side / 2 ? 0 : 1] += Math.pow(wanted[j] - given[j], 2);
            }
        }
        return sums;
    }

    @Test
    void eightBitsLoseLittle() {
        Quantizer.Result result = quantize("w8a8", PtqOptions.FULL);
        assertTrue(distance(result.graph()) < 0.002, "distance " + distance(result.graph()));
        assertEquals(11, result.layers().size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"w8a8", "w4a8", "w4a4", "w3a5", "w2a2", "w4a8 symmetric", "w2a8 power-of-two",
            "w4a8 power-of-two",
            "w5a4 power-of-two", "w2.25a8 entropy-coded", "w4a8 entropy-coded"})
    void theFileComputesTheSameToTheBit(String widths) {
        assertSameFromFile(quantize(widths, PtqOptions.FULL).graph(), widths);
    }

    /**
     * Both go through the same passes: fused, an activation function is another sequence of float operations, see
     * {@link #fusingMovesACodeOnlyWhereAValueLiesBetweenTwo}.
     */
    private static void assertSameFromFile(Graph graph, String widths) {
        Path file = folder.resolve(widths + ".onnx");
        OnnxModels.write(graph, file);
        Graph read = GraphPasses.forInference(OnnxModels.read(file), Map.of());
        Map<String, Tensor> expected = evaluate(GraphPasses.forInference(graph, Map.of()), 3, "head", "coarse");
        Map<String, Tensor> again = evaluate(read, 3, "head", "coarse");
        assertArrayEquals(expected.get("head").toFloats(), again.get("head").toFloats());
        assertArrayEquals(expected.get("coarse").toFloats(), again.get("coarse").toFloats());
        float[] engine = run(read, image(3)).getFirst();
        float[] head = expected.get("head").toFloats();
        int positions = head.length / 6;
        for (int i = 0; i < head.length; i++) {
            assertEquals(head[i], engine[i % positions * 6 + i / positions], widths + " at " + i);
        }
    }

    private static Map<String, Tensor> evaluate(Graph graph, int image, String... wanted) {
        return IntegerEvaluator.run(graph, Map.of("images", channelsFirst(image(image))), Set.of(wanted)).floats();
    }

    /**
     * Where floats before an activation function become codes behind it, a fused layer may round the other way, but
     * only to the next code and only where the value lies in the middle between the two as far as a float can tell.
     */
    @ParameterizedTest
    @ValueSource(strings = {"w8a8", "w4a8", "w4a4"})
    void fusingMovesACodeOnlyWhereAValueLiesBetweenTwo(String widths) {
        Graph graph = quantize(widths, PtqOptions.FULL).graph();
        Graph fused = GraphPasses.forInference(graph, Map.of());
        String raw = quantizer.prepared().nodes().stream().filter(node -> node.name().equals("first")).findFirst()
                .orElseThrow().output();
        float scale = scale(graph, "first");
        int moved = 0;
        int all = 0;
        for (int image = 0; image < files.size(); image++) {
            Map<String, Tensor> apart = evaluate(graph, image, raw, "first");
            float[] sums = apart.get(raw).toFloats();
            float[] unfused = apart.get("first").toFloats();
            float[] together = evaluate(fused, image, "first").get("first").toFloats();
            for (int i = 0; i < unfused.length; i++) {
                int codes = Math.round((together[i] - unfused[i]) / scale);
                if (codes != 0) {
                    moved++;
                    assertEquals(1, Math.abs(codes), widths + " at " + i + " of image " + image);
                    double position = sums[i] / (1 + Math.exp(-sums[i])) / scale;
                    assertEquals(0.5, position - Math.floor(position), 1e-4, widths + ": " + position);
                }
            }
            all += unfused.length;
        }
        assertTrue(moved <= all / 1000, moved + " of " + all);
    }

    private static Tensor channelsFirst(float[] image) {
        float[] values = new float[image.length];
        int positions = image.length / 3;
        for (int i = 0; i < values.length; i++) {
            values[i] = image[i % positions * 3 + i / positions];
        }
        return Tensor.ofFloats(dev.shrike.graph.Shape.of(1, 3, SmallNetwork.SIDE, SmallNetwork.SIDE), values);
    }

    /**
     * The runtime computes layers in float and rounds them, so a sum that lies between two codes may become the other
     * one: never more than one code in the first layer, and seldom; later layers see these as noise.
     */
    @ParameterizedTest
    @ValueSource(strings = {"w8a8", "w4a8", "w4a8 symmetric", "w4a8 power-of-two", "w3a8 entropy-coded"})
    void onnxRuntimeAgrees(String widths) throws OrtException {
        Graph plain = quantize(widths, PtqOptions.FULL).graph();
        List<ValueInfo> outputs = new ArrayList<>(plain.outputs());
        outputs.add(ShapeInference.infer(plain).get("first"));
        Graph graph = plain.withOutputs(outputs);
        Path file = folder.resolve(widths + "-ort.onnx");
        OnnxModels.write(graph, file);
        List<float[]> ours = run(graph, image(2));
        float[] pixels = channelsFirst(image(2)).toFloats();
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession session = environment.createSession(file.toString());
                OnnxTensor input = OnnxTensor.createTensor(environment, FloatBuffer.wrap(pixels),
                        new long[] {1, 3, SmallNetwork.SIDE, SmallNetwork.SIDE});
                OrtSession.Result result = session.run(Map.of("images", input))) {
            float[] first = channelsLast((float[][][][]) result.get("first").orElseThrow().getValue());
            float scale = plain.quantization().get("first").scale().floatAt(0);
            int moved = 0;
            for (int i = 0; i < first.length; i++) {
                assertEquals(first[i], ours.get(2)[i], 1.001 * scale);
                moved += Math.abs(first[i] - ours.get(2)[i]) > 0.5 * scale ? 1 : 0;
            }
            assertTrue(moved < first.length / 100, moved + " of " + first.length);
            assertHeadIsNear(result, ours.getFirst(), 0.002, widths);
        }
    }

    private static void assertHeadIsNear(OrtSession.Result result, float[] ours, double share, String widths)
            throws OrtException {
        float[] head = channelsLast((float[][][][]) result.get("head").orElseThrow().getValue());
        double distance = 0;
        double energy = 0;
        for (int i = 0; i < head.length; i++) {
            distance += Math.pow(head[i] - ours[i], 2);
            energy += Math.pow(head[i], 2);
        }
        assertTrue(distance < share * energy, widths + ": " + distance / energy);
    }

    @ParameterizedTest
    @ValueSource(strings = {"w8a8", "w4a8"})
    void onnxRuntimeAgreesOnDynamicRanges(String widths) throws OrtException {
        Graph graph = dynamic(widths, PtqOptions.FULL).graph();
        Path file = folder.resolve("dynamic-" + widths + "-ort.onnx");
        OnnxModels.write(graph, file);
        float[] ours = run(graph, image(2)).getFirst();
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession session = environment.createSession(file.toString());
                OnnxTensor input = OnnxTensor.createTensor(environment,
                        FloatBuffer.wrap(channelsFirst(image(2)).toFloats()),
                        new long[] {1, 3, SmallNetwork.SIDE, SmallNetwork.SIDE});
                OrtSession.Result result = session.run(Map.of("images", input))) {
            assertHeadIsNear(result, ours, 0.0005, widths);
        }
    }

    private static float[] channelsLast(float[][][][] values) {
        int channels = values[0].length;
        int height = values[0][0].length;
        int width = values[0][0][0].length;
        float[] flat = new float[channels * height * width];
        for (int i = 0; i < flat.length; i++) {
            flat[i] = values[0][i % channels][i / channels / width][i / channels % width];
        }
        return flat;
    }

    @ParameterizedTest
    @CsvSource({"w4a8, true", "w2a2, true", "w4a8 symmetric, false", "w8a8, false"})
    void zeroPointsOfWeightsAreCodes(String widths, boolean some) {
        Graph graph = quantize(widths, PtqOptions.FULL).graph();
        boolean found = false;
        for (Node node : graph.nodes()) {
            if (!(node.op() instanceof Op.Conv)) {
                continue;
            }
            Quantization how = graph.quantization().get(node.input(1));
            Tensor codes = graph.constants().get(node.input(1));
            for (int i = 0; i < how.zeroPoint().elements(); i++) {
                long zero = how.zeroPoint().longAt(i);
                assertTrue(zero >= how.minCode() && zero <= how.maxCode(), node.name() + ": " + zero);
                found |= zero != 0;
            }
            for (int i = 0; i < codes.elements(); i++) {
                assertTrue(codes.longAt(i) >= how.minCode() && codes.longAt(i) <= how.maxCode(), node.name());
            }
        }
        assertEquals(some, found);
    }

    @ParameterizedTest
    @CsvSource({"2, 1", "3, 2", "4, 8", "5, 64"})
    void weightsArePowersOfTwo(int bits, int most) {
        Quantizer.Result result = quantize("w" + bits + "a8 power-of-two", PtqOptions.FULL);
        Set<Long> seen = new java.util.TreeSet<>();
        int layers = 0;
        for (var entry : result.graph().constants().entrySet()) {
            if (!entry.getKey().endsWith(".weights.codes")) {
                continue;
            }
            layers++;
            assertEquals(8, result.graph().quantization().get(entry.getKey()).bits(), entry.getKey());
            if (quantizer.ends().stream().anyMatch(end -> entry.getKey().equals(end + ".weights.codes"))) {
                continue;
            }
            for (int i = 0; i < entry.getValue().elements(); i++) {
                seen.add(entry.getValue().longAt(i));
            }
        }
        assertEquals(11, layers);
        Set<Long> expected = new java.util.TreeSet<>(Set.of(0L));
        for (long code = 1; code <= most; code *= 2) {
            expected.addAll(Set.of(code, -code));
        }
        assertEquals(expected, seen);
    }

    @Test
    void morePowersComeCloser() {
        double before = Double.POSITIVE_INFINITY;
        for (int bits = 2; bits <= 4; bits++) {
            double distance = distance(quantize("w" + bits + "a8 power-of-two", PtqOptions.FULL).graph());
            assertTrue(distance < before, bits + " bits: " + distance + ", one fewer: " + before);
            before = distance;
        }
        assertTrue(before > distance(quantize("w4a8", PtqOptions.FULL).graph()));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 100_000, 400_000})
    void whatIsOnDiskChangesNothing(long limit) throws IOException {
        Graph expected = quantize("w4a4", PtqOptions.FULL).graph();
        Path position = Files.createDirectory(folder.resolve("limit" + limit));
        ActivationMemory memory = new ActivationMemory(limit, position);
        Quantizer limited = new Quantizer(model, Map.of(), BACKEND, 1, memory);
        try (CalibrationImages images = images(0)) {
            Graph graph =
                    limited.quantize(limited.uniform(BitWidths.parse("w4a4")), statistics, images, PtqOptions.FULL,
                            (_, _, _) -> {}).graph();
            assertArrayEquals(bytes(expected), bytes(graph));
        }
        assertTrue(memory.mostOnDisk() > 0 && memory.mostOnDisk() >= memory.most() - limit, memory.mostOnDisk()
                + " of " + memory.most());
        try (var files = Files.list(position)) {
            assertEquals(List.of(), files.toList());
        }
    }

    private static byte[] bytes(Graph graph) throws IOException {
        Path file = folder.resolve("bytes.onnx");
        OnnxModels.write(graph, file);
        return Files.readAllBytes(file);
    }

    @Test
    void residualsAndForeignOperandsKeepEightBits() {
        QuantizerPlacement values = QuantizerPlacement.of(quantizer.prepared(), quantizer.layers(),
                name -> new BitWidths(4, 4), QuantizerPlacement.Rules.FITTED);
        Map<String, QuantizerPlacement.Group> groups = new HashMap<>();
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
        QuantizerPlacement eight = QuantizerPlacement.of(quantizer.prepared(), quantizer.layers(),
                name -> BitWidths.EIGHT, QuantizerPlacement.Rules.FITTED);
        assertTrue(eight.groups().stream().allMatch(group -> group.bits() == 8));
        assertEquals(eight.graph(), quantizer.prepared());
    }

    @Test
    void aWindowWillDo() {
        try (CalibrationImages images = images(32)) {
            Graph graph = quantizer.quantize(quantizer.uniform(BitWidths.parse("w4a8")), statistics, images,
                    PtqOptions.FULL, (_, _, _) -> {}).graph();
            assertTrue(distance(graph) < distance(quantize("w4a8", PtqOptions.NEAREST).graph()));
        }
    }

    @Test
    void theChoiceOfWidthsKeepsTheBudget() {
        try (CalibrationImages images = images(0)) {
            MixedPrecision mixed = MixedPrecision.measure(quantizer, statistics, images, Set.of(2, 3, 4, 5, 6, 8),
                    PtqOptions.FULL, (_, _, _) -> {});
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
            assertEquals(BitWidths.EIGHT, plan.widths("first"));
            assertEquals(BitWidths.EIGHT, plan.widths("head"));
            // What the choice promises: of all that keep the budget, four bits everywhere among them, the least loss.
            double uniform = 0;
            double chosen = 0;
            for (var layer : mixed.losses().entrySet()) {
                uniform += layer.getValue().get(4);
                chosen += layer.getValue().get(plan.widths(layer.getKey()).weights());
            }
            assertTrue(chosen <= uniform, chosen + " against " + uniform);
            Graph graph = quantizer.quantize(plan, statistics, images, PtqOptions.FULL, (_, _, _) -> {}).graph();
            assertTrue(distance(graph) < distance(quantize("w3a8", PtqOptions.FULL).graph()));
            assertThrows(dev.shrike.ShrikeException.class,
                    () -> mixed.plan(new MixedPrecision.Budget.Size(100), 8));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"w8a8", "w4a8", "w4a4", "w6a8 entropy-coded"})
    void preActivationsStayFloatOrHaveCodes(String widths) {
        QuantizationPlan plan = quantizer.uniform(BitWidths.parse(widths));
        QuantizationPlan codes = plan.withPreActivations(true);
        assertEquals(plan, QuantizationPlan.parse(plan.toYaml(), "plan"));
        assertEquals(codes, QuantizationPlan.parse(codes.toYaml(), "plan"));
        try (CalibrationImages images = images(0)) {
            Graph graph = quantizer.quantize(plan, statistics, images, PtqOptions.FULL, (_, _, _) -> {}).graph();
            Graph coded = quantizer.quantize(codes, statistics, images, PtqOptions.FULL, (_, _, _) -> {}).graph();
            for (String layer : List.of("first", "deep", "fine")) {
                String raw = quantizer.prepared().nodes().stream().filter(node -> node.name().equals(layer))
                        .findFirst().orElseThrow().output();
                assertTrue(coded.quantization().containsKey(raw), raw);
                assertTrue(!raw.equals(layer) && !graph.quantization().containsKey(raw), raw);
                assertTrue(graph.quantization().containsKey(layer), layer);
            }
            // Values of 4 bits behind the function are so much coarser that chance decides.
            double most = widths.equals("w4a4") ? 1.25 : 1;
            assertTrue(distance(graph) < most * distance(coded), distance(graph) + " against " + distance(coded));
            assertSameFromFile(graph, "real-" + widths);
        }
    }

    @Test
    void preActivationsHaveCodesWhereThresholdsServe() {
        assertTrue(quantizer.uniform(BitWidths.parse("w3a3")).preActivations());
        assertTrue(!quantizer.uniform(BitWidths.parse("w3a4")).preActivations());
        // A plan that says nothing was made before there was a choice.
        assertTrue(QuantizationPlan.parse("layers: {a: w8a8}", "plan").preActivations());
    }

    /** What a head gives is decoded in float, whatever its layers give to their activation functions. */
    @Test
    void activationsOfTheLastLayersStayFloat() {
        Graph prepared = quantizer.prepared();
        Graph graph = prepared.withNodes(
                Stream.concat(prepared.nodes().stream(), Stream.of(new Node("decoding",
                        Op.Unary.of(Op.Unary.Kind.SIGMOID), List.of("head"), List.of("decoded")))).toList());
        for (boolean preActivations : new boolean[] {true, false}) {
            List<String> coded = QuantizerPlacement.of(graph, QuantizableLayers.convolutions(graph),
                    _ -> BitWidths.EIGHT, new QuantizerPlacement.Rules(preActivations, false, true)).groups().stream()
                    .flatMap(group -> group.values().stream()).toList();
            assertTrue(coded.contains("fine") && !coded.contains("head") && !coded.contains("decoded"),
                    coded.toString());
        }
    }

    @Test
    void layersCanStayFloat() {
        Map<String, Optional<BitWidths>> layers =
                new LinkedHashMap<>(quantizer.uniform(BitWidths.parse("w4a4")).layers());
        layers.put("inner", Optional.empty());
        QuantizationPlan plan = new QuantizationPlan("mine", Optional.of("mse"), Optional.empty(), layers);
        try (CalibrationImages images = images(0)) {
            Graph graph = quantizer.quantize(plan, statistics, images, PtqOptions.FULL, (_, _, _) -> {}).graph();
            assertTrue(distance(graph) < 0.5);
            assertTrue(graph.constants().containsKey("inner.w"));
        }
    }

    @Test
    void plansThatDoNotFitAreRefused() {
        Map<String, Optional<BitWidths>> layers = new LinkedHashMap<>(quantizer.uniform(BitWidths.EIGHT).layers());
        layers.remove("down");
        assertRefused(layers, "'down'");
        layers.put("down", Optional.of(BitWidths.EIGHT));
        layers.put("elsewhere", Optional.of(BitWidths.EIGHT));
        assertRefused(layers, "'elsewhere'");
        Graph quantized = quantize("w8a8", PtqOptions.NEAREST).graph();
        assertThrows(UnsupportedModelException.class, () -> new Quantizer(quantized, Map.of(), BACKEND, 1));
        for (String text : List.of("", "layers: 3", "layers: {a: w9a8}", "layers: {a: w6a8 power-of-two}",
                "layers: {a: w4a8 powers}", "pre-activations: 7\nlayers: {}", "pre-activations: [float]\nlayers: {}",
                "layers: {a: w4.5a8}", "layers: {a: w0.2a8 entropy-coded}",
                "layers: {a: w8.5a8 entropy-coded}", "layers: {a: w4.a8 entropy-coded}", "layers: {a: [1]}",
                "what: 1\nlayers: {}",
                "ranges: best\nlayers: {}", "{")) {
            ModelException e = assertThrows(ModelException.class, () -> QuantizationPlan.parse(text, "plan.yaml"));
            assertTrue(e.getMessage().startsWith("plan.yaml: "), e.getMessage());
        }
    }

    // --- ranges that each image has of its own -------------------------------------------------------------------

    /** Nothing is measured: layers are fitted from values that their own range has rounded. */
    private static Quantizer.Result dynamic(String widths, PtqOptions effort) {
        try (CalibrationImages images = images(0)) {
            Quantizer own = quantizer.withDynamicRanges();
            return own.quantize(own.uniform(BitWidths.parse(widths)), Map.of(), images, effort, (_, _, _) -> {});
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"w8a8", "w4a8", "w3a8", "w4a8 power-of-two", "w2.5a8 entropy-coded"})
    void dynamicRangesRunInTheEngineToTheBitAndFitLayers(String widths) {
        Graph full = dynamic(widths, PtqOptions.FULL).graph();
        Set<String> rounded = new java.util.HashSet<>();
        for (Node node : full.nodes()) {
            if (node.op() instanceof Op.DynamicQuant) {
                assertTrue(rounded.add(node.input(0)), "two nodes round " + node.input(0));
            }
            assertTrue(!(node.op() instanceof Op.Conv)
                    || dev.shrike.graph.quantization.IntegerWeights.isIntegerProduct(full, node), node.name());
        }
        assertTrue(full.constants().keySet().containsAll(full.quantization().keySet()), "only weights have codes");
        assertSameFromFile(full, "dynamic " + widths);
        double distance = distance(full);
        if (widths.equals("w8a8")) {
            assertTrue(distance < 0.002, "distance " + distance);
        } else {
            double nearest = distance(dynamic(widths, PtqOptions.NEAREST).graph());
            assertTrue(distance < 0.8 * nearest, widths + ": " + distance + " against " + nearest);
        }
    }

    @Test
    void widthsAreChosenUnderDynamicRangesToo() {
        Quantizer own = quantizer.withDynamicRanges();
        try (CalibrationImages images = images(0)) {
            QuantizationPlan plan = MixedPrecision.measure(own, Map.of(), images, Set.of(2, 4, 8), PtqOptions.FULL,
                    (_, _, _) -> {}).plan(new MixedPrecision.Budget.AverageBits(4), 8);
            assertTrue(plan.dynamicRanges());
            assertEquals(plan, QuantizationPlan.parse(plan.toYaml(), "plan.yaml"));
            assertTrue(distance(own.quantize(plan, Map.of(), images, PtqOptions.FULL, (_, _, _) -> {}).graph()) < 0.1);
        }
    }

    @Test
    void whatDoesNotGoWithDynamicRangesIsRefused() {
        assertThrows(IllegalArgumentException.class,
                () -> quantizer.withDynamicRanges().uniform(BitWidths.parse("w4a4")));
        QuantizationPlan eight = quantizer.uniform(BitWidths.EIGHT);
        assertTrue(eight.withDynamicRanges(true).dynamicRanges());
        for (QuantizationPlan plan : List.of(eight.withRanges(Optional.of("mse"), Optional.empty()),
                eight.withRanges(Optional.empty(), Optional.of("mse")), eight.withPreActivations(true),
                quantizer.uniform(BitWidths.parse("w8a7")))) {
            assertThrows(IllegalArgumentException.class, () -> plan.withDynamicRanges(true));
        }
        for (String text : List.of("activation-ranges: often\nlayers: {}",
                "activation-ranges: dynamic\npre-activations: float\nlayers: {a: w4a4}",
                "activation-ranges: dynamic\npre-activations: 8\nlayers: {}",
                "activation-ranges: dynamic\npre-activations: float\nranges: mse\nlayers: {}")) {
            ModelException e = assertThrows(ModelException.class, () -> QuantizationPlan.parse(text, "plan.yaml"));
            assertTrue(e.getMessage().startsWith("plan.yaml: "), e.getMessage());
        }
        Graph done = dynamic("w8a8", PtqOptions.NEAREST).graph();
        assertThrows(UnsupportedModelException.class, () -> new Quantizer(done, Map.of(), BACKEND, 1));
    }

    private static void assertRefused(Map<String, Optional<BitWidths>> layers, String named) {
        QuantizationPlan plan = new QuantizationPlan("mine", Optional.empty(), Optional.empty(), layers);
        try (CalibrationImages images = images(0)) {
            ModelException e = assertThrows(ModelException.class,
                    () -> quantizer.quantize(plan, statistics, images, PtqOptions.FULL, (_, _, _) -> {}));
            assertTrue(e.getMessage().contains(named), e.getMessage());
        }
    }
}
