package dev.shrike.app.bench.rivals;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.BackendUnavailableException;
import dev.shrike.Detector;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import dev.shrike.ShrikeException;
import dev.shrike.app.ToyModel;
import dev.shrike.app.bench.harness.Configuration;
import dev.shrike.app.bench.harness.Contestant;
import dev.shrike.app.bench.report.BenchReport;
import dev.shrike.graph.Graph;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Rivals run what they are given; what they cannot run they refuse as an error of ours. */
@Tag("any-processor")
class RivalsTest {
    @TempDir
    private Path folder;

    private Configuration configuration(String engine, Path model, String precision, int side, int batch) {
        return new Configuration(engine, model, precision, side, side, 1, batch, Optional.empty());
    }

    /** The toy network with codes of 8 bits; all its values lie within -2 to 64. */
    private Path quantized(Path model) {
        Graph graph = GraphPasses.simplify(OnnxModels.read(model), Map.of());
        Map<String, float[]> ranges = new HashMap<>();
        QdqModel.rangesNeeded(graph).forEach(name -> ranges.put(name, new float[] {0, 1}));
        assertEquals(List.of("images"), List.copyOf(ranges.keySet()));
        Path file = folder.resolve("qdq.onnx");
        OnnxModels.write(QdqModel.quantize(graph, ranges), file);
        return file;
    }

    @Test
    void onnxRuntimeRunsFloatAndOurQdqFile() {
        Path model = ToyModel.write(folder.resolve("toy.onnx"));
        for (Path file : List.of(model, quantized(model))) {
            try (Contestant rival = Rival.ONNXRUNTIME.open(configuration("onnxruntime", file, "float", 64, 1))) {
                rival.run();
                rival.run();
                assertTrue(rival.description().startsWith("ONNX Runtime 1.24.2"), rival.description());
            }
        }
    }

    @Test
    void theQdqFileFindsWhatTheFloatOneFinds() {
        Path model = ToyModel.write(folder.resolve("toy.onnx"));
        Frame frame = Frame.read(ToyModel.redAndBlue(folder.resolve("a.png")));
        try (Detector real = Detectors.open(model); Detector codes = Detectors.open(quantized(model))) {
            assertEquals(2, real.detect(frame).size());
            assertEquals(2, codes.detect(frame).size());
        }
    }

    @Test
    void openCvRunsTheFloatFile() {
        Path model = ToyModel.write(folder.resolve("toy.onnx"));
        try (Contestant rival = Rival.OPENCV.open(configuration("opencv", model, "float", 64, 1))) {
            rival.run();
            assertTrue(rival.description().startsWith("OpenCV 4."), rival.description());
        }
    }

    @Test
    void whatTheyCannotRunIsAnErrorOfOurs() throws IOException {
        Path broken = Files.writeString(folder.resolve("broken.onnx"), "no model");
        Path model = ToyModel.write(folder.resolve("toy.onnx"));
        for (Rival rival : Rival.values()) {
            assertThrows(ShrikeException.class,
                    () -> rival.open(configuration(rival.label(), broken, "float", 64, 1)), rival.label());
        }
        try (Contestant rival = Rival.ONNXRUNTIME.open(configuration("onnxruntime", model, "float", 64, 3))) {
            String message = assertThrows(RivalException.class, rival::run).getMessage();
            assertTrue(message.length() < 500 && !message.isBlank(), message);
        }
    }

    @Test
    void errorsOfSeveralLinesKeepWhatTheySay() {
        assertEquals(
                "OpenCV: (-2:Unspecified) in 'handleNode' Node [Split@ai.onnx]:(split) parse error: (-215:Assertion"
                        + " failed) splits > 0 in 'parseSplit'",
                RivalException.oneLine("""
                        OpenCV: OpenCV(4.6.0) /a/b/importer.cpp:1040: error: (-2:Unspecified) in 'handleNode'
                        > Node [Split@ai.onnx]:(split) parse error: OpenCV(4.6.0) /a/slice_layer.cpp:235: error: (-215:\
                        Assertion failed) splits > 0 in 'parseSplit'
                        >
                        """));
        assertEquals("a".repeat(600) + " ...", RivalException.oneLine("a".repeat(1000)));
    }

    @Test
    void aMissingLibraryIsToldWithTheWayOut() {
        List<Path> places = OnnxRuntimeLibrary.candidates(Map.of("XDG_CACHE_HOME", "/cache"), "/home/me");
        assertEquals(List.of("/cache/shrike/rivals/onnxruntime-1.24.2.jar",
                "/home/me/.m2/repository/com/microsoft/onnxruntime/onnxruntime/1.24.2/onnxruntime-1.24.2.jar"),
                places.stream().map(Path::toString).toList());
        String message = OnnxRuntimeLibrary.missing(places).getMessage();
        assertTrue(message.contains("mvn dependency:get") && message.contains("SHRIKE_ONNXRUNTIME"), message);
        assertEquals(List.of(Path.of("/x.jar")),
                OnnxRuntimeLibrary.candidates(Map.of("SHRIKE_ONNXRUNTIME", "/x.jar"), "/home/me"));
        assertThrows(BackendUnavailableException.class,
                () -> OnnxRuntimeLibrary.candidates(Map.of("SHRIKE_ONNXRUNTIME", "a\0b"), "/home/me"));
    }

    private List<BenchReport.Imported> imported(String text) throws IOException {
        return ImportedTimes.read(Files.writeString(folder.resolve("times"), text));
    }

    @Test
    void readsWhatTrtexecExports() throws IOException {
        BenchReport.Imported times = imported("""
                [ { "startEnqMs" : 0, "endEnqMs" : 0.1, "startComputeMs" : 1, "endComputeMs" : 3, "h2dMs" : 0.2,
                  "computeMs" : 2.0, "d2hMs" : 0.1, "latencyMs" : 2.3 }
                , { "computeMs" : 4.0, "latencyMs" : 4.3 }
                , { "computeMs" : 3.0 } ]
                """).getFirst();
        assertEquals("trtexec", times.tool());
        assertEquals(3, times.count());
        assertEquals(3.0, times.p50Ms(), 1e-12);
        assertEquals(2.0, times.minMs(), 1e-12);
        assertEquals(4.0, times.maxMs(), 1e-12);
    }

    @Test
    void readsWhatBenchNcnnPrints() throws IOException {
        List<BenchReport.Imported> times = imported("""
                loop_count = 8
                num_threads = 4
                powersave = 0
                gpu_device = -1
                cooling_down = 1
                          squeezenet  min =   21.46  max =   25.53  avg =   23.49
                     yolov4-tiny_int8  min =  100.00  max =  130.00  avg =  110.00
                """);
        assertEquals(2, times.size());
        assertEquals(new BenchReport.Imported("benchncnn", "squeezenet", 4, 8, 21.46, 23.49, null, null, 25.53),
                times.getFirst());
    }

    @Test
    void refusesTimesThatAreNone() throws IOException {
        for (String text : List.of("", "[]", "[", "[1, 2]", "[{\"computeMs\": -1}]", "[{\"computeMs\": \"x\"}]", "{}",
                "hello", "net min = 1.2.3 max = 4 avg = 5", "[".repeat(100_000), "\0\0\0")) {
            String message = assertThrows(ShrikeException.class, () -> imported(text), text).getMessage();
            assertTrue(message.contains("times"), message);
        }
        assertThrows(ShrikeException.class, () -> ImportedTimes.read(folder));
        assertThrows(ShrikeException.class, () -> ImportedTimes.read(folder.resolve("none")));
    }
}
