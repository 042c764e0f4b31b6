package dev.shrike.app.quantize;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class SavePaceTest {
    @Test
    void theFirstImageIsSavedAtOnce() {
        assertTrue(new SavePace().isDue(0));
        assertTrue(new SavePace().isDue(Long.MIN_VALUE));
    }

    /** An image takes 3, saving 2: of a pass cut off anywhere less than 43 is lost, and saving takes a twentieth. */
    @Test
    void littleIsLostAndSavingTakesLittle() {
        SavePace pace = new SavePace();
        long now = 0;
        long lastSaved = 0;
        long saving = 0;
        for (int i = 0; i < 1000; i++) {
            now += 3;
            if (pace.isDue(now)) {
                pace.saved(now, now + 2);
                now += 2;
                saving += 2;
                lastSaved = now;
            }
            assertTrue(now - lastSaved < 43, "lost at " + now);
        }
        assertEquals(0.05, (double) saving / now, 0.005);
    }

    @Test
    void whereSavingTakesNothingEveryImageIsSaved() {
        SavePace pace = new SavePace();
        for (int now = 1; now < 10; now++) {
            assertTrue(pace.isDue(now));
            pace.saved(now, now);
        }
    }
}
