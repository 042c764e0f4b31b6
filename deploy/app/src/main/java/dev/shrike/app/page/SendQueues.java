package dev.shrike.app.page;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * How much of what was sent the other end of each connection has not taken yet, as the kernel's table of connections
 * tells. A write only waits once the kernel's buffer is full, which takes a small stream minutes.
 */
final class SendQueues {
    /** Local and remote address and port, state, bytes to send; numbers in hexadecimal. */
    private static final Pattern LINE = Pattern.compile(
            "\\s*\\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]{8}):.*");

    private final List<Path> tables;

    SendQueues(Path root) {
        tables = List.of(root.resolve("proc/net/tcp"), root.resolve("proc/net/tcp6"));
    }

    /**
     * Bytes that wait, by the port at the other end; of several ends with the same port the fewest. Empty where the
     * table cannot be read.
     *
     * @param port at this end
     */
    Map<Integer, Long> waiting(int port) {
        Map<Integer, Long> waiting = new HashMap<>();
        for (Path table : tables) {
            try (Stream<String> lines = Files.lines(table, StandardCharsets.ISO_8859_1)) {
                lines.map(LINE::matcher).filter(Matcher::matches)
                        .filter(match -> Integer.parseInt(match.group(1), 16) == port)
                        .forEach(match -> waiting.merge(Integer.parseInt(match.group(2), 16),
                                Long.parseLong(match.group(3), 16), Math::min));
            } catch (IOException | UncheckedIOException e) {
                // another kernel, or one that shows nothing: writes that wait are found anyway
            }
        }
        return waiting;
    }
}
