package dev.shrike.jetson.binding;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Memory of a device that shares it with the processor. There CUDA counts as free what nobody uses at all, which after
 * a day of reading files is next to nothing: what the system would give back (its cache of files) is missing.
 */
final class AvailableMemory {
    private static final Pattern AVAILABLE = Pattern.compile("(?m)^MemAvailable:\\s{0,64}(\\d{1,15}) kB");
    private static final int LONGEST = 1 << 16;

    private AvailableMemory() {}

    /**
     * Bytes that can be had.
     *
     * @param free what CUDA counts
     * @param meminfo the system's own file about its memory; without it {@code free} counts
     */
    static long bytes(long free, Path meminfo) {
        try (var in = Files.newInputStream(meminfo)) {
            Matcher matcher = AVAILABLE.matcher(new String(in.readNBytes(LONGEST), StandardCharsets.US_ASCII));
            return matcher.find() ? Math.max(free, Long.parseLong(matcher.group(1)) << 10) : free;
        } catch (IOException e) {
            return free;
        }
    }
}
