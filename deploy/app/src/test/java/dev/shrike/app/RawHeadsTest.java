package dev.shrike.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Detection;
import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.passes.EliminateDeadNodes;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.vision.Images;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Networks that end in raw heads see what the same networks see with the decoding that YOLOv5 exports. */
class RawHeadsTest {
    private static final float[] COCO = {10, 13, 16, 30, 33, 23, 30, 61, 62, 45, 59, 119, 116, 90, 156, 198, 373, 326};
    private static final float[] OWN = {5, 6, 8, 14, 15, 11, 20, 22, 31, 40, 44, 29, 50, 51, 61, 30, 28, 63};
    private static final Map<String, String> NAMES = Map.of("names", "['a', 'b']");
    private static final DetectorOptions OPTIONS = DetectorOptions.DEFAULT.withThreads(1).withThresholds(0.4f, 0.45f);

    @TempDir
    private Path folder;

    private static Frame noise(long seed) {
        Frame frame = Frame.allocate(SmallHeads.SIDE, SmallHeads.SIDE);
        byte[] bytes = new byte[3 * SmallHeads.SIDE * SmallHeads.SIDE];
        new Random(seed).nextBytes(bytes);
        MemorySegment.copy(bytes, 0, frame.pixels(), ValueLayout.JAVA_BYTE, 0, bytes.length);
        return frame;
    }

    private static void assertSame(List<Detection> expected, List<Detection> found, double pixels) {
        assertEquals(expected.size(), found.size(), expected + " and " + found);
        for (int i = 0; i < expected.size(); i++) {
            Detection one = expected.get(i);
            Detection other = found.get(i);
            assertEquals(one.classId(), other.classId());
            assertEquals(one.label(), other.label());
            assertEquals(one.score(), other.score(), 1e-5);
            assertEquals(one.x1(), other.x1(), pixels);
            assertEquals(one.y1(), other.y1(), pixels);
            assertEquals(one.x2(), other.x2(), pixels);
            assertEquals(one.y2(), other.y2(), pixels);
        }
    }

    private static void assertSeesTheSame(Graph decoded, Graph raw, DetectorOptions options) {
        int seen = 0;
        try (Detector whole = Detectors.open(decoded, OPTIONS); Detector heads = Detectors.open(raw, options)) {
            for (int seed = 1; seed <= 5; seed++) {
                List<Detection> expected = whole.detect(noise(seed)).list();
                assertSame(expected, heads.detect(noise(seed)).list(), 1e-3);
                seen += expected.size();
            }
        }
        assertTrue(seen > 20, seen + " objects");
    }

    @Test
    void theAnchorsOfYolov5AreTakenByDefault() {
        SmallHeads network = new SmallHeads(COCO);
        assertSeesTheSame(network.decoded(), network.flat(NAMES), OPTIONS);
        assertSeesTheSame(network.decoded(), network.split(NAMES), OPTIONS);
    }

    @Test
    void otherAnchorsComeFromTheMetadataOrTheOption() {
        SmallHeads network = new SmallHeads(OWN);
        List<Float> anchors = new ArrayList<>();
        for (float side : OWN) {
            anchors.add(side);
        }
        String text = Arrays.toString(OWN);
        Map<String, String> metadata = Map.of("names", "['a', 'b']", "anchors", text);
        assertSeesTheSame(network.decoded(), network.split(metadata), OPTIONS);
        assertSeesTheSame(network.decoded(), network.flat(NAMES), OPTIONS.withAnchors(anchors));
        Map<String, String> wrong = Map.of("names", "['a', 'b']", "anchors", Arrays.toString(COCO));
        assertSeesTheSame(network.decoded(), network.flat(wrong), OPTIONS.withAnchors(anchors));
        assertThrows(ModelException.class,
                () -> Detectors.open(network.flat(NAMES), OPTIONS.withAnchors(anchors.subList(0, 4))));
        assertThrows(IllegalArgumentException.class, () -> OPTIONS.withAnchors(List.of(1f, 0f)));
        assertThrows(IllegalArgumentException.class, () -> OPTIONS.withAnchors(List.of(Float.NaN, 1f)));
    }

    /** Shapes alone do not tell, and decoding twice would put boxes anywhere. */
    @Test
    void headsBehindTheSigmoidAreRefused() {
        String message = assertThrows(UnsupportedModelException.class,
                () -> Detectors.open(new SmallHeads(COCO).scored(), OPTIONS)).getMessage();
        assertTrue(message.contains("output 'y0'") && message.contains("the sigmoid of node 'sigmoid0'"), message);
    }

    @Test
    void anchorsAreRefusedWhereTheNetworkHasThem() {
        String message = assertThrows(UnsupportedModelException.class,
                () -> Detectors.open(new SmallHeads(COCO).decoded(), OPTIONS.withAnchors(List.of(1f, 2f))))
                .getMessage();
        assertTrue(message.contains("anchors were given"), message);
    }

    /** Also from the command line, and from a file that was built. */
    @Test
    void theCommandTakesAnchorsAndBuiltFiles() throws IOException {
        SmallHeads network = new SmallHeads(OWN);
        Path decoded = Files.write(folder.resolve("decoded.onnx"), OnnxModels.toBytes(network.decoded()));
        Path heads = Files.write(folder.resolve("heads.onnx"), OnnxModels.toBytes(network.flat(NAMES)));
        Path built = folder.resolve("heads.shrike");
        Path image = folder.resolve("noise.png");
        Images.write(noise(1), image);
        run("build", heads.toString(), "-o", built.toString(), "--no-tune", "--quiet");
        String anchors = Arrays.toString(OWN).replaceAll("[\\[\\] ]", "");
        String expected = detections(run("detect", "--weights", decoded.toString(), "--nosave", "--json",
                image.toString()));
        assertTrue(expected.contains("\"label\":\"a\""), expected);
        for (Path model : List.of(heads, built)) {
            String found = run("detect", "--weights", model.toString(), "--nosave", "--json", "--anchors", anchors,
                    image.toString());
            assertEquals(labels(expected), labels(detections(found)));
        }
    }

    private static String run(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exit = Main.run(arguments, new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        assertEquals(0, exit, err.toString(StandardCharsets.UTF_8));
        return out.toString(StandardCharsets.UTF_8);
    }

    private static String detections(String json) {
        return json.substring(json.indexOf("\"detections\""));
    }

    /** Labels and boxes to a tenth of a pixel. */
    private static String labels(String detections) {
        return detections.replaceAll("\"score\":[\\d.]+,", "").replaceAll("(\\d\\.\\d)\\d*", "$1");
    }

    /** YOLOv5n cut in front of its decoding, as export.py --train and users of other runtimes have it. */
    @ParameterizedTest
    @ValueSource(strings = {"bus", "zidane"})
    void yolov5CutAtItsHeadsSeesTheSame(String image) throws IOException {
        Graph whole = OnnxModels.read(Repository.shared().resolve("models/yolov5n-640.onnx"));
        Frame frame = Frame.read(Repository.shared().resolve("reference/" + image + ".jpg"));
        List<Detection> expected;
        try (Detector detector = Detectors.open(whole, DetectorOptions.DEFAULT)) {
            expected = detector.detect(frame).list();
        }
        assertTrue(expected.size() >= 3, expected.toString());
        for (Class<? extends Op> last : List.of(Op.Conv.class, Op.Transpose.class)) {
            try (Detector detector = Detectors.open(cut(whole, last), DetectorOptions.DEFAULT)) {
                assertSame(expected, detector.detect(frame).list(), 0.02);
            }
        }
    }

    /** The network up to the last nodes of a kind that the output depends on, three of them in YOLOv5. */
    private static Graph cut(Graph whole, Class<? extends Op> last) {
        List<Node> heads = whole.nodes().stream().filter(node -> last.isInstance(node.op())).toList();
        heads = heads.subList(heads.size() - 3, heads.size());
        var types = ShapeInference.infer(whole);
        List<ValueInfo> outputs = heads.stream().map(node -> types.get(node.output())).toList();
        return new EliminateDeadNodes().apply(whole.withOutputs(outputs));
    }
}
