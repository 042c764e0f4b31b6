package dev.shrike.app.serve;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.ShrikeException;
import dev.shrike.files.FileReplacement;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/**
 * Why the service ended the last time that it failed, in a file that outlives the machine's log: where the journal is
 * in memory, nothing else tells after a restart. A power cut leaves the old file or the new one.
 */
final class FailureRecord {
    private static final int MOST_BYTES = 1 << 16;
    private static final ObjectMapper JSON = new ObjectMapper();

    private final Optional<Path> file;

    /** In that folder, or nowhere. */
    FailureRecord(Optional<Path> folder) {
        file = folder.map(path -> path.resolve("last-failure.json"));
    }

    /**
     * What is known of the last failure.
     *
     * @param reason in words
     * @param time on the wall clock, which may have been wrong
     */
    record Failure(String reason, String time) {}

    /** The last failure, if there is one that can be read. */
    Optional<Failure> read() {
        if (file.isEmpty() || !Files.isRegularFile(file.get())) {
            return Optional.empty();
        }
        try (var in = Files.newInputStream(file.get())) {
            JsonNode tree = JSON.readTree(in.readNBytes(MOST_BYTES));
            String reason = tree.path("reason").asText("");
            return reason.isEmpty() ? Optional.empty()
                    : Optional.of(new Failure(reason, tree.path("time").asText("")));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /**
     * Keeps the reason.
     *
     * @throws ShrikeException if it cannot be written, as on a disk that is full
     */
    void write(String reason, Instant now) {
        if (file.isEmpty()) {
            return;
        }
        byte[] bytes;
        try {
            bytes = JSON.writeValueAsString(Map.of("reason", reason, "time", now.toString()))
                    .getBytes(StandardCharsets.UTF_8);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
        FileReplacement.write(file.get(), out -> out.write(bytes));
    }
}
