package dev.shrike.training.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ShrikeException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Tensor;
import dev.shrike.training.LearningSchedule;
import dev.shrike.training.NormalizationInsertion;
import dev.shrike.training.TestNetworks;
import dev.shrike.training.TrainableModel;
import dev.shrike.training.TrainingException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

@Tag("any-processor")
class TrainingLoopTest {
    private static final int SIDE = 64;
    private static final int BATCH = 4;
    private static final Device CPU = new Device("cpu");

    @BeforeAll
    static void oneThread() {
        torch.set_num_threads(1);
    }

    /** Noise with one box an image, by epoch and batch, or always the same. */
    private record RandomBatches(boolean same) implements BatchSource {
        @Override
        public int batches() {
            return 10;
        }

        @Override
        public Batch batch(int epoch, int batch) {
            Random random = new Random(same ? 3 : 100L * epoch + batch);
            float[] targets = new float[6 * BATCH];
            for (int i = 0; i < BATCH; i++) {
                targets[6 * i] = i;
                targets[6 * i + 1] = random.nextInt(3);
                targets[6 * i + 2] = 0.3f + 0.4f * random.nextFloat();
                targets[6 * i + 3] = 0.3f + 0.4f * random.nextFloat();
                targets[6 * i + 4] = 0.2f + 0.2f * random.nextFloat();
                targets[6 * i + 5] = 0.2f + 0.2f * random.nextFloat();
            }
            return new Batch(Tensors.of(TestNetworks.pixels(BATCH * 3 * SIDE * SIDE, random.nextLong()), BATCH, 3, SIDE,
                    SIDE), Tensors.of(targets, BATCH, 6));
        }
    }

    private static LearningSchedule schedule(LearningSchedule.Optimizer optimizer) {
        return new LearningSchedule(optimizer, 2, BATCH, 2 * BATCH, optimizer.usualRate(), 0.1, 0.9, 5e-4, 0.5);
    }

    /** A run on a network of its own. */
    private static final class Run implements AutoCloseable {
        final GraphNetwork network;
        final Optimization optimization;
        final TrainingLoop loop;

        Run(LearningSchedule schedule) {
            this(schedule, false);
        }

        Run(LearningSchedule schedule, boolean same) {
            TrainableModel model = TestNetworks.yolov5(SIDE, 3, true);
            network = new GraphNetwork(model.trunk(), CPU);
            optimization = new Optimization(network, schedule, Set.of());
            loop = new TrainingLoop(network, new Yolov5Loss(model.head(), SIDE), List.of(), new RandomBatches(same),
                    schedule, optimization, CPU, 5);
        }

        Graph averages() {
            return loop.average().applied(network::toGraph);
        }

        @Override
        public void close() {
            network.close();
        }
    }

    private static void requireSameBits(Graph expected, Graph actual) {
        for (Map.Entry<String, Tensor> constant : expected.constants().entrySet()) {
            assertEquals(-1, constant.getValue().data().mismatch(actual.constants().get(constant.getKey()).data()),
                    constant.getKey());
        }
    }

    @ParameterizedTest
    @EnumSource
    void twentyStepsRepeatToTheBit(LearningSchedule.Optimizer optimizer) {
        try (Run first = new Run(schedule(optimizer)); Run second = new Run(schedule(optimizer))) {
            Graph before = first.network.toGraph();
            for (Run run : List.of(first, second)) {
                run.loop.epoch(0, null);
                run.loop.epoch(1, null);
            }
            requireSameBits(first.network.toGraph(), second.network.toGraph());
            requireSameBits(first.averages(), second.averages());
            assertTrue(before.constants().get("model.0.conv.weight").data()
                    .mismatch(first.network.toGraph().constants().get("model.0.conv.weight").data()) >= 0);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aRunThatWasStoppedGoesOnToTheSameBits(LearningSchedule.Optimizer optimizer, @TempDir Path folder) {
        LearningSchedule schedule = schedule(optimizer);
        try (Run whole = new Run(schedule); Run first = new Run(schedule); Run second = new Run(schedule)) {
            whole.loop.epoch(0, null);
            whole.loop.epoch(1, null);
            first.loop.epoch(0, null);
            Checkpoint checkpoint = new Checkpoint(folder);
            checkpoint.write(1, first.network, first.loop.average(), first.optimization);
            assertEquals(1, checkpoint.read(second.network, second.loop.average(), second.optimization));
            second.loop.epoch(1, null);
            requireSameBits(whole.network.toGraph(), second.network.toGraph());
            requireSameBits(whole.averages(), second.averages());
        }
    }

    @Test
    void theLossOfOneBatchFalls() {
        LearningSchedule schedule = new LearningSchedule(LearningSchedule.Optimizer.ADAMW, 4, BATCH, BATCH, 0.02, 0.1,
                0.9, 0, 0);
        try (Run run = new Run(schedule, true)) {
            double first = run.loop.epoch(0, null).get("total");
            double last = 0;
            for (int epoch = 1; epoch < 4; epoch++) {
                last = run.loop.epoch(epoch, null).get("total");
            }
            assertTrue(last < 0.8 * first, first + " to " + last);
        }
    }

    @Test
    void weightsOfConvolutionsAloneDecay() {
        LearningSchedule schedule = new LearningSchedule(LearningSchedule.Optimizer.SGD, 1, 1, 1, 0.5, 1, 0, 0.2, 0);
        try (Run run = new Run(schedule)) {
            Graph before = run.network.toGraph();
            try (PointerScope _ = new PointerScope()) {
                run.network.parameters().values()
                        .forEach(parameter -> parameter.mul(Tensors.scalar(0)).sum().backward());
            }
            run.optimization.step(0, 1);
            Graph after = run.network.toGraph();
            for (String name : run.network.parameters().keySet()) {
                double factor = run.network.weights().contains(name) ? 1 - 0.5 * 0.2 : 1;
                assertEquals(before.constants().get(name).floatAt(0) * factor,
                        after.constants().get(name).floatAt(0), 1e-6, name);
            }
        }
    }

    /** The formulas of Kingma and Ba (2015) and of Loshchilov and Hutter (2019), in plain Java. */
    @Test
    void adamwMovesAsItsFormulaSays() {
        double beta = 0.8;
        LearningSchedule schedule = new LearningSchedule(LearningSchedule.Optimizer.ADAMW, 1, BATCH, BATCH, 0.01, 1,
                beta, 0.1, 0);
        double[] gradients = {0.5, -0.01, 0, 0.002, 0, 0, -0.3};
        try (Run run = new Run(schedule)) {
            String name = "model.0.conv.weight";
            double wanted = run.network.toGraph().constants().get(name).floatAt(0);
            double mean = 0;
            double square = 0;
            for (int i = 0; i < gradients.length; i++) {
                try (PointerScope _ = new PointerScope()) {
                    run.optimization.clear();
                    run.network.parameters().get(name).reshape(-1).narrow(0, 0, 1)
                            .mul(Tensors.scalar(gradients[i])).sum().backward();
                }
                run.optimization.step(i, 100);
                mean = beta * mean + (1 - beta) * gradients[i];
                square = 0.999 * square + 0.001 * gradients[i] * gradients[i];
                double step = mean / (1 - Math.pow(beta, i + 1))
                        / (Math.sqrt(square / (1 - Math.pow(0.999, i + 1))) + 1e-8);
                wanted = wanted * (1 - 0.01 * 0.1) - 0.01 * step;
                assertEquals(wanted, run.network.toGraph().constants().get(name).floatAt(0), 1e-5, "step " + i);
            }
        }
    }

    /** Clipped by its norm, one infinite gradient would make NaN of all parameters. */
    @Test
    void infiniteGradientsAreLeftOutUntilTheyAreTooMany() {
        try (Run run = new Run(schedule(LearningSchedule.Optimizer.ADAMW))) {
            Graph before = run.network.toGraph();
            for (int i = 0; i < 9; i++) {
                infiniteGradient(run);
                run.optimization.step(i, 10);
                requireSameBits(before, run.network.toGraph());
            }
            infiniteGradient(run);
            assertTrue(assertThrows(TrainingException.class, () -> run.optimization.step(9, 10)).getMessage()
                    .contains("--lr"));
            run.optimization.clear();
            run.loop.epoch(0, null);
            for (org.bytedeco.pytorch.Tensor parameter : run.network.parameters().values()) {
                assertTrue(Float.isFinite(Tensors.toFloats(parameter)[0]));
            }
        }
    }

    private static void infiniteGradient(Run run) {
        try (PointerScope _ = new PointerScope()) {
            run.optimization.clear();
            run.network.parameters().get("model.0.conv.weight").sum()
                    .mul(Tensors.scalar(Double.POSITIVE_INFINITY)).backward();
        }
    }

    @Test
    void aLossThatIsNoNumberStops() {
        LearningSchedule schedule = new LearningSchedule(LearningSchedule.Optimizer.SGD, 1, BATCH, BATCH, 10, 1, 0.9, 0,
                0);
        try (Run run = new Run(schedule)) {
            try (PointerScope _ = new PointerScope(); NoGradGuard _ = new NoGradGuard()) {
                run.network.parameters().get("model.0.conv.weight").detach().fill_(Tensors.scalar(Double.NaN));
            }
            TrainingException e = assertThrows(TrainingException.class, () -> run.loop.epoch(0, null));
            assertTrue(e.getMessage().contains("NaN in epoch 1, batch 1 of 10") && e.getMessage().contains("--lr"),
                    e.getMessage());
        }
    }

    @Test
    void insertedNormalizationChangesNothingBeforeAndAfterItIsMeasured() {
        Graph folded = TestNetworks.yolov5(SIDE, 3, false).trunk();
        Graph inserted = NormalizationInsertion.apply(folded);
        try (GraphNetwork plain = new GraphNetwork(folded, CPU); GraphNetwork network = new GraphNetwork(inserted, CPU);
                PointerScope _ = new PointerScope()) {
            org.bytedeco.pytorch.Tensor images = new RandomBatches(true).batch(0, 0).images();
            float[] expected = Tensors.toFloats(plain.forward(images).getFirst());
            requireNear(expected, Tensors.toFloats(network.forward(images).getFirst()));
            NormalizationStatistics.measure(network, inserted, List.of(images));
            requireNear(expected, Tensors.toFloats(network.forward(images).getFirst()));
            network.train(true);
            // On the very images that were measured, the statistics of the batch are the running ones.
            requireNear(expected, Tensors.toFloats(network.forward(images).getFirst()));
        }
    }

    private static void requireNear(float[] expected, float[] actual) {
        assertEquals(expected.length, actual.length);
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], actual[i], 2e-4, "element " + i);
        }
    }

    @Test
    void aStateThatCannotBeWrittenIsToldWithTheWayOut(@TempDir Path folder) {
        try (Run run = new Run(schedule(LearningSchedule.Optimizer.SGD))) {
            Checkpoint nowhere = new Checkpoint(folder.resolve("missing"));
            ShrikeException e = assertThrows(ShrikeException.class,
                    () -> nowhere.write(1, run.network, run.loop.average(), run.optimization));
            assertTrue(e.getMessage().contains("optimizer-1.pt: cannot be written")
                    && e.getMessage().contains("check free space") && !e.getMessage().contains("frame #"),
                    e.getMessage());
        }
    }

    @Test
    void shortMemoryOfPyTorchIsToldAsSuch() {
        assertEquals("OutOfMemoryError", TrainingMain.kind(new RuntimeException("[enforce fail at alloc_cpu.cpp:124]"
                + " DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")));
        assertEquals("TrainingException", TrainingMain.kind(new TrainingException("out of memory")));
        assertEquals("wrong", TrainingMain.message(new RuntimeException("wrong\nException raised from f at g:1")));
    }
}
