package dev.shrike.app.heads;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OrtException;
import dev.shrike.Detection;
import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import dev.shrike.UnsupportedModelException;
import dev.shrike.app.Repository;
import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import dev.shrike.onnx.OnnxModels;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Networks of other families see what ONNX Runtime and a decoding written from their papers see. */
class OtherFamiliesTest {
    private static final int SIDE = 96;
    private static final float CONFIDENCE = 0.3f;
    private static final DetectorOptions OPTIONS = DetectorOptions.DEFAULT.withThresholds(CONFIDENCE, 0.45f);

    /** Which decoding of {@link PaperDecoding}. */
    private enum Family {
        YOLOX,
        YOLOV8,
        YOLOV8_RAW
    }

    private static int assertSeesTheSame(byte[] model, Family family, Frame frame, int width, int height)
            throws OrtException {
        List<PaperDecoding.Found> expected;
        try (PaperDecoding paper = new PaperDecoding(model, width, height)) {
            expected = switch (family) {
                case YOLOX -> paper.yolox(frame, CONFIDENCE);
                case YOLOV8 -> paper.yolov8(frame, CONFIDENCE);
                case YOLOV8_RAW -> paper.yolov8Raw(frame, CONFIDENCE);
            };
        }
        List<Detection> found;
        try (Detector detector = Detectors.open(OnnxModels.read(model, "model", null), OPTIONS)) {
            found = detector.detect(frame).list();
        }
        assertEquals(expected.size(), found.size(), expected + " and " + found);
        for (int i = 0; i < found.size(); i++) {
            PaperDecoding.Found one = expected.get(i);
            Detection other = found.get(i);
            assertEquals(one.classId(), other.classId());
            assertEquals(one.score(), other.score(), 1e-3);
            assertEquals(Math.clamp(one.x1(), 0, frame.width()), other.x1(), 0.05);
            assertEquals(Math.clamp(one.y1(), 0, frame.height()), other.y1(), 0.05);
            assertEquals(Math.clamp(one.x2(), 0, frame.width()), other.x2(), 0.05);
            assertEquals(Math.clamp(one.y2(), 0, frame.height()), other.y2(), 0.05);
        }
        return found.size();
    }

    /** Three convolutions a stride, whose values are boxes, objectness and classes of YOLOX, its boxes not decoded. */
    private static Graph yolox(int classes) {
        Map<String, Tensor> constants = new HashMap<>();
        List<Node> nodes = new ArrayList<>();
        List<String> heads = new ArrayList<>();
        for (int stride = 8; stride <= 32; stride *= 2) {
            int cells = SIDE / stride * SIDE / stride;
            convolution(nodes, constants, "box" + stride, 4, stride, 1 / 255f);
            convolution(nodes, constants, "rest" + stride, 1 + classes, stride, 4 / 255f);
            nodes.add(new Node("sigmoid" + stride, Op.Unary.of(Op.Unary.Kind.SIGMOID), List.of("rest" + stride),
                    List.of("scores" + stride)));
            nodes.add(new Node("join" + stride, new Op.Concat(1), List.of("box" + stride, "scores" + stride),
                    List.of("head" + stride)));
            constants.put("shape" + stride, Tensor.vector(1, 5 + classes, cells));
            nodes.add(new Node("flatten" + stride, new Op.Reshape(false), List.of("head" + stride, "shape" + stride),
                    List.of("flat" + stride)));
            heads.add("flat" + stride);
        }
        nodes.add(new Node("all", new Op.Concat(2), heads, List.of("all")));
        nodes.add(new Node("turn", new Op.Transpose(List.of(0, 2, 1)), List.of("all"), List.of("output")));
        int places = ConstantNetwork.places(SIDE, SIDE);
        return graph(nodes, constants, List.of(
                new ValueInfo("output", DataType.FLOAT32, Shape.of(1, places, 5 + classes))), classes);
    }

    /** Two convolutions a stride, whose results are the raw heads of YOLOv8. */
    private static Graph yolov8Raw(int classes) {
        Map<String, Tensor> constants = new HashMap<>();
        List<Node> nodes = new ArrayList<>();
        List<ValueInfo> outputs = new ArrayList<>();
        for (int stride = 8; stride <= 32; stride *= 2) {
            convolution(nodes, constants, "box" + stride, 64, stride, 3);
            convolution(nodes, constants, "class" + stride, classes, stride, 4);
            nodes.add(new Node("join" + stride, new Op.Concat(1), List.of("box" + stride, "class" + stride),
                    List.of("head" + stride)));
            outputs.addFirst(new ValueInfo("head" + stride, DataType.FLOAT32,
                    Shape.of(1, 64 + classes, SIDE / stride, SIDE / stride)));
        }
        return graph(nodes, constants, outputs, classes);
    }

    private static Graph graph(
            List<Node> nodes, Map<String, Tensor> constants, List<ValueInfo> outputs, int classes) {
        StringBuilder names = new StringBuilder();
        for (int i = 0; i < classes; i++) {
            names.append(i == 0 ? "['c0'" : ", 'c" + i + "'");
        }
        return new Graph("family", List.of(new ValueInfo("images", DataType.FLOAT32, Shape.of(1, 3, SIDE, SIDE))),
                outputs, nodes, constants, Map.of(), Map.of("names", names + "]"));
    }

    private static void convolution(
            List<Node> nodes, Map<String, Tensor> constants, String name, int channels, int stride, float scale) {
        Random random = new Random(name.hashCode());
        float[] weight = new float[channels * 3 * stride * stride];
        for (int i = 0; i < weight.length; i++) {
            weight[i] = (float) random.nextGaussian() * scale / stride;
        }
        constants.put(name + "_weight", Tensor.ofFloats(Shape.of(channels, 3, stride, stride), weight));
        nodes.add(new Node(name, new Op.Conv(Window.square(stride, stride, 0), 1, Activation.NONE),
                List.of("images", name + "_weight"), List.of(name)));
    }

    private static Frame noise(int height, long seed) {
        Frame frame = Frame.allocate(SIDE, height);
        byte[] bytes = new byte[3 * SIDE * height];
        new Random(seed).nextBytes(bytes);
        MemorySegment.copy(bytes, 0, frame.pixels(), ValueLayout.JAVA_BYTE, 0, bytes.length);
        return frame;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 80})
    void generatedNetworksSeeTheSame(int classes) throws OrtException {
        int seen = 0;
        for (int height : new int[] {SIDE, 71}) {
            Frame frame = noise(height, height);
            seen += assertSeesTheSame(OnnxModels.toBytes(yolox(classes)), Family.YOLOX, frame, SIDE, SIDE);
            seen += assertSeesTheSame(OnnxModels.toBytes(yolov8Raw(classes)), Family.YOLOV8_RAW, frame, SIDE, SIDE);
        }
        assertTrue(seen > 40, seen + " objects");
    }

    /** A part of a photograph that needs no resizing, so that only the network and its decoding count. */
    private static Frame crop(Path image, int left, int top, int width, int height) {
        Frame whole = Frame.read(image);
        Frame part = Frame.allocate(width, height);
        for (int y = 0; y < height; y++) {
            MemorySegment.copy(whole.pixels(), 3L * ((long) (top + y) * whole.width() + left), part.pixels(),
                    3L * y * width, 3L * width);
        }
        return part;
    }

    @ParameterizedTest
    @CsvSource({"yolov8n.onnx, YOLOV8, 640", "yolo11n.onnx, YOLOV8, 640", "yolox_nano-416.onnx, YOLOX, 416"})
    void realNetworksSeeTheSame(String file, Family family, int side) throws IOException, OrtException {
        Path model = Repository.shared().resolve("models/others").resolve(file);
        Assumptions.assumeTrue(Files.exists(model), "no " + model + ": skipped");
        Path images = Repository.shared().resolve("reference");
        byte[] bytes = Files.readAllBytes(model);
        int seen = assertSeesTheSame(bytes, family, crop(images.resolve("bus.jpg"), 100, 380, side, side - 90), side,
                side);
        seen += assertSeesTheSame(bytes, family, crop(images.resolve("zidane.jpg"), 600, 40, side, side - 41), side,
                side);
        assertTrue(seen >= 3, seen + " objects");
    }

    /** Families that are not decoded, and one whose export mixed up the order of its values. */
    @ParameterizedTest
    @CsvSource({"nanodet_m.onnx, NanoDet", "FastestDet.onnx, FastestDet", "yolo-fastestv2.onnx, Yolo-FastestV2",
            "yolox_nano.onnx, an objectness from 0 to 1 should be"})
    void realNetworksOfOtherFamiliesAreRefused(String file, String why) {
        Path model = Repository.shared().resolve("models/others").resolve(file);
        Assumptions.assumeTrue(Files.exists(model), "no " + model + ": skipped");
        String message = assertThrows(UnsupportedModelException.class,
                () -> Detectors.open(model, OPTIONS).close()).getMessage();
        assertTrue(message.contains(why), message);
    }

    @Test
    void softNmsKeepsWhatItLowers() {
        Graph network = yolov8Raw(3);
        Frame frame = noise(SIDE, 7);
        try (Detector plain = Detectors.open(network, OPTIONS);
                Detector soft = Detectors.open(network, OPTIONS.withSoftNms(dev.shrike.heads.SoftNms.LINEAR))) {
            List<Detection> hard = plain.detect(frame).list();
            List<Detection> lowered = soft.detect(frame).list();
            assertTrue(lowered.size() > hard.size(), lowered.size() + " and " + hard.size());
            for (int i = 1; i < lowered.size(); i++) {
                assertTrue(lowered.get(i - 1).score() >= lowered.get(i).score());
                assertTrue(lowered.get(i).score() > CONFIDENCE);
            }
        }
    }
}
