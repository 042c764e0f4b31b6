package dev.shrike.calibration.quantize;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class BudgetChoiceTest {
    @RepeatedTest(60)
    void asGoodAsTryingEverything(RepetitionInfo repetition) {
        Random random = new Random(repetition.getCurrentRepetition());
        List<List<BudgetChoice.Option>> layers = new ArrayList<>();
        for (int i = 0; i < 1 + random.nextInt(5); i++) {
            List<BudgetChoice.Option> options = new ArrayList<>();
            for (int j = 0; j < 1 + random.nextInt(5); j++) {
                options.add(
                        new BudgetChoice.Option(random.nextInt(12), random.nextInt(4) == 0 ? 1 : random.nextDouble()));
            }
            layers.add(options);
        }
        long budget = random.nextInt(40);
        double best = best(layers, 0, budget);
        if (best == Double.POSITIVE_INFINITY) {
            assertThrows(IllegalArgumentException.class, () -> BudgetChoice.choose(layers, budget));
            return;
        }
        int[] chosen = BudgetChoice.choose(layers, budget);
        long cost = 0;
        double loss = 0;
        for (int i = 0; i < chosen.length; i++) {
            cost += layers.get(i).get(chosen[i]).cost();
            loss += layers.get(i).get(chosen[i]).loss();
        }
        assertTrue(cost <= budget);
        assertEquals(best, loss, 1e-12);
    }

    private static double best(List<List<BudgetChoice.Option>> layers, int from, long budget) {
        if (from == layers.size()) {
            return budget >= 0 ? 0 : Double.POSITIVE_INFINITY;
        }
        double best = Double.POSITIVE_INFINITY;
        for (BudgetChoice.Option option : layers.get(from)) {
            best = Math.min(best, option.loss() + best(layers, from + 1, budget - option.cost()));
        }
        return best;
    }

    @Test
    void nothingToChooseIsNoProblem() {
        assertArrayEquals(new int[0], BudgetChoice.choose(List.of(), 0));
        assertThrows(IllegalArgumentException.class, () -> new BudgetChoice.Option(-1, 0));
        assertThrows(IllegalArgumentException.class, () -> new BudgetChoice.Option(1, Double.NaN));
    }
}
