package dev.shrike.app.outputs;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.shrike.Detection;
import dev.shrike.StageTimes;
import dev.shrike.sources.SourceState;
import dev.shrike.tracking.Track;
import dev.shrike.tracking.TrackEvent;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.time.temporal.ChronoUnit;
import java.util.Locale;

/** Messages as JSON, one object each, as {@code docs/outputs.schema.json} says. */
public final class MessageJson {
    private static final int SCHEMA = 1;
    private static final JsonFactory JSON = new JsonFactory();

    /** Writes the fields of an object. */
    public interface Fields {
        /** Writes them into the object that is open. */
        void write(JsonGenerator json) throws IOException;
    }

    private final ServiceRun run;

    /** @param run whose id the messages bear */
    public MessageJson(ServiceRun run) {
        this.run = run;
    }

    /** The message and a line feed, UTF-8. */
    public byte[] line(Message message) {
        return (object(json -> write(json, message)) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    /** The message, UTF-8. */
    public byte[] bytes(Message message) {
        return object(json -> write(json, message)).getBytes(StandardCharsets.UTF_8);
    }

    /** An object with these fields. */
    public static String object(Fields fields) {
        StringWriter text = new StringWriter(512);
        try (JsonGenerator json = JSON.createGenerator(text)) {
            json.writeStartObject();
            fields.write(json);
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("a string cannot fail", e);
        }
        return text.toString();
    }

    private void write(JsonGenerator json, Message message) throws IOException {
        json.writeNumberField("schema", SCHEMA);
        switch (message) {
            case Message.FrameResult frame -> writeFrame(json, frame);
            case Message.Tracked tracked -> writeEvent(json, tracked.event());
            case Message.SourceChanged changed -> writeSource(json, changed.camera(), changed.state());
        }
    }

    private void writeFrame(JsonGenerator json, Message.FrameResult frame) throws IOException {
        json.writeStringField("type", "frame");
        json.writeStringField("run", run.id());
        json.writeStringField("camera", frame.camera());
        json.writeStringField("time", frame.detections().captured().truncatedTo(ChronoUnit.MICROS).toString());
        json.writeBooleanField("clock_synchronized", frame.clockSynchronized());
        json.writeNumberField("monotonic_ns", frame.capturedNanos());
        json.writeNumberField("sequence", frame.sequence());
        json.writeNumberField("dropped", frame.dropped());
        json.writeNumberField("age_ms", milliseconds(frame.ageNanos()));
        json.writeNumberField("width", frame.detections().width());
        json.writeNumberField("height", frame.detections().height());
        writeTimes(json, frame.detections().times());
        json.writeArrayFieldStart("detections");
        for (Detection detection : frame.detections()) {
            json.writeStartObject();
            writeDetection(json, detection);
            json.writeEndObject();
        }
        json.writeEndArray();
        json.writeArrayFieldStart("tracks");
        for (Track track : frame.tracks()) {
            json.writeStartObject();
            writeTrack(json, frame.camera(), track, frame.capturedNanos());
            json.writeEndObject();
        }
        json.writeEndArray();
    }

    private void writeEvent(JsonGenerator json, TrackEvent event) throws IOException {
        String kind = kind(event);
        json.writeStringField("type", "event");
        json.writeStringField("run", run.id());
        json.writeStringField("camera", event.camera());
        json.writeStringField("time", ServiceRun.wallTime(event.nanos()).toString());
        json.writeStringField("event", kind);
        json.writeStringField("event_id", eventId(event));
        json.writeObjectFieldStart("track");
        writeTrack(json, event.camera(), event.track(), event.nanos());
        json.writeEndObject();
    }

    /** The same however often and by whatever way the event is sent: an update comes with further hits only. */
    public String eventId(TrackEvent event) {
        return run.objectId(event.camera(), event.track().id()) + "-" + kind(event) + "-" + event.track().hits();
    }

    /** The word for the kind of the event. */
    public static String kind(TrackEvent event) {
        return event.kind().name().toLowerCase(Locale.ROOT);
    }

    private void writeSource(JsonGenerator json, String camera, SourceState state) throws IOException {
        json.writeStringField("type", "source");
        json.writeStringField("run", run.id());
        json.writeStringField("camera", camera);
        json.writeStringField("time", ServiceRun.wallTime(System.nanoTime()).toString());
        json.writeStringField("phase", state.phase().name().toLowerCase(Locale.ROOT));
        json.writeStringField("reason", state.reason());
        json.writeNumberField("frames", state.frames());
        json.writeNumberField("reconnects", state.reconnects());
    }

    private void writeTrack(JsonGenerator json, String camera, Track track, long nanos) throws IOException {
        json.writeStringField("id", run.objectId(camera, track.id()));
        json.writeNumberField("number", track.id());
        writeDetection(json, track.box());
        json.writeArrayFieldStart("velocity");
        writeNumber(json, track.velocityX(), 2);
        writeNumber(json, track.velocityY(), 2);
        json.writeEndArray();
        json.writeNumberField("hits", track.hits());
        json.writeNumberField("age_ms", milliseconds(nanos - track.firstNanos()));
        json.writeNumberField("lost_ms", milliseconds(nanos - track.lastNanos()));
    }

    private static void writeTimes(JsonGenerator json, StageTimes times) throws IOException {
        json.writeObjectFieldStart("time_ms");
        json.writeNumberField("letterbox", milliseconds(times.letterbox()));
        json.writeNumberField("network", milliseconds(times.network()));
        json.writeNumberField("decode", milliseconds(times.decode()));
        json.writeNumberField("total", milliseconds(times.total()));
        json.writeEndObject();
    }

    private static void writeDetection(JsonGenerator json, Detection detection) throws IOException {
        json.writeNumberField("class_id", detection.classId());
        json.writeStringField("label", detection.label());
        json.writeFieldName("score");
        writeNumber(json, detection.score(), 5);
        json.writeArrayFieldStart("box");
        writeNumber(json, detection.x1(), 2);
        writeNumber(json, detection.y1(), 2);
        writeNumber(json, detection.x2(), 2);
        writeNumber(json, detection.y2(), 2);
        json.writeEndArray();
    }

    private static BigDecimal milliseconds(long nanos) {
        return BigDecimal.valueOf(nanos, 6).setScale(3, RoundingMode.HALF_EVEN);
    }

    /** JSON has neither infinities nor NaN: such a box is none, so its edge is null. */
    private static void writeNumber(JsonGenerator json, float value, int digits) throws IOException {
        if (Float.isFinite(value)) {
            json.writeNumber(new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN));
        } else {
            json.writeNull();
        }
    }
}
