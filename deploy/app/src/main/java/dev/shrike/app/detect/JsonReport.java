package dev.shrike.app.detect;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.StageTimes;
import dev.shrike.app.Console;
import dev.shrike.files.PrintableText;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.file.Path;

/**
 * JSON lines: one object an image, as {@code docs/detect.schema.json} says, and nothing else.
 *
 * @param model name of the model
 * @param engine what ran it
 */
record JsonReport(Console console, String model, String engine) implements Report {
    private static final int SCHEMA = 1;
    private static final JsonFactory JSON = new JsonFactory();

    @Override
    public void image(int index, int count, Path image, Detections found) {
        console.line(render(image, found));
    }

    @Override
    public void frame(MovingFrame frame, Detections found) {
        console.line(render(frame.source(), frame, found));
    }

    @Override
    public void summary(Totals totals) {
        // Readers of JSON lines add up what they need.
    }

    String render(Path image, Detections found) {
        return render(image.toString(), null, found);
    }

    private String render(String source, MovingFrame frame, Detections found) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            json.writeStartObject();
            json.writeNumberField("schema", SCHEMA);
            json.writeStringField("source", source);
            if (frame != null) {
                json.writeNumberField("frame", frame.number());
                json.writeNumberField("time_s",
                        BigDecimal.valueOf(frame.seconds()).setScale(3, RoundingMode.HALF_EVEN));
                if (frame.live()) {
                    json.writeStringField("captured", frame.captured().toString());
                }
            }
            json.writeNumberField("width", found.width());
            json.writeNumberField("height", found.height());
            json.writeStringField("model", model);
            json.writeStringField("engine", engine);
            writeTimes(json, found.times());
            json.writeArrayFieldStart("detections");
            for (int i = 0; i < found.size(); i++) {
                boolean followed = frame != null && !frame.ids().isEmpty();
                writeDetection(json, found.list().get(i), followed ? frame.ids().get(i) : 0);
            }
            json.writeEndArray();
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("a string cannot fail", e);
        }
        return PrintableText.inJson(text.toString());
    }

    private static void writeTimes(JsonGenerator json, StageTimes times) throws IOException {
        json.writeObjectFieldStart("time_ms");
        json.writeNumberField("letterbox", milliseconds(times.letterbox()));
        json.writeNumberField("network", milliseconds(times.network()));
        json.writeNumberField("decode", milliseconds(times.decode()));
        json.writeNumberField("total", milliseconds(times.total()));
        json.writeEndObject();
    }

    private static void writeDetection(JsonGenerator json, Detection detection, long track) throws IOException {
        json.writeStartObject();
        if (track > 0) {
            json.writeNumberField("track_id", track);
        }
        json.writeNumberField("class_id", detection.classId());
        json.writeStringField("label", detection.label());
        json.writeNumberField("score", rounded(detection.score(), 5));
        json.writeArrayFieldStart("box");
        json.writeNumber(rounded(detection.x1(), 2));
        json.writeNumber(rounded(detection.y1(), 2));
        json.writeNumber(rounded(detection.x2(), 2));
        json.writeNumber(rounded(detection.y2(), 2));
        json.writeEndArray();
        json.writeEndObject();
    }

    private static BigDecimal milliseconds(long nanos) {
        return BigDecimal.valueOf(nanos, 6).setScale(3, RoundingMode.HALF_EVEN);
    }

    private static BigDecimal rounded(float value, int digits) {
        return new BigDecimal(value).setScale(digits, RoundingMode.HALF_EVEN);
    }
}
