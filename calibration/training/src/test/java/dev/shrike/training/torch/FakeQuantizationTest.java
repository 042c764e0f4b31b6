package dev.shrike.training.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.evaluation.IntegerEvaluator;
import dev.shrike.training.qat.OneBitCodes;
import dev.shrike.training.qat.QuantizedTwin;
import dev.shrike.training.qat.TinyNetwork;
import dev.shrike.training.qat.WidthBudget;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("any-processor")
class FakeQuantizationTest {
    private static Tensor images(int count) {
        float[] all = new float[count * 3 * TinyNetwork.SIDE * TinyNetwork.SIDE];
        for (int i = 0; i < count; i++) {
            float[] one = TinyNetwork.image(3 + i).toFloats();
            System.arraycopy(one, 0, all, i * one.length, one.length);
        }
        return TensorMath.ofFloats(all, count, 3, TinyNetwork.SIDE, TinyNetwork.SIDE);
    }

    private static QuantizedTwin twin(int bits) {
        Graph real = TinyNetwork.real(5);
        return new QuantizedTwin(TinyNetwork.quantized(real, bits, bits), real, Set.of("head", "coarse"));
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 4, 8})
    void computesWhatTheEngineDoesBeforeAndAfterSomeSteps(int bits) {
        QuantizedTwin twin = twin(bits);
        try (PointerScope _ = new PointerScope();
                GraphNetwork network = new GraphNetwork(twin.graph(), new Device("cpu"))) {
            FakeQuantization rounding = new FakeQuantization(network, twin, QuantizationMethod.LSQ);
            compare(network, rounding, 0.02);
            rounding.initialize(List.of(images(4)));
            compare(network, rounding, 0.05);
            network.train(true);
            for (int i = 0; i < 10; i++) {
                step(network, rounding);
            }
            network.train(false);
            compare(network, rounding, 0.05);
        }
    }

    @ParameterizedTest
    @CsvSource({"1,1", "1,2", "2,1", "1,8"})
    void codesOfOneBitAreWrittenAsTheyAreComputed(int weights, int values) {
        Graph real = TinyNetwork.real(5);
        Graph codes = OneBitCodes.of(TinyNetwork.quantized(real, Math.max(2, weights), Math.max(2, values)), real,
                weights == 1, values == 1);
        QuantizedTwin twin = new QuantizedTwin(codes, real, Set.of("head", "coarse"));
        for (QuantizationMethod method : List.of(QuantizationMethod.LSQ, new DirectedRounding())) {
            try (PointerScope _ = new PointerScope();
                    GraphNetwork network = new GraphNetwork(twin.graph(), new Device("cpu"))) {
                FakeQuantization rounding = new FakeQuantization(network, twin, method);
                compare(network, rounding, 0.02);
                rounding.initialize(List.of(images(4)));
                network.train(true);
                for (int i = 0; i < 10; i++) {
                    step(network, rounding);
                }
                network.train(false);
                compare(network, rounding, 0.05);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {2.5, 3.5, 4.5})
    void widthsAreLearnedWithinTheBudgetAndThenStay(double bits) {
        QuantizedTwin twin = twin(4);
        WidthBudget budget = WidthBudget.ofAverage(twin, bits);
        try (PointerScope _ = new PointerScope();
                GraphNetwork network = new GraphNetwork(twin.graph(), new Device("cpu"))) {
            NoiseProxy noise = new NoiseProxy(network, twin, budget, 0.5);
            FakeQuantization rounding = new FakeQuantization(network, twin, noise);
            compare(network, rounding, 0.02);
            rounding.initialize(List.of(images(4)));
            Set<Integer> tried = new HashSet<>();
            Map<String, Integer> fixed = Map.of();
            for (int i = 0; i < 20; i++) {
                network.train(true);
                step(network, rounding, i / 20.0);
                network.train(false);
                requireWithin(budget, noise.widths(), bits);
                compare(network, rounding, 0.05);
                tried.addAll(noise.widths().values());
                if (i >= 10) {
                    assertEquals(fixed.isEmpty() ? noise.widths() : fixed, noise.widths(), "step " + i);
                    fixed = noise.widths();
                }
            }
            assertTrue(tried.size() > 1, "all widths are " + tried);
            // What a checkpoint holds is enough to go on with the same widths.
            NoiseProxy again = resumed(network, twin, budget);
            assertEquals(fixed, again.widths());
        }
    }

    @Test
    void widthsHaveGradientsThatKeepTheBudget() {
        QuantizedTwin twin = twin(4);
        WidthBudget budget = WidthBudget.ofBitOperations(twin, 1e12);
        try (PointerScope _ = new PointerScope();
                GraphNetwork network = new GraphNetwork(twin.graph(), new Device("cpu"))) {
            NoiseProxy noise = new NoiseProxy(network, twin, budget, 0.5);
            FakeQuantization rounding = new FakeQuantization(network, twin, noise);
            rounding.initialize(List.of(images(4)));
            network.train(true);
            network.forward(images(4)).getFirst().square().mean().backward();
            double[] before = widthGradients(network, budget);
            assertTrue(java.util.Arrays.stream(before).allMatch(slope -> slope != 0 && Double.isFinite(slope)),
                    java.util.Arrays.toString(before));
            noise.addGradients(network, twin);
            double[] after = widthGradients(network, budget);
            assertArrayEquals(budget.tangential(before, budget.given()), after, 1e-6);
        }
    }

    private static double[] widthGradients(GraphNetwork network, WidthBudget budget) {
        return budget.items().stream()
                .mapToDouble(item -> network.parameters().get(item.name() + ".width").grad().item_float()).toArray();
    }

    private static NoiseProxy resumed(GraphNetwork network, QuantizedTwin twin, WidthBudget budget) {
        GraphNetwork other = new GraphNetwork(twin.graph(), new Device("cpu"));
        NoiseProxy again = new NoiseProxy(other, twin, budget, 0.5);
        other.parameters().forEach((name, tensor) -> tensor.detach().copy_(network.parameters().getOrDefault(name,
                tensor)));
        return again;
    }

    private static void requireWithin(WidthBudget budget, Map<String, Integer> widths, double bits) {
        double[] whole = budget.items().stream().mapToDouble(item -> widths.get(item.name())).toArray();
        assertArrayEquals(whole, java.util.Arrays.stream(budget.whole(whole)).asDoubleStream().toArray(),
                bits + " bits");
    }

    @Test
    void directedRoundingIsWrittenAsItIsComputed() {
        QuantizedTwin twin = twin(3);
        try (PointerScope _ = new PointerScope();
                GraphNetwork network = new GraphNetwork(twin.graph(), new Device("cpu"))) {
            FakeQuantization rounding = new FakeQuantization(network, twin, new DirectedRounding());
            rounding.initialize(List.of(images(4)));
            network.train(true);
            for (int i = 0; i < 10; i++) {
                step(network, rounding);
            }
            network.train(false);
            compare(network, rounding, 0.05);
        }
    }

    @Test
    void correctionLearnsWithoutChangingCodes() {
        QuantizedTwin twin = twin(2);
        try (PointerScope _ = new PointerScope();
                GraphNetwork network = new GraphNetwork(twin.graph(), new Device("cpu"))) {
            FakeQuantization rounding = new FakeQuantization(network, twin, QuantizationMethod.LSQ);
            rounding.initialize(List.of(images(4)));
            CodeCorrection correction = new CodeCorrection(rounding, 0.5, network::parameters);
            network.train(true);
            correction.addGradients(network, 0.4);
            step(network, rounding);
            correction.afterStep(network, 0.4);
            correction.addGradients(network, 0.5);
            Graph before = rounding.assembled();
            for (int i = 0; i < 5; i++) {
                step(network, rounding);
                correction.afterStep(network, 0.5);
            }
            Graph after = rounding.assembled();
            boolean scaled = false;
            for (var layer : twin.layers()) {
                assertArrayEquals(before.constants().get(layer.weights()).toLongs(),
                        after.constants().get(layer.weights()).toLongs());
                scaled |=
                        !before.quantization().get(layer.weights()).isSameAs(after.quantization().get(layer.weights()));
            }
            assertTrue(scaled, "no scale was corrected");
        }
    }

    /** With the statistics of one batch the network computes of it what it does in training, which uses just these. */
    @Test
    void measuredStatisticsAreThoseOfTheImages() {
        QuantizedTwin twin = twin(3);
        try (PointerScope _ = new PointerScope();
                GraphNetwork network = new GraphNetwork(twin.graph(), new Device("cpu"))) {
            FakeQuantization rounding = new FakeQuantization(network, twin, QuantizationMethod.LSQ);
            rounding.initialize(List.of(images(4)));
            network.train(true);
            for (int i = 0; i < 30; i++) {
                step(network, rounding);
            }
            network.keep(List.of("head"));
            rounding.measureStatistics(List.of(images(4)));
            network.train(true);
            float[] wanted = TensorMath.floats(network.forward(images(4)).getFirst());
            assertArrayEquals(wanted, TensorMath.floats(network.value("head")), "what was kept before still is");
            rounding.measureStatistics(List.of(images(4)));
            network.train(false);
            float[] found = TensorMath.floats(network.forward(images(4)).getFirst());
            requireMostlyEqual(wanted, found, 0.05);
        }
    }

    private static void step(GraphNetwork network, FakeQuantization rounding) {
        step(network, rounding, 0.1);
    }

    private static void step(GraphNetwork network, FakeQuantization rounding, double progress) {
        Tensor loss = network.forward(images(4)).getFirst().sub(TensorMath.ofFloats(new float[] {0.5f}, 1)).square()
                .mean();
        loss.backward();
        rounding.addGradients(network, progress);
        for (Tensor parameter : network.parameters().values()) {
            if (parameter.grad().defined()) {
                parameter.detach().sub_(TensorMath.mul(parameter.grad(), 0.05));
                parameter.grad().zero_();
            }
        }
        rounding.afterStep(network, progress);
    }

    private static void requireMostlyEqual(float[] wanted, float[] found, double share) {
        int far = 0;
        for (int i = 0; i < wanted.length; i++) {
            far += Math.abs(wanted[i] - found[i]) > 1e-3 * Math.max(1, Math.abs(wanted[i])) ? 1 : 0;
        }
        assertTrue(far <= share * wanted.length, far + " of " + wanted.length + " results differ");
    }

    /** Values on the border of two codes may go either way, so a share of the results may differ. */
    private static void compare(GraphNetwork network, FakeQuantization rounding, double share) {
        Graph assembled = rounding.assembled();
        List<Tensor> heads = network.forward(images(1));
        List<String> names = List.of("head", "coarse");
        Map<String, dev.shrike.graph.Tensor> expected = IntegerEvaluator
                .run(assembled, Map.of("images", TinyNetwork.image(3)), Set.copyOf(names)).floats();
        for (int h = 0; h < 2; h++) {
            float[] wanted = expected.get(names.get(h)).toFloats();
            float[] found = TensorMath.floats(heads.get(h));
            requireMostlyEqual(wanted, found, share);
        }
    }

    @Test
    void stepsAreLearnedWithTheGradientsOfLsq() {
        Quantization how = new Quantization(dev.shrike.graph.Tensor.ofFloats(Shape.of(2), 0.5f, 0.25f),
                dev.shrike.graph.Tensor.of(DataType.INT32, Shape.of(2), 0, 1), 3, true, false, 0);
        float[] weights = new float[2 * 5];
        Random random = new Random(2);
        for (int i = 0; i < weights.length; i++) {
            weights[i] = 12 * random.nextFloat() - 6;
        }
        try (PointerScope _ = new PointerScope()) {
            Tensor x = TensorMath.ofFloats(weights, 2, 5, 1, 1).requires_grad_(true);
            Tensor p = TensorMath.ofFloats(new float[2], 2).requires_grad_(true);
            LearnedRounding.weights(x, how, p).mul(TensorMath.ofFloats(range(10), 2, 5, 1, 1)).sum().backward();
            float[] slopes = new float[2];
            float[] passed = new float[10];
            for (int i = 0; i < 10; i++) {
                float step = how.scale().floatAt(i / 5);
                double low = -4 - how.zeroPoint().longAt(i / 5);
                double high = 3 - how.zeroPoint().longAt(i / 5);
                double position = weights[i];
                boolean inside = position >= low && position <= high;
                double code = Math.clamp(Math.rint(position), low, high);
                slopes[i / 5] += (float) (i * step * (inside ? code - position : code));
                passed[i] = inside ? i * step : 0;
            }
            float scale = (float) (1 / Math.sqrt(5 * 3));
            assertArrayEquals(new float[] {slopes[0] * scale, slopes[1] * scale}, TensorMath.floats(p.grad()), 1e-4f);
            assertArrayEquals(passed, TensorMath.floats(x.grad()), 1e-5f);
        }
    }

    @Test
    void stepsOfValuesAreLearnedAlike() {
        Quantization how = Quantization.perTensor(0.25f, 1, 2, false);
        try (PointerScope _ = new PointerScope()) {
            float[] values = {-1, -0.3f, -0.2f, 0.05f, 0.2f, 0.3f, 0.49f, 0.7f, 2};
            Tensor x = TensorMath.ofFloats(values, 1, 9).requires_grad_(true);
            Tensor p = TensorMath.ofFloats(new float[1], 1).requires_grad_(true);
            Tensor y = LearnedRounding.values(x, how, p);
            y.mul(TensorMath.ofFloats(range(9), 1, 9)).sum().backward();
            List<Float> expected = new ArrayList<>();
            double slope = 0;
            for (int i = 0; i < values.length; i++) {
                double position = values[i] / 0.25;
                double code = Math.clamp(Math.rint(position), -1, 2);
                boolean clipped = Math.rint(position) < -1 || Math.rint(position) > 2;
                expected.add((float) (0.25 * code));
                slope += i * 0.25 * (clipped ? code : code - position);
            }
            float[] found = TensorMath.floats(y);
            for (int i = 0; i < found.length; i++) {
                assertEquals(expected.get(i), found[i], 1e-6f);
            }
            assertEquals(slope / Math.sqrt(9 * 2), p.grad().item_float(), 1e-4);
        }
    }

    private static float[] range(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = i;
        }
        return values;
    }
}
