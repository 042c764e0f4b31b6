package dev.shrike.sources;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class BackOffTest {
    private static final double SECOND = 1e9;

    @Test
    void waitsDoubleUpToTenSecondsAndNeverEnd() {
        BackOff backOff = new BackOff(new Random(1));
        double expected = 0.5;
        for (int i = 0; i < 10_000; i++) {
            double wait = backOff.nextNanos() / SECOND;
            assertTrue(wait <= expected && wait >= 0.75 * expected, i + ": " + wait);
            expected = Math.min(10, 2 * expected);
        }
        backOff.reset();
        assertTrue(backOff.nextNanos() <= 0.5 * SECOND);
    }

    @Test
    void camerasThatWereLostTogetherDoNotComeBackTogether() {
        List<Long> waits = new ArrayList<>();
        for (int seed = 0; seed < 20; seed++) {
            BackOff backOff = new BackOff(new Random(seed));
            for (int i = 0; i < 8; i++) {
                backOff.nextNanos();
            }
            waits.add(backOff.nextNanos());
        }
        assertEquals(20, waits.stream().distinct().count());
        assertNotEquals(waits.getFirst(), waits.getLast());
    }
}
