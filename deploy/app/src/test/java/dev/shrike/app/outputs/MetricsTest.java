package dev.shrike.app.outputs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Detection;
import dev.shrike.sources.SourceState;
import dev.shrike.tracking.TrackEvent;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class MetricsTest {
    /** A line of the text format: a comment, or a name, labels and a number. */
    private static final Pattern LINE = Pattern.compile("# (HELP|TYPE) [a-z_]+ .*"
            + "|[a-z_]+(\\{[a-z]+=\"([^\"\\\\]|\\\\.)*\"(,[a-z]+=\"([^\"\\\\]|\\\\.)*\")*,?\\})? [-+0-9.eEInfNa]+");

    private final Metrics metrics =
            new Metrics(() -> List.of(new OutputStatus("mqtt mqtt://host:1883", false, "away", 5, 6, 7)));

    @Test
    void tellsWhatWasCounted() {
        for (int i = 0; i < 3; i++) {
            metrics.send(Samples.frame("yard", i));
        }
        metrics.send(Samples.event(TrackEvent.Kind.NEW, "yard", 1, 3));
        metrics.send(Samples.source("yard", SourceState.Phase.LOST, "gone"));
        List<String> lines = metrics.text().lines().toList();
        for (String wanted : List.of("shrike_frames_total{camera=\"yard\"} 3.0",
                "shrike_frames_dropped{camera=\"yard\"} 3.0",
                "shrike_detections_total{camera=\"yard\",label=\"person\"} 3.0", "shrike_tracks{camera=\"yard\"} 1.0",
                "shrike_events_total{camera=\"yard\",event=\"new\",label=\"person\"} 1.0",
                "shrike_camera_up{camera=\"yard\"} 0.0", "shrike_camera_phase{camera=\"yard\",phase=\"lost\"} 1.0",
                "shrike_camera_phase{camera=\"yard\",phase=\"running\"} 0.0",
                "shrike_stage_seconds_count{camera=\"yard\",stage=\"network\"} 3",
                "shrike_stage_seconds_bucket{camera=\"yard\",stage=\"network\",le=\"0.064\"} 3",
                "shrike_stage_seconds_bucket{camera=\"yard\",stage=\"network\",le=\"0.032\"} 0",
                "shrike_result_age_seconds_count{camera=\"yard\"} 3",
                "shrike_output_up{output=\"mqtt mqtt://host:1883\"} 0.0",
                "shrike_output_dropped{output=\"mqtt mqtt://host:1883\"} 7.0")) {
            assertTrue(lines.contains(wanted), wanted + " in\n" + String.join("\n", lines));
        }
        metrics.send(Samples.source("yard", SourceState.Phase.RUNNING, ""));
        assertTrue(metrics.text().contains("shrike_camera_up{camera=\"yard\"} 1.0"));
        assertTrue(Metrics.CONTENT_TYPE.startsWith("text/plain; version=0.0.4"));
    }

    @Test
    void anyNameIsSoundText() {
        metrics.send(Samples.frame("a\"b\\\nc\uD800", 1,
                new Detection(0, "x\"\n{}\uDC00", 1, Float.NEGATIVE_INFINITY, 0, 1, Float.POSITIVE_INFINITY)));
        metrics.text().lines().forEach(line -> assertTrue(LINE.matcher(line).matches(), line));
    }

    @Test
    void boundsItsLabels() {
        for (int i = 0; i < 5000; i++) {
            metrics.send(Samples.frame("yard", i, new Detection(i, "class" + i, 1, 0, 0, 10, 10)));
        }
        List<String> counted =
                metrics.text().lines().filter(line -> line.startsWith("shrike_detections_total")).toList();
        assertEquals(1001, counted.size());
        assertTrue(counted.contains("shrike_detections_total{camera=\"yard\",label=\"other\"} 4000.0"));
    }
}
