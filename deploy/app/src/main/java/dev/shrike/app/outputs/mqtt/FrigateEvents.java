package dev.shrike.app.outputs.mqtt;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.shrike.Detection;
import dev.shrike.app.outputs.MessageJson;
import dev.shrike.app.outputs.ServiceRun;
import dev.shrike.tracking.Track;
import dev.shrike.tracking.TrackEvent;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;

/**
 * Events in the shape that Frigate publishes them in, which Home Assistant's automations know: {@code type},
 * {@code before} and {@code after}. Fields that speak of what Shrike does not do (zones, clips) are empty. Confined to
 * one thread at a time.
 */
final class FrigateEvents {
    private record Told(String after, float topScore) {}

    private final ServiceRun run;
    private final MessageJson json;
    /** By id of the object, of those that have not ended. */
    private final Map<String, Told> told = new HashMap<>();

    FrigateEvents(ServiceRun run) {
        this.run = run;
        json = new MessageJson(run);
    }

    byte[] render(TrackEvent event) {
        String id = run.objectId(event.camera(), event.track().id());
        Told before = told.get(id);
        float topScore = Math.max(before == null ? 0 : before.topScore(), event.track().box().score());
        String after = MessageJson.object(fields -> writeObject(fields, id, event, topScore));
        if (event.kind() == TrackEvent.Kind.END) {
            told.remove(id);
        } else {
            told.put(id, new Told(after, topScore));
        }
        return MessageJson.object(fields -> {
            fields.writeStringField("type", MessageJson.kind(event));
            fields.writeStringField("event_id", json.eventId(event));
            fields.writeFieldName("before");
            fields.writeRawValue(before == null ? after : before.after());
            fields.writeFieldName("after");
            fields.writeRawValue(after);
        }).getBytes(StandardCharsets.UTF_8);
    }

    private static void writeObject(JsonGenerator json, String id, TrackEvent event, float topScore)
            throws IOException {
        Track track = event.track();
        Detection box = track.box();
        json.writeStringField("id", id);
        json.writeStringField("camera", event.camera());
        json.writeNumberField("frame_time", epochSeconds(ServiceRun.wallTime(event.nanos())));
        json.writeStringField("label", box.label());
        json.writeNullField("sub_label");
        json.writeNumberField("score", rounded(box.score(), 5));
        json.writeNumberField("top_score", rounded(topScore, 5));
        json.writeBooleanField("false_positive", false);
        json.writeNumberField("start_time", epochSeconds(ServiceRun.wallTime(track.firstNanos())));
        json.writeFieldName("end_time");
        if (event.kind() == TrackEvent.Kind.END) {
            json.writeNumber(epochSeconds(ServiceRun.wallTime(track.lastNanos())));
        } else {
            json.writeNull();
        }
        json.writeArrayFieldStart("box");
        for (float edge : new float[] {box.x1(), box.y1(), box.x2(), box.y2()}) {
            json.writeNumber(Math.round(edge));
        }
        json.writeEndArray();
        json.writeNumberField("area", Math.round(Math.min(1e15, (double) box.width() * box.height())));
        json.writeNumberField("ratio", rounded(Math.clamp(box.width() / Math.max(.01f, box.height()), 0, 1e6f), 2));
        json.writeBooleanField("stationary", isStationary(track));
        for (String zones : new String[] {"current_zones", "entered_zones"}) {
            json.writeArrayFieldStart(zones);
            json.writeEndArray();
        }
        json.writeBooleanField("has_clip", false);
        json.writeBooleanField("has_snapshot", false);
    }

    /** Whether it would need more than ten seconds to move by its own size. */
    private static boolean isStationary(Track track) {
        double size = Math.sqrt((double) track.box().width() * track.box().height());
        return Math.hypot(track.velocityX(), track.velocityY()) < size / 10;
    }

    private static BigDecimal epochSeconds(Instant time) {
        return BigDecimal.valueOf(time.getEpochSecond()).add(BigDecimal.valueOf(time.getNano(), 9))
                .setScale(6, RoundingMode.DOWN);
    }

    private static BigDecimal rounded(float value, int digits) {
        return new BigDecimal(Float.isFinite(value) ? value : 0).setScale(digits, RoundingMode.HALF_EVEN);
    }
}
