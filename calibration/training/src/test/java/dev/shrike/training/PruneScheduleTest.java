package dev.shrike.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class PruneScheduleTest {
    @Test
    void sharesFall() {
        assertEquals(List.of(0.7, 0.5), PruneSchedule.of(0.7, 0.5).shares());
        assertThrows(IllegalArgumentException.class, () -> PruneSchedule.of(0.5, 0.7));
        assertThrows(IllegalArgumentException.class, () -> PruneSchedule.of(1.0));
        assertThrows(IllegalArgumentException.class, () -> PruneSchedule.of(0.5, 0.0));
        assertThrows(IllegalArgumentException.class, PruneSchedule::of);
    }
}
