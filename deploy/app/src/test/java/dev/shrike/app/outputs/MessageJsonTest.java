package dev.shrike.app.outputs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.Detection;
import dev.shrike.app.JsonSchema;
import dev.shrike.app.Repository;
import dev.shrike.sources.SourceState;
import dev.shrike.tracking.TrackEvent;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class MessageJsonTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private final MessageJson json = new MessageJson(Samples.RUN);

    private JsonNode parse(Message message) throws IOException {
        String line = new String(json.line(message), StandardCharsets.UTF_8);
        assertTrue(line.endsWith("\n") && line.indexOf('\n') == line.length() - 1, line);
        JsonSchema schema = JsonSchema.read(Repository.root().resolve("docs/outputs.schema.json"));
        assertEquals(List.of(), schema.violations(line), line);
        return JSON.readTree(line);
    }

    @Test
    void linesAreWhatTheSchemaSays() throws IOException {
        JsonNode frame = parse(Samples.frame("yard", 41));
        assertEquals("frame", frame.get("type").asText());
        assertEquals(41, frame.get("sequence").asLong());
        assertEquals(41.5, frame.at("/time_ms/total").asDouble());
        assertEquals("[10.0,100.0,50.0,200.0]", frame.at("/detections/0/box").toString());
        assertEquals("0123abcd-yard-7", frame.at("/tracks/0/id").asText());
        assertEquals(0, frame.at("/tracks/0/lost_ms").asDouble());
        assertEquals(1000, frame.at("/tracks/0/age_ms").asDouble());

        JsonNode event = parse(Samples.event(TrackEvent.Kind.UPDATE, "yard", 7, 12));
        assertEquals("update", event.get("event").asText());
        assertEquals("0123abcd-yard-7-update-12", event.get("event_id").asText());
        assertEquals(-3, event.at("/track/velocity/1").asDouble());

        JsonNode source = parse(Samples.source("yard", SourceState.Phase.LOST, "no frame for 5 s"));
        assertEquals("lost", source.get("phase").asText());
        assertEquals(2, source.get("reconnects").asLong());
    }

    @Test
    void theSchemaFindsWhatIsWrong() throws IOException {
        JsonSchema schema = JsonSchema.read(Repository.root().resolve("docs/outputs.schema.json"));
        String line = new String(json.line(Samples.event(TrackEvent.Kind.NEW, "yard", 7, 12)), StandardCharsets.UTF_8);
        assertFalse(schema.violations(line.replace("\"new\"", "\"old\"")).isEmpty());
        assertFalse(schema.violations(line.replace("\"hits\"", "\"hit\"")).isEmpty());
        assertFalse(schema.violations(line.replace("\"event\",", "\"frame\",")).isEmpty());
    }

    @Test
    void anyTextAndNumberIsSoundJson() throws IOException {
        String label = "a\"b\\\n\u0000\u2028" + "\uD800" + "\u202e";
        Detection odd = new Detection(3, label, 1, Float.NEGATIVE_INFINITY, -0f, Float.POSITIVE_INFINITY, 3e38f);
        JsonNode frame = parse(Samples.frame("c\n\"", 1, odd));
        assertTrue(frame.at("/detections/0/box/0").isNull());
        assertTrue(frame.at("/detections/0/box/3").isNumber());
        assertTrue(frame.at("/detections/0/label").asText().startsWith("a\"b\\\n\u0000\u2028"));
        parse(Samples.source("yard", SourceState.Phase.LOST, "\"}\n{"));
    }

    @Test
    void runsHaveIdsOfTheirOwn() {
        assertNotEquals(ServiceRun.begin().id(), ServiceRun.begin().id());
        assertThrows(IllegalArgumentException.class, () -> new ServiceRun("x"));
    }
}
