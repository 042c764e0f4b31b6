package dev.shrike.vision;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.SourceException;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Reading images, sound and damaged ones, changes nothing of the process that others could notice. */
class ProcessUntouchedTest {
    private static final Path ERROR_OUTPUT = Path.of("/proc/self/fd/2");
    private static final int READS = 200;

    @BeforeAll
    static void load() {
        OpenCvLibrary.require();
    }

    /** The variable {@code stderr} of the C library, which logs of CUDA, GStreamer and others go through. */
    private static MemorySegment errorStream() {
        return Linker.nativeLinker().defaultLookup().findOrThrow("stderr").reinterpret(ValueLayout.ADDRESS.byteSize());
    }

    @Test
    void theErrorOutputStaysWhatItIs() throws Exception {
        Assumptions.assumeTrue(Files.exists(ERROR_OUTPUT), "skipped: no /proc");
        MemorySegment variable = errorStream();
        long stream = variable.get(ValueLayout.JAVA_LONG, 0);
        Object file = inode();
        PrintStream ours = System.err;
        AtomicBoolean done = new AtomicBoolean();
        AtomicLong looks = new AtomicLong();
        AtomicLong changes = new AtomicLong();
        Thread watcher = Thread.ofPlatform().start(() -> {
            while (!done.get()) {
                looks.incrementAndGet();
                if (variable.get(ValueLayout.JAVA_LONG, 0) != stream) {
                    changes.incrementAndGet();
                }
            }
        });
        for (int i = 0; i < READS; i++) {
            assertTrue(isRefused(i) == (i % 2 == 1));
            assertEquals(file, inode());
        }
        done.set(true);
        watcher.join();
        assertTrue(looks.get() > READS, "the watcher looked " + looks + " times");
        assertEquals(0, changes.get(), "changes of stderr seen in " + looks + " looks");
        assertEquals(stream, variable.get(ValueLayout.JAVA_LONG, 0));
        assertEquals(ours, System.err);
    }

    @Test
    void systemPropertiesStayWhatTheyAre() {
        Properties before = (Properties) System.getProperties().clone();
        isRefused(0);
        isRefused(1);
        assertEquals(before, System.getProperties());
    }

    private static Object inode() throws IOException {
        return Files.getAttribute(ERROR_OUTPUT, "unix:ino");
    }

    /** Whether a JPEG was refused, the odd ones being damaged. */
    private static boolean isRefused(int number) {
        byte[] whole = SampleImages.encoded(".jpg", 64, 48);
        byte[] given = number % 2 == 0 ? whole : Arrays.copyOf(whole, whole.length * 2 / 3);
        if (number % 2 == 1) {
            given[given.length - 2] = (byte) 0xff;
            given[given.length - 1] = (byte) 0xd9;
        }
        try {
            return SampleImages.decode(given, "image").width() != 64;
        } catch (SourceException e) {
            return true;
        }
    }
}
