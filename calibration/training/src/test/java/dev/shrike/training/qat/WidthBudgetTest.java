package dev.shrike.training.qat;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WidthBudgetTest {
    private static QuantizedTwin twin(int bits) {
        Graph real = TinyNetwork.real(5);
        return new QuantizedTwin(TinyNetwork.quantized(real, bits, bits), real, Set.of("head", "coarse"));
    }

    private static double[] random(WidthBudget budget, long seed) {
        Random random = new Random(seed);
        double[] widths = budget.given();
        for (int i = 0; i < widths.length; i++) {
            widths[i] = 2 + 6 * random.nextDouble();
        }
        return widths;
    }

    @ParameterizedTest
    @ValueSource(doubles = {2, 2.5, 3.3, 5, 8})
    void wholeWidthsHoldTheAverageAndAreTheirOwn(double bits) {
        WidthBudget budget = WidthBudget.ofAverage(twin(4), bits);
        for (int seed = 0; seed < 20; seed++) {
            int[] whole = budget.whole(random(budget, seed));
            double[] same = java.util.Arrays.stream(whole).asDoubleStream().toArray();
            for (double cost : budget.costs(same)) {
                assertTrue(cost <= bits + 1e-6, cost + " bits");
            }
            assertArrayEquals(whole, budget.whole(same));
        }
    }

    @Test
    void theBudgetIsUsedUp() {
        for (WidthBudget budget : new WidthBudget[] {WidthBudget.ofAverage(twin(5), 3.5),
                WidthBudget.ofBitOperations(twin(5), operations(4))}) {
            double[] moved = budget.within(random(budget, 3), 1);
            for (int i = 0; i < budget.limits().length; i++) {
                assertEquals(budget.limits()[i], budget.costs(moved)[i], 1e-6 * budget.limits()[i]);
            }
            assertArrayEquals(budget.given(), budget.within(budget.given(), 0), 1e-9);
        }
    }

    /** Bit operations of the tiny network as it is given, with multiplications counted by hand. */
    private static double operations(int bits) {
        double area = TinyNetwork.SIDE * TinyNetwork.SIDE;
        Map<String, Double> macs = Map.of("first", area / 4 * 3 * 8 * 9, "down", area / 16 * 8 * 12 * 9, "left",
                area / 16 * 12 * 8, "inner", area / 16 * 8 * 8 * 9, "deep", area / 64 * 20 * 16 * 9, "narrow",
                area / 64 * 32 * 12, "fine", area / 16 * 32 * 12 * 9, "head", area / 16 * 12 * 7, "coarse",
                area / 64 * 12 * 7);
        Graph quantized = TinyNetwork.quantized(TinyNetwork.real(5), bits, bits);
        double sum = 0;
        for (Node node : quantized.nodes()) {
            if (node.op() instanceof Op.Conv) {
                sum += macs.get(node.name().replace(".conv.node", ""))
                        * quantized.quantization().get(node.input(1)).bits()
                        * quantized.quantization().get(node.input(0)).bits();
            }
        }
        return sum;
    }

    @Test
    void bitOperationsAreMultiplicationsTimesBits() {
        for (int bits : new int[] {2, 4, 7}) {
            WidthBudget budget = WidthBudget.ofBitOperations(twin(bits), 1e12);
            assertEquals(operations(bits), budget.costs(budget.given())[0], 1);
        }
    }

    @Test
    void gradientsAlongTheBudgetDoNotChangeIt() {
        WidthBudget budget = WidthBudget.ofBitOperations(twin(4), 1e12);
        double[] widths = random(budget, 5);
        double[] along = budget.tangential(random(budget, 6), widths);
        double before = budget.costs(widths)[0];
        double[] moved = widths.clone();
        for (int i = 0; i < moved.length; i++) {
            moved[i] += 1e-6 * along[i];
        }
        assertEquals(0, (budget.costs(moved)[0] - before) / before / 1e-6, 1e-4);
    }

    @Test
    void whatCannotBeReachedIsTold() {
        String message = assertThrows(UnsupportedModelException.class,
                () -> WidthBudget.ofBitOperations(twin(4), 1000)).getMessage();
        assertTrue(message.contains("2 bits") && message.contains("allow more"), message);
        assertThrows(UnsupportedModelException.class, () -> WidthBudget.ofAverage(twin(8), 4));
    }
}
