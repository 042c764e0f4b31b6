package dev.shrike.app.bench.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ShrikeException;
import dev.shrike.app.JsonSchema;
import dev.shrike.app.Repository;
import dev.shrike.app.bench.statistics.Verdict;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;

/** The forms of a report, from figures that are made up. */
@Tag("any-processor")
class ReportsTest {
    private static final BenchReport REPORT = ReportFixture.report("Board <one> & \"two\" | =1",
            List.of(ReportFixture.result("yolov5n.onnx", "cpu", "float", 20, 1),
                    ReportFixture.result("yolov5n.onnx", "cpu", "w8a8", 12, 2),
                    ReportFixture.result("yolov5n.onnx", "onnxruntime", "float", 25, 3)));

    @TempDir
    private Path folder;

    @Test
    void jsonIsAsTheSchemaSaysAndReadsBack() throws IOException {
        String text = BenchJson.text(REPORT);
        assertEquals(List.of(),
                JsonSchema.read(Repository.root().resolve("docs/bench.schema.json")).violations(text));
        BenchReport read = BenchJson.read(Files.writeString(folder.resolve("a.json"), text));
        assertArrayEquals(REPORT.results().get(1).samplesNs(), read.results().get(1).samplesNs());
        assertEquals(REPORT.results().get(1).latency(), read.results().get(1).latency());
        assertEquals(REPORT.comparisons(), read.comparisons());
        assertEquals(REPORT.device(), read.device());
        assertEquals(text, BenchJson.text(read));
    }

    private String refusal(String text) throws IOException {
        Path file = Files.writeString(folder.resolve("broken.json"), text);
        String message = assertThrows(ShrikeException.class, () -> BenchJson.read(file)).getMessage();
        assertTrue(message.startsWith(file.toString()), message);
        return message;
    }

    @Test
    void whatIsNoReportIsRefusedByName() throws IOException {
        String text = BenchJson.text(REPORT);
        for (String broken : List.of("", "null", "{", "[]", "{}", "7", "\"text\"", text.substring(0, text.length() / 2),
                "[".repeat(100_000), text.replace("\"schema\":1", "\"schema\":2"),
                text.replaceFirst("\"samples_ns\":\\[", "\"samples_ns\":[0,"),
                text.replaceFirst("\"samples_ns\":\\[\\d+", "\"samples_ns\":[-5"),
                text.replaceFirst("\"p50\":[0-9.]+", "\"p50\":\"NaN\""),
                text.replaceFirst("\"p50\":[0-9.]+", "\"p50\":null"),
                text.replaceFirst("\"engine\":\"cpu\",", ""),
                text.replaceFirst("\"results\":\\[", "\"results\":[null,"),
                text.replaceFirst("\"runs_per_round\":3", "\"runs_per_round\":0"),
                text.replaceFirst("\"a\":0", "\"a\":99"))) {
            String message = refusal(broken);
            assertTrue(message.length() < 600 && message.contains("report"), message);
        }
        assertTrue(refusal(text.replace("\"schema\":1", "\"schema\":2")).contains("version 2"));
        assertThrows(ShrikeException.class, () -> BenchJson.read(folder));
        assertThrows(ShrikeException.class, () -> BenchJson.read(folder.resolve("nowhere.json")));
    }

    @Test
    void terminalCsvAndMarkdownHaveEveryResult() {
        String text = String.join("\n", TextReport.lines(REPORT, true));
        for (String part : List.of("cpu float", "cpu w8a8", "onnxruntime float", "network of cpu float / onnxruntime",
                "/model.0/conv", "benchncnn, yolov5n", "not taken: yolov5n, opencv int8: cannot", "no meter")) {
            assertTrue(text.contains(part), part + " in " + text);
        }
        List<String> csv = CsvReport.text(REPORT).lines().toList();
        assertEquals(4, csv.size());
        assertTrue(csv.get(1).startsWith("\"Board <one> & \"\"two\"\" | =1\",yolov5n,cpu,float,640,640,4,1,60,"),
                csv.get(1));
        assertEquals(csv.getFirst().split(",").length, csv.get(1).split(",", -1).length);
        String markdown = MarkdownReport.text(REPORT);
        assertTrue(markdown.startsWith("# Board \\<one\\> & \"two\" \\| =1"), markdown);
        assertEquals(1, markdown.lines().filter(line -> line.startsWith("| cpu w8a8 |")).count());
        assertFalse(CsvReport.text(ReportFixture.report("=HYPERLINK(1)", REPORT.results())).contains("\n=HYPERLINK"));
    }

    /** As XML, which is stricter than HTML: every tag ends, every text is escaped. */
    private static void requireWellFormed(String html) {
        String xml = html.replace("<!DOCTYPE html>", "").replaceAll("<(meta|link)([^>]*)>", "<$1$2/>")
                .replace("&plusmn;", "+-");
        try {
            DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(new InputSource(new StringReader(xml)));
        } catch (Exception e) {
            throw new AssertionError("the page is not well-formed: " + e.getMessage(), e);
        }
    }

    @Test
    void pagesNeedNothingElseAndShowAllThatThereIs() {
        String html = HtmlReport.page(REPORT);
        requireWellFormed(html);
        assertFalse(html.contains("http"), "nothing from a network");
        assertFalse(html.contains("<script"), "no script");
        assertFalse(html.contains("<one>"), "texts are escaped");
        for (String part : List.of("Medians with 95 % intervals", "Distribution", "Over time", "°C", "Layers of cpu",
                "Accuracy against latency", "benchncnn yolov5n", "opencv int8", "prefers-color-scheme")) {
            assertTrue(html.contains(part), part);
        }
        Map<String, BenchReport> devices = new LinkedHashMap<>();
        devices.put("first", REPORT);
        devices.put("second <b>", ReportFixture.report("Other",
                List.of(ReportFixture.result("yolov5n.onnx", "cpu", "float", 90, 4))));
        String page = DevicesPage.page(devices);
        requireWellFormed(page);
        assertTrue(page.contains("second &lt;b&gt;, cpu float, 4"), page);
        assertTrue(page.contains("ondemand"));
    }

    @Test
    void comparingSaysOnlyWhatCanBeTold() {
        BenchReport other = ReportFixture.report("Board <one> & \"two\" | =1",
                List.of(ReportFixture.result("yolov5n.onnx", "cpu", "float", 20.6, 9),
                        ReportFixture.result("yolov5n.onnx", "cpu", "w8a8", 12, 10),
                        ReportFixture.result("yolov5s.onnx", "cpu", "float", 50, 11)));
        RunComparison comparison = RunComparison.of(REPORT, other);
        assertEquals(List.of(Verdict.SLOWER, Verdict.UNDECIDED),
                comparison.rows().stream().map(RunComparison.Row::verdict).toList());
        assertEquals(1, comparison.onlyFirst().size());
        assertEquals(List.of("yolov5s 640, 4 threads, cpu float"), comparison.onlySecond());
        String text = String.join("\n", comparison.lines());
        assertTrue(text.contains(" 1.03") && text.contains(" slower") && text.contains(" ~ "), text);
        assertEquals(List.of(Verdict.UNDECIDED, Verdict.UNDECIDED, Verdict.UNDECIDED),
                RunComparison.of(REPORT, REPORT).rows().stream().map(RunComparison.Row::verdict).toList());
    }

    @Test
    void axesHaveRoundTicks() {
        assertEquals(List.of(0.0, 20.0, 40.0, 60.0, 80.0, 100.0), new Axis(0, 100, 0, 1).ticks());
        assertEquals("0.05", new Axis(0, 0.25, 0, 1).label(0.05));
        Axis flat = Axis.of(5, 5, 0, 10);
        assertTrue(flat.low() < 5 && flat.high() > 5);
        assertEquals(5, flat.at(5), 1e-9);
    }
}
