package dev.shrike.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class LearningScheduleTest {
    private static LearningSchedule of(LearningSchedule.Optimizer optimizer, int epochs, int batch) {
        return new LearningSchedule(optimizer, epochs, batch, 64, 0.01, 0.01, 0.937, 5e-4, 3);
    }

    @Test
    void warmsUpThenFollowsHalfACosine() {
        LearningSchedule schedule = of(LearningSchedule.Optimizer.SGD, 100, 16);
        assertEquals(300, schedule.warmupBatches(100));
        assertEquals(0, schedule.rate(0, 100, false));
        assertEquals(0.1, schedule.rate(0, 100, true));
        assertEquals(0.8, schedule.momentum(0, 100));
        assertEquals(0.937, schedule.momentum(300, 100));
        assertEquals(0.01 * (1 - 0.99 / 2), schedule.rate(50 * 100, 100, false), 1e-12);
        assertEquals(schedule.rate(5000, 100, false), schedule.rate(5000, 100, true), 1e-12);
        assertTrue(schedule.rate(5000, 100, false) > schedule.rate(5099, 100, false));
        assertTrue(of(LearningSchedule.Optimizer.ADAMW, 1, 16).rate(99, 100, false) < 2e-4, "of one epoch");
        assertTrue(schedule.rate(9999, 100, false) < 1.1e-4);
    }

    @Test
    void addsUpBatchesToTheNominalOne() {
        LearningSchedule schedule = of(LearningSchedule.Optimizer.SGD, 100, 16);
        assertEquals(1, schedule.accumulated(0, 100));
        assertEquals(4, schedule.accumulated(300, 100));
        assertEquals(5e-4, schedule.stepDecay());
        assertEquals(5e-4 * 80 / 64, of(LearningSchedule.Optimizer.SGD, 1, 80).stepDecay(), 1e-12);
        assertEquals(1, of(LearningSchedule.Optimizer.SGD, 100, 128).accumulated(5000, 100));
    }

    @Test
    void shortRunsWarmUpForAtMostHalf() {
        assertEquals(10, of(LearningSchedule.Optimizer.SGD, 2, 16).warmupBatches(10));
        LearningSchedule none = new LearningSchedule(LearningSchedule.Optimizer.ADAMW, 1, 1, 1, 0.1, 1, 0, 0, 0);
        assertEquals(0.1, none.rate(0, 1, true));
        assertEquals(0, of(LearningSchedule.Optimizer.ADAMW, 10, 16).rate(0, 100, true));
    }

    @Test
    void whatMakesNoSenseIsRefusedByName() {
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class,
                () -> of(LearningSchedule.Optimizer.SGD, 0, 16));
        assertTrue(e.getMessage().contains("epochs 0"), e.getMessage());
        assertThrows(IllegalArgumentException.class, () -> new LearningSchedule(LearningSchedule.Optimizer.SGD, 1, 1, 1,
                Double.NaN, 1, 0, 0, 0));
    }
}
