package dev.shrike.training.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.evaluation.IntegerEvaluator;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.training.LearningSchedule;
import dev.shrike.training.QuantizedTraining;
import dev.shrike.training.SparseTraining;
import dev.shrike.training.Teaching;
import dev.shrike.training.TestNetworks;
import dev.shrike.training.TrainableModel;
import dev.shrike.training.TrainingJob;
import dev.shrike.training.TrainingMethods;
import dev.shrike.training.data.Augmentation;
import dev.shrike.training.qat.TinyNetwork;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("any-processor")
class RunPartsTest {
    private static final int SIDE = 64;
    private static final Tensor IMAGE = Tensor.ofFloats(Shape.of(1, 3, SIDE, SIDE),
            TestNetworks.pixels(3 * SIDE * SIDE, 1));

    @TempDir
    Path folder;

    private TrainingJob job(TrainingMethods methods) {
        TrainableModel model = TestNetworks.yolov5(SIDE, 2, true);
        Path start = folder.resolve("start.onnx");
        OnnxModels.write(model.whole(), start);
        return new TrainingJob(start.toString(), folder.resolve("images").toString(), folder.toString(), SIDE, SIDE,
                false, new LearningSchedule(LearningSchedule.Optimizer.ADAMW, 2, 2, 2, 0.01, 0.1, 0.9, 0, 0), 0,
                Augmentation.NONE, 0, 1, 1, "cpu", methods, Map.of());
    }

    private String quantized() {
        Graph real = GraphPasses.forInference(TestNetworks.yolov5(SIDE, 2, true).whole(), Map.of());
        Path file = folder.resolve("quantized.onnx");
        OnnxModels.write(TinyNetwork.quantized(real, IMAGE, 3, 3), file);
        return file.toString();
    }

    /** Batches of random images with one object each. */
    private record RandomBatches(int batches) implements BatchSource {
        @Override
        public Batch batch(int epoch, int batch) {
            float[] targets = {0, 1, 0.5f, 0.5f, 0.3f, 0.4f, 1, 0, 0.3f, 0.6f, 0.2f, 0.2f};
            return new Batch(TensorMath.ofFloats(TestNetworks.pixels(2 * 3 * SIDE * SIDE, epoch * 10L + batch), 2, 3,
                    SIDE, SIDE), TensorMath.ofFloats(targets, 2, 6));
        }
    }

    private static Map<String, Double> train(RunParts parts, TrainingJob job) {
        TrainableModel model = TestNetworks.yolov5(SIDE, 2, true);
        Optimization optimization = new Optimization(parts.network(), job.schedule(), Set.of());
        WeightAverage[] average = new WeightAverage[1];
        TrainingLoop loop = new TrainingLoop(parts.network(), parts.loss(new Yolov5Loss(model.head(), SIDE)),
                parts.regularizers(() -> average[0]), parts.batches(new RandomBatches(4)), job.schedule(), optimization,
                new Device("cpu"), 1);
        average[0] = loop.average();
        loop.epoch(0, null);
        return loop.epoch(1, null);
    }

    @ParameterizedTest
    @EnumSource(QuantizedTraining.Method.class)
    void aRoundedNetworkLearnsAndIsWrittenAsTheEngineComputesIt(QuantizedTraining.Method method) {
        TrainingMethods methods = new TrainingMethods(null, new QuantizedTraining("w3a3", 0, method, quantized(), 8,
                true), new Teaching(folder.resolve("start.onnx").toString(), 1, 0.5, true));
        TrainingJob job = job(methods);
        try (PointerScope _ = new PointerScope();
                RunParts parts = new RunParts(job, TestNetworks.yolov5(SIDE, 2, true), new Device("cpu"))) {
            parts.initialize(List.of(TensorMath.ofFloats(IMAGE.toFloats(), 1, 3, SIDE, SIDE)));
            Graph before = parts.written();
            Map<String, Double> losses = train(parts, job);
            assertTrue(losses.keySet().containsAll(Set.of("box", "obj", "cls", "teacher", "features", "total")),
                    losses.toString());
            Graph after = parts.written();
            Path file = folder.resolve("written.onnx");
            OnnxModels.write(after, file);
            Graph read = GraphPasses.forInference(OnnxModels.read(file), Map.of());
            assertTrue(before.quantization().keySet().containsAll(after.quantization().keySet()));
            parts.network().train(false);
            List<org.bytedeco.pytorch.Tensor> heads =
                    parts.network().forward(TensorMath.ofFloats(IMAGE.toFloats(), 1, 3, SIDE, SIDE));
            List<String> names = TestNetworks.yolov5(SIDE, 2, true).head().outputs();
            Map<String, Tensor> expected = IntegerEvaluator
                    .run(read.withOutputs(after.outputs()), Map.of("images", IMAGE), Set.copyOf(names)).floats();
            int far = 0;
            int all = 0;
            for (int h = 0; h < names.size(); h++) {
                float[] wanted = expected.get(names.get(h)).toFloats();
                float[] found = TensorMath.floats(heads.get(h));
                for (int i = 0; i < wanted.length; i++) {
                    far += Math.abs(wanted[i] - found[i]) > 1e-3 * Math.max(1, Math.abs(wanted[i])) ? 1 : 0;
                    all++;
                }
            }
            assertTrue(far <= all / 20, far + " of " + all + " results differ");
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void frozenStatisticsStayAndNormaliseInTrainingToo(boolean quantized) {
        TrainingMethods methods = new TrainingMethods(null, quantized ? new QuantizedTraining("w3a3", 0,
                QuantizedTraining.Method.LSQ, quantized(), 8, true) : null, null, true);
        TrainingJob job = job(methods);
        try (PointerScope _ = new PointerScope();
                RunParts parts = new RunParts(job, TestNetworks.yolov5(SIDE, 2, true), new Device("cpu"))) {
            org.bytedeco.pytorch.Tensor image = TensorMath.ofFloats(IMAGE.toFloats(), 1, 3, SIDE, SIDE);
            if (quantized) {
                parts.initialize(List.of(image));
            }
            Map<String, float[]> before = values(parts.network().buffers());
            Map<String, float[]> parameters = values(parts.network().parameters());
            train(parts, job);
            assertFalse(parts.movesStatistics());
            assertFalse(before.isEmpty());
            values(parts.network().buffers())
                    .forEach((name, value) -> assertArrayEquals(before.get(name), value, name));
            assertTrue(values(parts.network().parameters()).entrySet().stream()
                    .anyMatch(each -> !Arrays.equals(parameters.get(each.getKey()), each.getValue())));
            parts.network().train(true);
            float[] training = TensorMath.floats(parts.network().forward(image).getFirst());
            parts.network().train(false);
            assertArrayEquals(TensorMath.floats(parts.network().forward(image).getFirst()), training);
        }
    }

    private static Map<String, float[]> values(Map<String, org.bytedeco.pytorch.Tensor> tensors) {
        Map<String, float[]> values = new LinkedHashMap<>();
        tensors.forEach((name, tensor) -> values.put(name, TensorMath.floats(tensor.detach())));
        return values;
    }

    @Test
    void sparseTrainingDrawsGammasToZero() {
        TrainingJob job = job(new TrainingMethods(new SparseTraining(SparseTraining.Method.CONSTANT, 1), null, null));
        try (PointerScope _ = new PointerScope();
                RunParts parts = new RunParts(job, TestNetworks.yolov5(SIDE, 2, true), new Device("cpu"))) {
            double before = gammas(parts);
            train(parts, job);
            assertTrue(gammas(parts) < 0.97 * before, gammas(parts) + " of " + before);
            assertEquals(parts.written().nodes().size(), TestNetworks.yolov5(SIDE, 2, true).whole().nodes().size());
        }
    }

    private static double gammas(RunParts parts) {
        double sum = 0;
        for (String name : parts.network().gammas()) {
            for (float gamma : TensorMath.floats(parts.network().parameters().get(name))) {
                sum += Math.abs(gamma);
            }
        }
        return sum;
    }

    @Test
    void aTeacherOfAnotherFormIsRefused() {
        Path other = folder.resolve("other.onnx");
        OnnxModels.write(TestNetworks.yolov8(SIDE, 2, true).whole(), other);
        TrainingJob job = job(new TrainingMethods(null, null, new Teaching(other.toString(), 1, 0.5, true)));
        assertTrue(assertThrows(UnsupportedModelException.class,
                () -> new RunParts(job, TestNetworks.yolov5(SIDE, 2, true), new Device("cpu")).close()).getMessage()
                .contains("other.onnx"));
    }
}
