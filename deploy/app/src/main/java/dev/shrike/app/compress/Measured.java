package dev.shrike.app.compress;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.ShrikeException;
import dev.shrike.app.bench.report.BenchJson;
import dev.shrike.app.bench.report.BenchReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Figures out of the files that steps left. */
final class Measured {
    private Measured() {}

    /** The median latency of a network by a bench, in milliseconds. */
    static double latency(Path bench, Path network) {
        return take(new ArrayList<>(BenchJson.read(bench).results()), bench, network).latency().p50();
    }

    /** The median latency of a network by a bench, as a share of that of the float network in the same bench. */
    static double ratio(Path bench, Path floats, Path network) {
        List<BenchReport.Result> results = new ArrayList<>(BenchJson.read(bench).results());
        double whole = take(results, bench, floats).latency().p50();
        return take(results, bench, network).latency().p50() / whole;
    }

    /** Whether anything that a bench says counts as disturbed. */
    static boolean isDisturbed(Path bench) {
        return BenchJson.read(bench).results().stream().anyMatch(result -> !result.quality().disturbed().isEmpty());
    }

    /** Why what a bench says of a network counts as disturbed; empty if it does not. */
    static List<String> disturbed(Path bench, Path network) {
        return take(new ArrayList<>(BenchJson.read(bench).results()), bench, network).quality().disturbed();
    }

    /**
     * The first result of that file, which is taken out of the list: files of one name in several folders are taken in
     * the order in which the bench was given them.
     */
    private static BenchReport.Result take(List<BenchReport.Result> results, Path bench, Path network) {
        String name = network.getFileName().toString();
        BenchReport.Result result = results.stream().filter(one -> one.model().file().equals(name)).findFirst()
                .orElseThrow(() -> new ShrikeException(
                        bench + ": has no result of " + network + "; remove it and run the command again"));
        results.remove(result);
        return result;
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
