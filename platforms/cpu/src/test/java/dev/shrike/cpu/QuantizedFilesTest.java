package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.shrike.Detection;
import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import dev.shrike.graph.Graph;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.onnx.QuantizedFile;
import dev.shrike.onnx.QuantizedFiles;
import dev.shrike.testing.SharedFolder;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Quantised files of other tools run here, in integers as the evaluation of their graphs, and as ONNX Runtime does. */
class QuantizedFilesTest {
    private static final int SIDE = 640;
    private static final float CONFIDENCE = 0.25f;

    @TestFactory
    List<DynamicTest> sameAsTheEvaluationAndOnnxRuntime() {
        return QuantizedFiles.all().stream().map(file -> DynamicTest.dynamicTest(file.name(), () -> {
            Graph graph = graph(file);
            EngineBits.assertOutputs(graph, file.input(), EngineBits.Way.USUAL, file.name());
            assertNull(QuantizedFile.difference(file.expected(), run(graph, file), file.step()));
        })).toList();
    }

    @ParameterizedTest
    @ValueSource(strings = {"pruned-mask-no-kernel_shape", "qcdq-torch-reduce-range", "qdq-com.microsoft",
            "qdq-dead-channel-scale0", "qdq-identity-zero-point", "qoperator-QLinearConv",
            "quantize_dynamic-ConvInteger"})
    void filesThatWereRefusedRun(String name) throws IOException, OrtException {
        byte[] model = Files.readAllBytes(SharedFolder.file("faults/quantised/" + name + ".onnx"));
        Graph read = OnnxModels.read(model, name, null);
        long[] shape = read.inputs().getFirst().shape().toArray();
        QuantizedFile file = new QuantizedFile(name, read.inputs().getFirst().name(), model, shape, 0);
        // Scores behind three layers and sigmoids, of which one layer is rounded.
        assertArrayEquals(file.expected(), run(graph(file), file), 0.01f);
    }

    private static Graph graph(QuantizedFile file) {
        return GraphPasses.forInference(OnnxModels.read(file.model(), file.name(), null), Map.of());
    }

    private static float[] run(Graph graph, QuantizedFile file) {
        return EngineBits.run(graph, file.input(), Set.of(), EngineBits.Way.USUAL)
                .get(graph.outputs().getFirst().name());
    }

    /** YOLOv8n after {@code quantize_dynamic}. Ranges and codes are measured, so that scores follow the last digits. */
    @Test
    void findsWhatOnnxRuntimeFindsWithDynamicQuantisation() throws IOException, OrtException {
        Path model = SharedFolder.file("models/others/yolov8n_int8.onnx");
        Frame image = square(Frame.read(SharedFolder.file("reference/bus.jpg")));
        List<Detection> expected = expected(model, image);
        assertTrue(expected.size() > 2, expected.toString());
        try (Detector detector = Detectors.open(model, DetectorOptions.DEFAULT.withEngine("cpu"))) {
            List<Detection> found = new ArrayList<>(detector.detect(image).list());
            System.out.println("ONNX Runtime: " + expected + "\nShrike: " + found);
            assertEquals(expected.size(), found.size(), "ONNX Runtime: " + expected + ", found: " + found);
            for (Detection one : expected) {
                Detection same =
                        found.stream().max(Comparator.comparingDouble(other -> overlap(one, other))).orElseThrow();
                String both = one + " and " + same;
                assertEquals(one.classId(), same.classId(), both);
                assertEquals(one.score(), same.score(), 0.03, both);
                assertTrue(overlap(one, same) > 0.95, both);
            }
        }
    }

    /** The image in 640x640, each pixel one of its own. */
    private static Frame square(Frame frame) {
        Frame square = Frame.allocate(SIDE, SIDE);
        for (int y = 0; y < SIDE; y++) {
            for (int x = 0; x < SIDE; x++) {
                long from = 3L * (y * frame.height() / SIDE * frame.width() + x * frame.width() / SIDE);
                for (int channel = 0; channel < 3; channel++) {
                    square.pixels().set(ValueLayout.JAVA_BYTE, 3L * (y * SIDE + x) + channel,
                            frame.pixels().get(ValueLayout.JAVA_BYTE, from + channel));
                }
            }
        }
        return square;
    }

    /** By ONNX Runtime, and the decoding of YOLOv8's paper: [1, 4 + classes, boxes] of centres, sizes and scores. */
    private static List<Detection> expected(Path model, Frame image) throws OrtException {
        float[] input = new float[3 * SIDE * SIDE];
        for (int i = 0; i < input.length; i++) {
            int channel = 2 - i / (SIDE * SIDE);
            long at = 3L * (i % (SIDE * SIDE)) + channel;
            input[i] = (image.pixels().get(ValueLayout.JAVA_BYTE, at) & 0xff) / 255f;
        }
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession session = environment.createSession(model.toString());
                OnnxTensor x = OnnxTensor.createTensor(environment, FloatBuffer.wrap(input),
                        new long[] {1, 3, SIDE, SIDE});
                OrtSession.Result result = session.run(Map.of("images", x))) {
            return suppressed(((float[][][]) result.get(0).getValue())[0]);
        }
    }

    private static List<Detection> suppressed(float[][] rows) {
        List<Detection> candidates = new ArrayList<>();
        for (int box = 0; box < rows[0].length; box++) {
            int best = 4;
            for (int row = 5; row < rows.length; row++) {
                best = rows[row][box] > rows[best][box] ? row : best;
            }
            if (rows[best][box] > CONFIDENCE) {
                float halfWidth = rows[2][box] / 2;
                float halfHeight = rows[3][box] / 2;
                candidates.add(new Detection(best - 4, "", rows[best][box], rows[0][box] - halfWidth,
                        rows[1][box] - halfHeight, rows[0][box] + halfWidth, rows[1][box] + halfHeight));
            }
        }
        candidates.sort(Comparator.comparingDouble(Detection::score).reversed());
        List<Detection> kept = new ArrayList<>();
        for (Detection candidate : candidates) {
            if (kept.stream().noneMatch(other -> other.classId() == candidate.classId()
                    && overlap(other, candidate) > DetectorOptions.DEFAULT.iou())) {
                kept.add(candidate);
            }
        }
        return kept;
    }

    private static double overlap(Detection a, Detection b) {
        double width = Math.max(0, Math.min(a.x2(), b.x2()) - Math.max(a.x1(), b.x1()));
        double height = Math.max(0, Math.min(a.y2(), b.y2()) - Math.max(a.y1(), b.y1()));
        double common = width * height;
        return common / (area(a) + area(b) - common);
    }

    private static double area(Detection box) {
        return (double) (box.x2() - box.x1()) * (box.y2() - box.y1());
    }
}
