package dev.shrike.app.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.app.Console;
import dev.shrike.app.JsonSchema;
import dev.shrike.app.Main;
import dev.shrike.app.Repository;
import dev.shrike.app.ToyModel;
import dev.shrike.app.bench.report.BenchJson;
import dev.shrike.app.bench.report.BenchReport;
import dev.shrike.app.device.RecordedDevice;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** {@code shrike bench} from arguments to reports, on a network so small that only the reports matter. */
@Tag("any-processor")
class BenchTest {
    private static final List<String> SHORT =
            List.of("--rounds", "6", "--runs", "1", "--seconds", "0.2", "--cold-starts",
                    "0", "--no-tune", "--threads", "1", "--no-progress");

    @TempDir
    private static Path models;

    private static Path model;

    @TempDir
    private Path folder;

    private record Outcome(int exit, String out, String err) {}

    @BeforeAll
    static void makeModel() {
        model = ToyModel.write(models.resolve("toy.onnx"));
    }

    private static Outcome run(Object... args) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exit = Main.run(Arrays.stream(args).map(String::valueOf).toArray(String[]::new),
                new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Outcome(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    private static Outcome bench(Object... more) {
        List<Object> args = new ArrayList<>(List.of("bench", "--weights", model));
        args.addAll(SHORT);
        args.addAll(List.of(more));
        return run(args.toArray());
    }

    /** On the machine whose files are below a folder. */
    private Outcome benchOn(Path root, Object... more) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Console console = new Console(out, new PrintStream(err, true, StandardCharsets.UTF_8), false, false);
        CommandLine line =
                new CommandLine(new BenchCommand(console, _ -> null, root)).setExecutionExceptionHandler((e, _, _) -> {
                    err.writeBytes(e.getMessage().getBytes(StandardCharsets.UTF_8));
                    return 1;
                });
        List<String> args = new ArrayList<>(List.of("--weights", model.toString()));
        args.addAll(SHORT);
        Arrays.stream(more).map(String::valueOf).forEach(args::add);
        int exit = line.execute(args.toArray(String[]::new));
        return new Outcome(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }

    @Test
    void writesEveryForm() throws IOException {
        Outcome outcome = bench("--bits", "float,w8a8", "--rivals", "onnxruntime,opencv", "--json",
                folder.resolve("a.json"), "--csv", folder.resolve("a.csv"), "--markdown", folder.resolve("a.md"),
                "--html", folder.resolve("a.html"), "--layers");
        assertEquals(0, outcome.exit(), outcome.err());
        assertTrue(outcome.out().contains("toy 64, 1 thread"), outcome.out());
        String json = Files.readString(folder.resolve("a.json"));
        assertEquals(List.of(),
                JsonSchema.read(Repository.root().resolve("docs/bench.schema.json")).violations(json));
        BenchReport report = BenchJson.read(folder.resolve("a.json"));
        List<String> names = report.results().stream().map(BenchReport.Result::name).toList();
        assertTrue(names.containsAll(List.of("cpu float", "cpu w8a8", "onnxruntime float", "onnxruntime int8",
                "opencv float")), names.toString());
        for (BenchReport.Result result : report.results()) {
            assertTrue(result.samplesNs().length >= 6, "at least the rounds that were asked for");
            assertEquals(report.results().getFirst().samplesNs().length, result.samplesNs().length, "in turn");
            assertEquals(1, result.stages().stream().mapToDouble(BenchReport.Stage::share).sum(), 1e-9);
        }
        BenchReport.Result ours = report.results().getFirst();
        assertEquals(List.of("letterbox", "network", "decode", "rest"),
                ours.stages().stream().map(BenchReport.Stage::name).toList());
        assertTrue(ours.layers().stream().anyMatch(layer -> layer.macs() > 0 && layer.bytes() != null),
                ours.layers().toString());
        assertFalse(ours.model().made());
        assertTrue(report.results().get(1).model().made());
        assertEquals(2 * (names.size() - 2), report.comparisons().size(), "each of ours with each rival");
        assertEquals(1 + names.size(), Files.readAllLines(folder.resolve("a.csv")).size());
        for (String file : List.of("a.md", "a.html")) {
            assertTrue(Files.readString(folder.resolve(file)).contains("onnxruntime int8"), file);
        }
        assertEquals(0, run("bench", "compare", folder.resolve("a.json"), folder.resolve("a.json")).exit());
        Outcome page = run("bench", "report", folder);
        assertEquals(0, page.exit(), page.err());
        assertTrue(Files.readString(folder.resolve("report.html")).contains("Latency by device"));
    }

    @Test
    void jsonAloneGoesToTheStandardOutput() throws IOException {
        Outcome outcome = bench("--json", "--no-layers", "--paced", "500");
        assertEquals(0, outcome.exit(), outcome.err());
        assertEquals(1, outcome.out().lines().count());
        assertTrue(outcome.out().contains("\"mode\":\"paced 500\""), outcome.out());
    }

    @Test
    void longRunsTellTheirDrift() {
        Outcome outcome = bench("--long", "0.005", "--no-layers", "--json", folder.resolve("a.json"));
        assertEquals(0, outcome.exit(), outcome.err());
        BenchReport.Drift drift = BenchJson.read(folder.resolve("a.json")).results().getFirst().drift();
        assertTrue(drift.mediansMs().length > 1);
        assertTrue(outcome.out().contains("median moved by"), outcome.out());
    }

    @Test
    void aProcessOfItsOwnTellsTheColdStart() {
        Outcome outcome = bench("--cold-starts", "1", "--no-layers", "--json", folder.resolve("a.json"));
        assertEquals(0, outcome.exit(), outcome.err());
        BenchReport.Result result = BenchJson.read(folder.resolve("a.json")).results().getFirst();
        BenchReport.Opening opening = result.opening();
        assertEquals(opening.cold(), opening.jvm() + opening.load() + opening.first(), 1e-6);
        assertTrue(opening.load() > 0 && opening.first() > 0);
        assertTrue(result.memory().residentBytes() > 1 << 20);
        assertTrue(result.memory().peakBytes() >= result.memory().residentBytes());
    }

    @Test
    void aBoardThatHoldsItselfBackIsToldAndStrictRefusesIt() {
        RecordedDevice.unpack("raspberry-pi-4b", folder);
        RecordedDevice.put(folder, "sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n");
        Path json = folder.resolve("pi.json");
        Outcome outcome = benchOn(folder, "--json", json, "--no-layers");
        assertEquals(0, outcome.exit(), outcome.err());
        BenchReport report = BenchJson.read(json);
        assertEquals("Raspberry Pi 4 Model B Rev 1.5, 4 x Cortex-A72", report.device().name());
        assertTrue(report.results().getFirst().quality().disturbed()
                .contains("the board held itself back: under-voltage"));
        assertTrue(outcome.out().contains("energy: the board has no power meter"), outcome.out());
        assertEquals(61.835, report.timeline().getFirst().celsius());
        Outcome strict = benchOn(folder, "--json", folder.resolve("strict.json"), "--no-layers", "--strict");
        assertEquals(1, strict.exit());
        assertTrue(strict.err().contains("throttled") && strict.err().contains("--strict"), strict.err());
        assertFalse(Files.exists(folder.resolve("strict.json")));
    }

    @Test
    void aXavierTellsItsEnergy() {
        RecordedDevice.unpack("jetson-xavier-nx", folder);
        Path json = folder.resolve("nx.json");
        assertEquals(0, benchOn(folder, "--json", json, "--no-layers").exit());
        BenchReport report = BenchJson.read(json);
        BenchReport.Energy energy = report.results().getFirst().energy();
        assertEquals(5.072 * 1.240, energy.idleWatts(), 1e-6);
        assertEquals(0, energy.millijoules(), 1e-6, "the recorded meter stands still");
        assertTrue(report.device().fact("power mode").contains("MODE_20W_6CORE"));
        assertEquals(44.5, report.timeline().getFirst().celsius(), "not the PMIC's 100");
        assertTrue(report.results().getFirst().quality().disturbed().stream()
                .noneMatch(reason -> reason.contains("over-current")), "counted before the run");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"--rivals tensorflow|onnxruntime and opencv", "--bits w9a9|w4a8",
            "--threads -1|threads", "--threads 999|threads", "--batch 0|--batch", "--imgsz 7|--imgsz",
            "--imgsz 99999|--imgsz", "--imgsz 640x|--imgsz", "--suite huge|edge", "--suite edge --bits w8a8|fixed",
            "--paced -1|--paced -1 is not within 0 to 10000", "--paced NaN|--paced NaN", "--long -3|--long -3",
            "--precision 0|--precision 0 is not above 0 and at most 99",
            "--seconds 0|--seconds 0 is not above 0 and at most 604800", "--seconds -0.5|--seconds -0.5",
            "--rounds 0|rounds", "--runs 0|runs", "--cold-starts 101|--cold-starts"})
    void senselessOptionsAreUsageErrors(String options, String expected) {
        Outcome outcome = bench((Object[]) options.split(" "));
        assertEquals(2, outcome.exit(), outcome.err());
        assertTrue(outcome.err().contains(expected), outcome.err());
    }

    @Test
    void whatCannotBeMeasuredFailsWithAReason() throws IOException {
        Outcome nothing = run("bench");
        assertEquals(2, nothing.exit());
        assertTrue(nothing.err().contains("--weights"), nothing.err());
        Outcome none = run("bench", "--weights", folder.resolve("none.onnx"));
        assertEquals(1, none.exit());
        assertTrue(none.err().contains("none.onnx"), none.err());
        Path broken = Files.writeString(folder.resolve("broken.onnx"), "no model");
        Outcome bad = run("bench", "--weights", broken, "--json");
        assertEquals(1, bad.exit());
        assertEquals("", bad.out());
        Outcome unwritable = bench("--json", folder.resolve("nowhere/a.json"));
        assertEquals(1, unwritable.exit());
        assertTrue(unwritable.err().contains("nowhere"), unwritable.err());
        assertEquals(1, bench("--html", folder).exit(), "a folder in the way");
        assertEquals(1, bench("--import", broken).exit());
        assertEquals(1, bench("--val", broken).exit());
        Outcome size = bench("--imgsz", "96");
        assertEquals(1, size.exit());
        assertTrue(size.err().contains("64x64"), size.err());
        Outcome engine = bench("--engine", "warp");
        assertEquals(1, engine.exit());
        assertTrue(engine.err().contains("warp"), engine.err());
    }

    /** One of two models is broken: the other is measured, and the first is told. */
    @Test
    void oneBrokenModelDoesNotEndTheOthers() throws IOException {
        Path broken = Files.writeString(folder.resolve("broken.onnx"), "no model");
        Outcome outcome = bench("--weights", broken, "--no-layers", "--json", folder.resolve("a.json"));
        assertEquals(0, outcome.exit(), outcome.err());
        BenchReport report = BenchJson.read(folder.resolve("a.json"));
        assertEquals(1, report.results().size());
        assertEquals("broken", report.absent().getFirst().what());
    }

    /** Two models of one name in two folders, each made anew for the bench: one must not take the other's file. */
    @Test
    void modelsTakeTurnsIfAsked() throws IOException {
        Path other = Files.copy(model, Files.createDirectory(folder.resolve("other")).resolve("toy.onnx"));
        Path json = folder.resolve("a.json");
        Outcome outcome = bench("--weights", other, "--models-in-turn", "--bits", "w8a8,float", "--no-layers", "--json",
                json);
        assertEquals(0, outcome.exit(), outcome.err());
        assertEquals(List.of(),
                JsonSchema.read(Repository.root().resolve("docs/bench.schema.json"))
                        .violations(Files.readString(json)));
        BenchReport report = BenchJson.read(json);
        assertEquals("back-to-back, models in turn", report.settings().mode());
        assertEquals(List.of(0, 0, 1, 1), report.results().stream().map(BenchReport.Result::group).toList());
        assertEquals(2, report.comparisons().size(), "of each model, its second precision with its first");
        assertTrue(inTurn(report.results()), "each round has all of them");
        Outcome apart = bench("--weights", other, "--no-layers", "--json", json);
        assertEquals(0, apart.exit(), apart.err());
        assertFalse(inTurn(BenchJson.read(json).results()));
        assertEquals("back-to-back", BenchJson.read(json).settings().mode());
    }

    /** Whether every round of every result is over before any of the next begins; rounds of one run. */
    private static boolean inTurn(List<BenchReport.Result> results) {
        int rounds = results.getFirst().startsNs().length;
        for (BenchReport.Result one : results) {
            for (BenchReport.Result other : results) {
                for (int round = 1; round < rounds; round++) {
                    if (other.startsNs().length != rounds
                            || one.startsNs()[round - 1] >= other.startsNs()[round]) {
                        return false;
                    }
                }
            }
        }
        return true;
    }

    @Test
    void compareAndReportRefuseWhatIsNoReport() throws IOException {
        Path broken = Files.writeString(folder.resolve("broken.json"), "{\"schema\": 1");
        Outcome compare = run("bench", "compare", broken, broken);
        assertEquals(1, compare.exit());
        assertTrue(compare.err().contains("broken.json"), compare.err());
        assertEquals(2, run("bench", "compare", broken).exit());
        Outcome report = run("bench", "report", folder);
        assertEquals(1, report.exit());
        assertTrue(report.err().contains("has no report"), report.err());
        assertFalse(Files.exists(folder.resolve("report.html")));
        Outcome none = run("bench", "report", folder.resolve("none"));
        assertEquals(1, none.exit());
        assertEquals(1, none.err().lines().count(), none.err());
        Outcome one = run("bench", "report", broken);
        assertEquals(1, one.exit());
        assertEquals(1, one.err().lines().count(), one.err());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {"{}|schema", "[]|not an object", "7|not an object", "null|is null",
            "{\"schema\": 1}|field", "{\"schema\": 9, \"seconds\": 1}|version 9",
            "{\"schema\": 1, \"seconds\": 1}|lacks the field 'version'", "{\"schema\": \"a\"}|field 'schema'",
            "{|no JSON",
            "{\"schema\": 1, \"seconds\": 1, \"device\": 3}|field"})
    void whatIsWrongWithAReportIsToldInItsOwnWords(String text, String expected) throws IOException {
        Path file = Files.writeString(folder.resolve("wrong.json"), text);
        Outcome outcome = run("bench", "compare", file, file);
        assertEquals(1, outcome.exit());
        assertTrue(outcome.err().contains(expected), outcome.err());
        for (String foreign : List.of("Jackson", "deserialize", "creator", "Cannot", "FAIL_ON", "null into",
                "Unexpected", "java.")) {
            assertFalse(outcome.err().contains(foreign), outcome.err());
        }
    }
}
