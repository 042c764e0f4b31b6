package dev.shrike.app.detect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.StageTimes;
import dev.shrike.app.Console;
import dev.shrike.app.JsonSchema;
import dev.shrike.app.Repository;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReportsTest {
    private static final Detections STREET = new Detections(
            810,
            1080,
            Instant.EPOCH,
            new StageTimes(1_250_000, 54_300_000, 1_049_600),
            List.of(
                    new Detection(5, "bus", 0.90625f, 0, 230.5f, 810, 755.125f),
                    new Detection(0, "person", 0.5f, 10, 20, 30, 60),
                    new Detection(0, "person", 0.25f, 40, 20, 50, 60)));
    private static final Detections NOTHING =
            new Detections(4, 3, Instant.EPOCH, new StageTimes(0, 0, 0), List.of());

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final Console console = new Console(out, System.err, false, false);

    private String printed() {
        return out.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aLineHasNumberNameSizeObjectsAndTime() {
        LineReport report = new LineReport(console);
        report.image(0, 2, Path.of("a/bus.jpg"), STREET);
        report.image(1, 2, Path.of("wall.png"), NOTHING);
        report.summary(Totals.NONE.plus(STREET).plus(NOTHING));
        assertEquals(
                """
                        image 1/2 a/bus.jpg: 810x1080 2 persons, 1 bus, 56.6ms
                        image 2/2 wall.png: 4x3 (no detections), 0.0ms
                        Speed: 0.6ms pre-process, 27.2ms inference, 0.5ms NMS per image
                        """,
                printed());
    }

    @Test
    void aTableHasAHeadAndARowAImage() {
        Path deep = Path.of("a/folder/with/a/rather/long/name/in/front/of/bus.jpg");
        TableReport report = new TableReport(console, List.of(deep));
        report.image(0, 1, deep, STREET);
        List<String> lines = printed().lines().toList();
        assertEquals(2, lines.size());
        assertEquals(lines.get(0).indexOf("objects"), lines.get(1).indexOf("2 persons, 1 bus"));
        assertTrue(lines.get(1).contains("…") && lines.get(1).contains("/front/of/bus.jpg  "), lines.get(1));
    }

    @Test
    void jsonIsExactlyThis() {
        String json = new JsonReport(console, "yolov5s.onnx", "cpu").render(Path.of("a \"b\"/ü.jpg"), STREET);
        assertEquals(
                """
                        {"schema":1,"source":"a \\"b\\"/ü.jpg","width":810,"height":1080,"model":"yolov5s.onnx",\
                        "engine":"cpu","time_ms":{"letterbox":1.250,"network":54.300,"decode":1.050,"total":56.600},\
                        "detections":[\
                        {"class_id":5,"label":"bus","score":0.90625,"box":[0.00,230.50,810.00,755.12]},\
                        {"class_id":0,"label":"person","score":0.50000,"box":[10.00,20.00,30.00,60.00]},\
                        {"class_id":0,"label":"person","score":0.25000,"box":[40.00,20.00,50.00,60.00]}]}""",
                json);
    }

    @Test
    void jsonFollowsTheSchemaAndTheSchemaNoticesWhatDoesNot() throws IOException {
        JsonSchema schema = JsonSchema.read(Repository.root().resolve("docs/detect.schema.json"));
        JsonReport report = new JsonReport(console, "m", "e");
        String good = report.render(Path.of("a.jpg"), STREET);
        assertEquals(List.of(), schema.violations(good));
        assertEquals(List.of(), schema.violations(report.render(Path.of("a.jpg"), NOTHING)));
        for (String[] change : new String[][] {
                {"\"schema\":1", "\"schema\":2"},
                {"\"width\":810", "\"width\":0"},
                {"\"width\":810", "\"width\":8.5"},
                {"\"source\":\"a.jpg\"", "\"source\":\"\""},
                {"\"engine\":\"e\",", ""},
                {"\"score\":0.50000", "\"score\":1.5"},
                {"[10.00,20.00,30.00,60.00]", "[10.00,20.00,30.00]"},
                {"[10.00,20.00,30.00,60.00]", "[10.00,20.00,30.00,\"60\"]"},
                {"\"class_id\":0", "\"class_id\":-1"},
                {"\"schema\":1", "\"schema\":1,\"more\":1"}
        }) {
            String bad = good.replace(change[0], change[1]);
            assertTrue(!bad.equals(good) && !schema.violations(bad).isEmpty(), change[1]);
        }
    }

    @Test
    void labelFilesHoldSharesOfTheImage() {
        assertEquals(
                """
                        5 0.500000 0.456308 1.000000 0.485764
                        0 0.024691 0.037037 0.024691 0.037037
                        0 0.055556 0.037037 0.012346 0.037037
                        """,
                LabelFile.text(STREET, false));
        assertTrue(LabelFile.text(STREET, true).startsWith("5 0.500000 0.456308 1.000000 0.485764 0.906250\n"));
        assertEquals("", LabelFile.text(NOTHING, true));
    }
}
