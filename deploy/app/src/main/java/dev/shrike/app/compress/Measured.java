package dev.shrike.app.compress;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.ShrikeException;
import dev.shrike.app.bench.report.BenchJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Figures out of the files that steps left. */
final class Measured {
    private Measured() {}

    /** The median latency of the first result of a bench, in milliseconds. */
    static double latency(Path bench) {
        return BenchJson.read(bench).results().stream().findFirst()
                .orElseThrow(() -> new ShrikeException(bench + ": has no result; remove it and run the command again"))
                .latency().p50();
    }

    /** mAP50-95 of what {@code shrike val --json} printed. */
    static double map(Path val) {
        try {
            JsonNode map = new ObjectMapper().readTree(Files.readString(val)).at("/yolo/mAP50_95");
            if (map.isNumber()) {
                return map.asDouble();
            }
            throw new ShrikeException(val + ": has no mAP; remove it and run the command again");
        } catch (JacksonException e) {
            throw new ShrikeException(val + ": is no JSON of 'shrike val --json': "
                    + e.getOriginalMessage().lines().findFirst().orElse(""), e);
        } catch (IOException e) {
            throw new ShrikeException(val + ": cannot be read: " + e.getMessage(), e);
        }
    }
}
