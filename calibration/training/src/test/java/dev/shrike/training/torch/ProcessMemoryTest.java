package dev.shrike.training.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class ProcessMemoryTest {
    @Test
    void mappedFilesAreLeftOut() {
        assertEquals(1743 + 10, ProcessMemory.megabytes(List.of("VmHWM:\t 2823856 kB", "VmRSS:\t 2608572 kB",
                "RssAnon:\t 1784832 kB", "RssFile:\t  864772 kB", "RssShmem:\t   10240 kB", "Threads:\t12")));
        assertEquals(0, ProcessMemory.megabytes(List.of()));
    }

    @Test
    void theMostOfAllSamplesIsTold() {
        ProcessMemory memory = new ProcessMemory();
        assertEquals(0, memory.peakMegabytes());
        memory.sample();
        long first = memory.peakMegabytes();
        assertTrue(first > 0 && first < 1 << 20, first + " MB");
        byte[] more = new byte[64 << 20];
        more[more.length - 1] = 1;
        memory.sample();
        assertTrue(memory.peakMegabytes() >= first, memory.peakMegabytes() + " MB after " + first);
        assertEquals(1, more[more.length - 1]);
    }
}
