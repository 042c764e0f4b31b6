package dev.shrike.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.DeviceException;
import dev.shrike.Frame;
import dev.shrike.ModelException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class RunResultsTest {
    @TempDir
    Path folder;

    private static EpochResult epoch(int number, double map) {
        Map<String, Double> losses = new LinkedHashMap<>();
        losses.put("total", Math.scalb(1.0, -number));
        losses.put("box", Math.scalb(0.5, -number));
        return new EpochResult(number, losses, 0.01, 12.5, 900, map + 0.2, map, false);
    }

    @Test
    void theTableIsReadAsItWasWritten() {
        RunResults results = new RunResults(folder);
        assertTrue(results.add(epoch(1, 0.2)).best());
        assertTrue(results.add(epoch(2, 0.3)).best());
        assertFalse(results.add(epoch(3, 0.25)).best());
        RunResults again = new RunResults(folder);
        again.read(3);
        assertEquals(results.epochs(), again.epochs());
        RunResults fewer = new RunResults(folder);
        fewer.read(1);
        assertEquals(1, fewer.epochs().size());
        assertTrue(Frame.read(folder.resolve("results.png")).width() > 100);
    }

    @Test
    void aBrokenTableIsRefused() throws IOException {
        Files.writeString(folder.resolve("results.csv"), "epoch,seconds\n1,x\n");
        assertThrows(ModelException.class, () -> new RunResults(folder).read(1));
    }

    @Test
    void shortMemoryIsToldWithWhatHelps() {
        long needed = MemoryNeed.bytes(TestNetworks.yolov5(64, 3, true).trunk(), 1 << 16);
        assertTrue(needed > MemoryNeed.bytes(TestNetworks.yolov5(64, 3, true).trunk(), 1));
        DeviceException e = assertThrows(DeviceException.class,
                () -> MemoryNeed.require(4_000_000_000L, 2_000_000_000L, 16));
        assertTrue(e.getMessage().contains("4.0 GB") && e.getMessage().contains("2.0 GB are free")
                && e.getMessage().contains("--batch (6)"), e.getMessage());
        MemoryNeed.require(4_000_000_000L, 0, 16);
        assertEquals(List.of(), new RunResults(folder).epochs());
    }
}
