package dev.shrike.app.val;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.shrike.StageTimes;
import dev.shrike.calibration.data.Census;
import dev.shrike.calibration.metrics.CocoMetrics;
import dev.shrike.calibration.metrics.YoloMetrics;
import dev.shrike.files.PrintableText;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.List;

/** One JSON object as {@code docs/val.schema.json} says. */
final class JsonReport {
    private static final int SCHEMA = 1;
    private static final int DIGITS = 6;
    private static final JsonFactory JSON = new JsonFactory();
    private static final List<String> COCO = List.of(
            "AP", "AP50", "AP75", "AP_small", "AP_medium", "AP_large", "AR1", "AR10", "AR100", "AR_small", "AR_medium",
            "AR_large");

    private JsonReport() {}

    static String render(Measured measured) {
        StringWriter text = new StringWriter();
        try (JsonGenerator json = JSON.createGenerator(text)) {
            json.writeStartObject();
            json.writeNumberField("schema", SCHEMA);
            json.writeStringField("source", measured.source().toString());
            json.writeStringField("data", measured.data().toString());
            if (measured.ran()) {
                writeRun(json, measured);
            }
            writeCensus(json, measured);
            writeYolo(json, measured.yolo());
            json.writeObjectFieldStart("coco");
            for (int i = 0; i < COCO.size(); i++) {
                number(json, COCO.get(i), measured.coco().all()[i]);
            }
            json.writeEndObject();
            json.writeArrayFieldStart("classes");
            for (YoloMetrics.OfClass one : measured.yolo().classes()) {
                writeClass(json, measured.names().get(one.classId()), one,
                        measured.coco().classes().get(one.classId()));
            }
            json.writeEndArray();
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("a string cannot fail", e);
        }
        return PrintableText.inJson(text.toString());
    }

    private static void writeRun(JsonGenerator json, Measured measured) throws IOException {
        StageTimes times = measured.times();
        json.writeStringField("engine", measured.engine());
        json.writeNumberField("input_width", measured.width());
        json.writeNumberField("input_height", measured.height());
        json.writeObjectFieldStart("time_ms");
        json.writeNumberField("letterbox", milliseconds(times.letterbox()));
        json.writeNumberField("network", milliseconds(times.network()));
        json.writeNumberField("decode", milliseconds(times.decode()));
        json.writeNumberField("total", milliseconds(times.total()));
        json.writeEndObject();
    }

    private static void writeCensus(JsonGenerator json, Measured measured) throws IOException {
        Census census = measured.census();
        json.writeObjectFieldStart("census");
        json.writeNumberField("pictures", census.images());
        json.writeNumberField("labelled", census.labelled());
        json.writeNumberField("without_objects", census.withoutObjects());
        json.writeNumberField("without_label_file", census.withoutLabels());
        json.writeNumberField("left_out", census.images() - measured.yolo().images());
        json.writeNumberField("other_kinds", census.otherKinds());
        json.writeEndObject();
    }

    private static void writeYolo(JsonGenerator json, YoloMetrics yolo) throws IOException {
        json.writeNumberField("pictures", yolo.images());
        json.writeNumberField("objects", yolo.objects());
        json.writeObjectFieldStart("yolo");
        number(json, "precision", yolo.precision());
        number(json, "recall", yolo.recall());
        number(json, "confidence", yolo.confidence());
        number(json, "mAP50", yolo.map50());
        number(json, "mAP50_95", yolo.map());
        json.writeEndObject();
    }

    private static void writeClass(JsonGenerator json, String name, YoloMetrics.OfClass one, CocoMetrics.OfClass coco)
            throws IOException {
        json.writeStartObject();
        json.writeNumberField("class_id", one.classId());
        json.writeStringField("name", name);
        json.writeNumberField("pictures", one.images());
        json.writeNumberField("objects", one.objects());
        number(json, "precision", one.precision());
        number(json, "recall", one.recall());
        number(json, "mAP50", one.ap50());
        number(json, "mAP50_95", one.ap());
        number(json, "coco_AP", coco.ap());
        number(json, "coco_AP50", coco.ap50());
        json.writeEndObject();
    }

    private static void number(JsonGenerator json, String field, double value) throws IOException {
        json.writeNumberField(field, BigDecimal.valueOf(value).setScale(DIGITS, RoundingMode.HALF_EVEN));
    }

    private static BigDecimal milliseconds(long nanos) {
        return BigDecimal.valueOf(nanos, 6).setScale(3, RoundingMode.HALF_EVEN);
    }
}
