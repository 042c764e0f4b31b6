package dev.shrike.app.compress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.app.compress.PruningShare.Tried;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What prunings are asked for, on networks whose latency is a known function of that. */
@Tag("any-processor")
class PruningShareTest {
    /** Where the latency is a line, two points tell it; the fourth trial may go as far as they say. */
    @Test
    void linesAreMetByTheFourthTrial() {
        for (double still : new double[] {0, 0.1, 0.2, 0.28}) {
            requireMet(share -> still + (0.45 - still) * share, 0.35);
        }
    }

    /** A real network, as it was measured: the first channels that go bring little. */
    @Test
    void aBentLineIsMetWithoutPruningFarTooMuch() {
        double[] shares = {0, 0.35, 0.5, 0.7, 1};
        double[] ratios = {0.12, 0.268, 0.324, 0.377, 0.441};
        DoubleUnaryOperator bent = share -> {
            int i = 1;
            while (shares[i] < share) {
                i++;
            }
            double part = (share - shares[i - 1]) / (shares[i] - shares[i - 1]);
            return ratios[i - 1] + part * (ratios[i] - ratios[i - 1]);
        };
        for (double target : new double[] {0.42, 0.4, 0.38, 0.35, 0.33, 0.3, 0.28, 0.25}) {
            requireMet(bent, target);
        }
    }

    private static void requireMet(DoubleUnaryOperator latency, double target) {
        List<Tried> tried = trials(latency, target, 4);
        double found = tried.getLast().found();
        assertTrue(found <= target && found > 0.94 * target, "within, and no more than needed: " + tried);
    }

    @Test
    void theFirstIsByProportion() {
        assertEquals(0.776, PruningShare.next(List.of(new Tried(1, 25)), 20), 1e-9);
    }

    /** Where a pruning changed nothing or made it worse, the next goes farther, but not to nothing. */
    @Test
    void aPruningThatChangedNothingIsFollowedByAFartherOne() {
        for (double found : new double[] {25, 26, 24.9}) {
            double next = PruningShare.next(List.of(new Tried(1, 25), new Tried(0.8, found)), 20);
            assertTrue(next < 0.8 * 19.4 / found && next > 0.1, found + ": " + next);
        }
    }

    /** Whatever is measured, each asks for less than the one before, and for something. */
    @Test
    void sharesFallAlways() {
        assertEquals(0.799, PruningShare.next(List.of(new Tried(1, 2000), new Tried(0.8, 20.1)), 20), 1e-9,
                "a line that steep would ask for the same again");
        Random random = new Random(3);
        for (int i = 0; i < 1000; i++) {
            double target = random.nextDouble() * 30;
            List<Tried> tried = new ArrayList<>(List.of(new Tried(1, target * (1 + random.nextDouble() * i / 100))));
            for (int round = 0; round < 5 && tried.getLast().share() > PruningShare.LEAST; round++) {
                double next = PruningShare.next(tried, target);
                assertTrue(next < tried.getLast().share() && next >= PruningShare.LEAST, tried + ", " + next);
                tried.add(new Tried(next, target * (1 + random.nextDouble() * i / 100)));
            }
        }
    }

    private static List<Tried> trials(DoubleUnaryOperator latency, double target, int most) {
        List<Tried> tried = new ArrayList<>(List.of(new Tried(1, latency.applyAsDouble(1))));
        for (int round = 0; round < most && tried.getLast().found() > target; round++) {
            double share = PruningShare.next(tried, target);
            tried.add(new Tried(share, latency.applyAsDouble(share)));
        }
        return tried;
    }
}
