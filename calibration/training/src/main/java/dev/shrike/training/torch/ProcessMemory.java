package dev.shrike.training.torch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** What the system says of this process. */
final class ProcessMemory {
    private ProcessMemory() {}

    /** Most memory that this process had, in megabytes; 0 where the system does not tell. */
    static long peakMegabytes() {
        try {
            return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("VmHWM:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024).findFirst().orElse(0);
        } catch (IOException e) {
            // Not every system has it; it is only shown.
            return 0;
        }
    }
}
