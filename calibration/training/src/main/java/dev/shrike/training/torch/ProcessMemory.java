package dev.shrike.training.torch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * What the system says of the memory of this process that nobody else can have: pages of mapped files, such as the
 * store of images, are the system's to take back and are left out.
 */
final class ProcessMemory {
    private static final Path STATUS = Path.of("/proc/self/status");

    private long most;

    /** Looks at it now; called where a step holds most. */
    void sample() {
        try {
            most = Math.max(most, megabytes(Files.readAllLines(STATUS)));
        } catch (IOException _) {
            // Not every system has it, and it is only shown.
        }
    }

    /** Most megabytes of all samples; 0 where the system does not tell. */
    long peakMegabytes() {
        return most;
    }

    /** Anonymous and shared memory by the lines of {@code /proc/self/status}. */
    static long megabytes(List<String> status) {
        long kilobytes = 0;
        for (String line : status) {
            if (line.startsWith("RssAnon:") || line.startsWith("RssShmem:")) {
                kilobytes += Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        return kilobytes / 1024;
    }
}
