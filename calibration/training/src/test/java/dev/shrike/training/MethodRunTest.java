package dev.shrike.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.shrike.Detector;
import dev.shrike.Detectors;
import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.data.DataSet;
import dev.shrike.calibration.data.DataSets;
import dev.shrike.calibration.data.Sample;
import dev.shrike.calibration.quantize.BitWidths;
import dev.shrike.calibration.quantize.QuantizationPlan;
import dev.shrike.calibration.quantize.Quantizer;
import dev.shrike.calibration.ranges.ActivationStatistics;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.training.data.Augmentation;
import dev.shrike.training.data.SmallDataSet;
import dev.shrike.training.qat.TinyNetwork;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whole runs of rounded, sparse, taught and pruned networks. Those that need PyTorch run where it is in the cache. */
@Tag("any-processor")
class MethodRunTest implements TrainingListener {
    private static final int SIDE = 64;

    @TempDir
    Path folder;
    private final List<String> notes = new ArrayList<>();
    private DataSet train;
    private DataSet validation;
    private Path model;

    @BeforeEach
    void files() {
        Path yaml = SmallDataSet.write(folder.resolve("set"), 16, 48);
        train = DataSets.open(yaml, null, "train");
        validation = DataSets.open(yaml);
        model = folder.resolve("net.onnx");
        OnnxModels.write(named(TestNetworks.yolov5(SIDE, 2, true).whole()), model);
    }

    private static Graph named(Graph graph) {
        return new Graph(graph.name(), graph.inputs(), graph.outputs(), graph.nodes(), graph.constants(),
                graph.quantization(), Map.of("names", "{0: 'square', 1: 'bar'}", "stride", "32"));
    }

    /** The model as it would be quantised for inputs of another size. */
    private static Graph quantized(int side) {
        Quantizer quantizer = Quantizer.withoutFit(GraphPasses.forInference(
                named(TestNetworks.yolov5(side, 2, true).whole()), Map.of()));
        QuantizationPlan plan = quantizer.uniform(BitWidths.symmetric("w4a4"));
        Map<String, ActivationStatistics> ranges = new HashMap<>();
        quantizer.valuesToMeasure(plan).forEach(name -> ranges.put(name, ActivationStatistics.ofRange(-2, 2)));
        return quantizer.quantize(plan, ranges).graph();
    }

    private static TrainingOptions options(TrainingMethods methods) {
        return new TrainingOptions(0, 0,
                new LearningSchedule(LearningSchedule.Optimizer.ADAMW, 2, 4, 4, 0.004, 0.1, 0.9,
                        0, 0),
                0, Augmentation.DEFAULT, 1, 1, 1, "cpu", false, false).with(methods);
    }

    private static void requireTorch() {
        assumeTrue(TorchLibraries.ofMachine().arePresent(), "PyTorch is not in the cache");
    }

    @Test
    void aRoundedRunGivesAnIntegerNetwork() {
        requireTorch();
        Path output = folder.resolve("w3a3.onnx");
        TrainingMethods methods = new TrainingMethods(null,
                new QuantizedTraining("w3a3", 0, QuantizedTraining.Method.LSQ, null, 8, true),
                new Teaching(Teaching.ITSELF, 1, 0.5, true));
        List<EpochResult> epochs = new Trainer(model, train, validation, output, options(methods), this).run();
        assertEquals(2, epochs.size());
        Graph graph = GraphPasses.forInference(OnnxModels.read(output), Map.of());
        assertEquals(3, graph.quantization().values().stream().mapToInt(how -> how.bits()).min().orElseThrow());
        assertTrue(epochs.getLast().losses().containsKey("teacher"), epochs.toString());
    }

    private static TrainingMethods rounding(String scheme, double averageBits, double bitOperations,
            QuantizedTraining.Method method, Path quantized) {
        return new TrainingMethods(null, new QuantizedTraining(scheme, averageBits, bitOperations, method,
                quantized == null ? null : quantized.toString(), 8, true), null);
    }

    private static List<Integer> bits(Path file, boolean weights) {
        Graph graph = GraphPasses.forInference(OnnxModels.read(file), Map.of());
        return graph.quantization().entrySet().stream()
                .filter(entry -> graph.constants().containsKey(entry.getKey()) == weights)
                .map(entry -> entry.getValue().bits()).filter(bits -> bits < 8).toList();
    }

    @Test
    void widthsAreLearnedUnderABudget() {
        requireTorch();
        Path output = folder.resolve("nipq.onnx");
        assertEquals(2, new Trainer(model, train, validation, output,
                options(rounding("auto", 3, 0, QuantizedTraining.Method.NIPQ, null)), this).run().size());
        Graph graph = GraphPasses.forInference(OnnxModels.read(output), Map.of());
        double weights = 0;
        double sum = 0;
        Map<String, Quantization> codes = graph.quantization();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Conv && codes.containsKey(node.input(1))
                    && codes.get(node.input(1)).bits() < 8) {
                weights += graph.constants().get(node.input(1)).elements();
                sum += (double) graph.constants().get(node.input(1)).elements() * codes.get(node.input(1)).bits();
            }
        }
        assertTrue(weights > 0 && sum <= 3 * weights, sum / weights + " bits a weight");
        assertTrue(assertThrows(UnsupportedModelException.class, () -> new Trainer(model, train, validation,
                folder.resolve("small.onnx"), options(rounding("auto", 0, 1e-6, QuantizedTraining.Method.NIPQ, null)),
                this).run()).getMessage().contains("bit operations"));
        assertFalse(Files.exists(Trainer.folder(folder.resolve("small.onnx"))));
    }

    @ParameterizedTest
    @CsvSource({"w1a2, 1, 2", "w1a1, 1, 1", "w2a1, 2, 1"})
    void codesOfOneBitAreTrained(String scheme, int weights, int values) {
        requireTorch();
        Path output = folder.resolve("one.onnx");
        assertEquals(2, new Trainer(model, train, validation, output,
                options(rounding(scheme, 0, 0, QuantizedTraining.Method.LSQ, null)), this).run().size());
        assertEquals(Set.of(weights), Set.copyOf(bits(output, true)));
        assertEquals(Set.of(values), Set.copyOf(bits(output, false)));
    }

    @Test
    void aRunThatGoesOnHasWhatItBeganWith() {
        requireTorch();
        Path output = folder.resolve("tuned.onnx");
        TrainingOptions options = options(TrainingMethods.NONE);
        new Trainer(model, train, validation, output, options, this).run();
        Path other = folder.resolve("other.onnx");
        OnnxModels.write(named(TestNetworks.yolov5(SIDE, 2, false).whole()), other);
        assertTrue(assertThrows(TrainingException.class, () -> new Trainer(other, train, validation, output,
                options.resuming(true), this).run()).getMessage().contains("the model is another one"));
        DataSet fewer = train.with(train.samples().subList(1, train.samples().size()), List.of());
        assertTrue(assertThrows(TrainingException.class, () -> new Trainer(model, fewer, validation, output,
                options.resuming(true), this).run()).getMessage().contains("the training images are others"));
        assertEquals(2, new Trainer(model, train, validation, output, options.resuming(true), this).run().size());
    }

    @Test
    void whatIsNoQuantisedFormOfTheModelIsRefused() {
        requireTorch();
        Path output = folder.resolve("x.onnx");
        String floats = assertThrows(ModelException.class, () -> new Trainer(model, train, validation, output,
                options(rounding("w2a2", 0, 0, QuantizedTraining.Method.LSQ, model)), this).run()).getMessage();
        assertTrue(floats.contains("is a float network") && floats.contains("--quantized"), floats);
        Path other = folder.resolve("tiny.onnx");
        OnnxModels.write(TinyNetwork.quantized(TinyNetwork.real(1), 4, 4), other);
        String foreign = assertThrows(ModelException.class, () -> new Trainer(model, train, validation, output,
                options(rounding("w4a4", 0, 0, QuantizedTraining.Method.LSQ, other)), this).run()).getMessage();
        assertTrue(foreign.contains("is not the quantised form of the model"), foreign);
        Path larger = folder.resolve("larger.onnx");
        OnnxModels.write(quantized(2 * SIDE), larger);
        String size = assertThrows(ModelException.class, () -> new Trainer(model, train, validation, output,
                options(rounding("w4a4", 0, 0, QuantizedTraining.Method.LSQ, larger)), this).run()).getMessage();
        assertTrue(size.contains("was quantised for inputs") && size.contains("--img"), size);
        assertFalse(Files.exists(Trainer.folder(output)), "nothing is left behind");
    }

    @Test
    void aSparseRunDrawsItsGammas() {
        requireTorch();
        Path output = folder.resolve("sparse.onnx");
        new Trainer(model, train, validation, output, options(new TrainingMethods(
                new SparseTraining(SparseTraining.Method.COSINE, 0.01), null, null)), this).run();
        assertTrue(Files.exists(Trainer.folder(output).resolve("gammas.png")));
        assertTrue(notes.toString().contains("gammas below 0.01"), notes.toString());
    }

    @Test
    void roundsOfPruningLeaveWhatTheScheduleSays() {
        requireTorch();
        Path output = folder.resolve("small.onnx");
        TrainingOptions options = options(TrainingMethods.NONE);
        new IterativePruning(model, train, validation, output, options, this).run(PruneSchedule.of(0.9, 0.8));
        assertTrue(channels(output) < channels(model), channels(output) + " channels");
        notes.clear();
        // What is done is not done again.
        assertTrue(new IterativePruning(model, train, validation, output, options.resuming(true), this)
                .run(PruneSchedule.of(0.9, 0.8)).isEmpty());
        assertEquals(List.of("round 1 is done", "round 2 is done"), notes);
        assertTrue(assertThrows(TrainingException.class, () -> new IterativePruning(model, train, validation, output,
                options.resuming(true), this).run(PruneSchedule.of(0.7))).getMessage().contains("[0.9, 0.8]"));
        Path other = folder.resolve("other.onnx");
        OnnxModels.write(named(TestNetworks.yolov5(SIDE, 2, false).whole()), other);
        assertTrue(assertThrows(TrainingException.class, () -> new IterativePruning(other, train, validation, output,
                options.resuming(true), this).run(PruneSchedule.of(0.9, 0.8))).getMessage()
                .contains("began with another model"));
    }

    private static long channels(Path file) {
        Graph graph = OnnxModels.read(file);
        return graph.nodes().stream().filter(node -> node.op() instanceof Op.Conv)
                .mapToLong(node -> graph.constants().get(node.input(1)).shape().dim(0)).sum();
    }

    @Test
    void aTeacherOfAnotherFormGivesLabels() {
        Path teacher = folder.resolve("teacher.onnx");
        OnnxModels.write(named(TestNetworks.yolov8(SIDE, 2, true).whole()), teacher);
        try (Detector detector = Detectors.open(teacher,
                dev.shrike.DetectorOptions.DEFAULT.withThresholds(0.1f, 0.5f))) {
            DataSet found = PseudoLabels.of(train, detector, false, this);
            assertEquals(train.samples().size(), found.samples().size());
            int boxes = found.samples().stream().mapToInt(sample -> sample.boxes().size()).sum();
            DataSet both = PseudoLabels.of(train, detector, true, this);
            assertTrue(boxes > 0, "the teacher found nothing");
            for (int i = 0; i < both.samples().size(); i++) {
                Sample sample = both.samples().get(i);
                assertFalse(sample.boxes().isEmpty());
                assertTrue(sample.boxes().size() <= 1 + found.samples().get(i).boxes().size());
            }
        }
    }

    @Test
    void aNetworkOfOtherClassesIsToBeTunedBeforeItIsRounded() {
        requireTorch();
        Path other = folder.resolve("other.onnx");
        OnnxModels.write(TestNetworks.yolov5(SIDE, 3, true).whole(), other);
        TrainingMethods methods = new TrainingMethods(null,
                new QuantizedTraining("w4a4", 0, QuantizedTraining.Method.LSQ, null, 8, true), null);
        assertTrue(assertThrows(UnsupportedModelException.class, () -> new Trainer(other, train, validation,
                folder.resolve("x.onnx"), options(methods), this).run()).getMessage().contains("without --scheme"));
    }

    @Override
    public void note(String text) {
        notes.add(text);
    }

    @Override
    public void progress(TrainingProgress progress, double secondsLeft) {
        assertTrue(progress.step() <= progress.steps());
    }

    @Override
    public void working(String what, int done, int total) {
        assertTrue(done <= total, what);
    }

    @Override
    public void epoch(EpochResult result) {
        assertTrue(Double.isFinite(result.losses().get("total")));
    }
}
