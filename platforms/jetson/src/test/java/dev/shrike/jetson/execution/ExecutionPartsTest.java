package dev.shrike.jetson.execution;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.DeviceException;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ExecutionPartsTest {
    /** As 8.5 writes it, with and without details. */
    @Test
    void layersAreCountedByFormat() {
        assertEquals(Map.of("INT8", 2, "FP16", 1, "FP32", 1, "OTHER", 1), LayerFormats
                .count("""
                        {"Layers": [
                        {"Name": "a", "Outputs": [{"Format/Datatype": "Thirty-two wide channel vectorized \
                        row major Int8 format"}]},
                        {"Name": "b", "Outputs": [{"Name": "y", "Format/Datatype": "Row major Int8 format"}]},
                        {"Name": "c", "Outputs": [{"Name": "z", "Format/Datatype": "Row major linear FP16 format"}]},
                        {"Name": "d", "Outputs": [{"Name": "w", "Format/Datatype": "Row major linear FP32"}]},
                        {"Name": "e", "Outputs": []}], "Bindings": ["x"]}"""));
        assertEquals(Map.of("OTHER", 2), LayerFormats.count("{\"Layers\": [\"a\", \"b\"]}"));
        assertTrue(assertThrows(DeviceException.class, () -> LayerFormats.count("none")).getMessage()
                .contains("no JSON"));
    }

    @Test
    void theQuickestTimeOfEachWayCounts() {
        long[] clock = new long[1];
        int[] rounds = new int[2];
        // The first way is quick but for its first rounds, as code is that was not compiled yet.
        Runnable first = () -> clock[0] += rounds[0]++ < 5 ? 900 : 100;
        Runnable second = () -> clock[0] += rounds[1]++ == 7 ? 99 : 200;
        AutoTuned tried = AutoTuned.measure(() -> clock[0], first, second);
        assertEquals(new AutoTuned(100, 99), tried);
        assertTrue(tried.secondWins());
        assertEquals(rounds[0], rounds[1]);
        assertTrue(!new AutoTuned(100, 100).secondWins(), "nothing is gained");
        assertEquals("1.40 ms and 0.12 ms", new AutoTuned(1_400_000, 120_000).describe());
    }
}
