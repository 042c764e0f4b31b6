package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.testing.SharedFolder;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whole YOLO networks against recorded outputs and against ONNX Runtime, on a real photograph's input. */
class ModelAgreementTest {
    private static final float PIXELS = 0.02f;
    private static final float SCORE = 1e-4f;

    @Test
    void yolov5nEqualsTheRecordedOutput() throws IOException {
        Path model = SharedFolder.file("models/yolov5n-640.onnx");
        float[] expected = floats(SharedFolder.file("reference/yolov5n-640-bus-raw.f32.gz"));
        float[] pixels = floats(SharedFolder.file("reference/bus-640-input.f32.gz"));
        float[] found = run(OnnxModels.read(model), Shape.of(1, 3, 640, 640), pixels, 2);
        compareRows(expected, found, 85, PIXELS, SCORE, "yolov5n-640 on bus");
    }

    @ParameterizedTest
    @CsvSource({
            "yolov5n-640.onnx, 640, 85, 0.02, 1e-4",
            "yolov5s-640.onnx, 640, 85, 0.02, 1e-4",
            "yolov5n-640-bn.onnx, 640, 85, 0.02, 1e-4",
            "yolov5n-dynamic.onnx, 640, 85, 0.02, 1e-4",
            "yolov5n-dynamic.onnx, 320, 85, 0.02, 1e-4",
            "crops-yolov5n-sparse-320-bn.onnx, 320, 11, 0.02, 1e-4",
            "crops-yolov5n-pruned-p1.57M-320.onnx, 320, 11, 0.02, 1e-4",
            "yolov5n-640-fp16.onnx, 640, 85, 3, 0.02",
    })
    void modelsEqualOnnxRuntime(String file, int size, int columns, float pixels, float score)
            throws IOException, OrtException {
        Path model = SharedFolder.file("models/" + file);
        float[] full = floats(SharedFolder.file("reference/bus-640-input.f32.gz"));
        float[] input = size == 640 ? full : everySecond(full);
        Graph graph = OnnxModels.read(model);
        Shape shape = Shape.of(1, 3, size, size);
        boolean half = graph.inputs().getFirst().type() == DataType.FLOAT16;
        float[] expected = onnxRuntime(model, graph.inputs().getFirst().name(), shape, input, half);
        compareRows(expected, run(graph, shape, input, 1), columns, pixels, score, file + " at " + size);
    }

    private static float[] run(Graph graph, Shape shape, float[] pixels, int threads) {
        String input = graph.inputs().getFirst().name();
        ExecutorOptions options = ExecutorOptions.DEFAULT.withThreads(threads).withInputShapes(Map.of(input, shape));
        try (GraphExecutor executor = new CpuBackend().open(graph, options)) {
            FloatBench.fill(executor.inputs().getFirst(), pixels);
            executor.run();
            return FloatBench.read(executor.outputs().getFirst());
        }
    }

    private static float[] onnxRuntime(Path model, String input, Shape shape, float[] pixels, boolean half)
            throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(2);
            try (OrtSession session = environment.createSession(model.toString(), options);
                    OnnxTensor tensor = half
                            ? OnnxTensor.createTensor(environment, halves(pixels), shape.toArray(),
                                    OnnxJavaType.FLOAT16)
                            : OnnxTensor.createTensor(environment, FloatBuffer.wrap(pixels), shape.toArray());
                    OrtSession.Result result = session.run(Map.of(input, tensor))) {
                FloatBuffer buffer = ((OnnxTensor) result.get(0)).getFloatBuffer();
                float[] values = new float[buffer.remaining()];
                buffer.get(values);
                return values;
            }
        }
    }

    private static ShortBuffer halves(float[] values) {
        ShortBuffer buffer =
                ByteBuffer.allocateDirect(2 * values.length).order(ByteOrder.nativeOrder()).asShortBuffer();
        for (float value : values) {
            buffer.put(Float.floatToFloat16(value));
        }
        return buffer.rewind();
    }

    /** Rows of x, y, width, height in pixels, then scores. */
    private static void compareRows(
            float[] expected, float[] found, int columns, float pixels, float score, String what) {
        assertEquals(expected.length, found.length, what);
        float worstPixel = 0;
        float worstScore = 0;
        for (int i = 0; i < expected.length; i++) {
            float difference = Math.abs(expected[i] - found[i]);
            assertTrue(Float.isFinite(found[i]), what + " element " + i + " is " + found[i]);
            if (i % columns < 4) {
                worstPixel = Math.max(worstPixel, difference);
            } else {
                worstScore = Math.max(worstScore, difference);
            }
        }
        System.out.println(what + ": largest difference " + worstPixel + " px, " + worstScore + " score");
        assertTrue(worstPixel <= pixels && worstScore <= score,
                what + ": " + worstPixel + " px (bound " + pixels + "), score " + worstScore + " (bound " + score
                        + ")");
    }

    private static float[] everySecond(float[] chw) {
        float[] result = new float[3 * 320 * 320];
        for (int i = 0; i < result.length; i++) {
            int c = i / (320 * 320);
            int y = i / 320 % 320;
            int x = i % 320;
            result[i] = chw[c * 640 * 640 + 2 * y * 640 + 2 * x];
        }
        return result;
    }

    static float[] floats(Path gzip) throws IOException {
        try (InputStream in = new GZIPInputStream(Files.newInputStream(gzip))) {
            byte[] bytes = in.readAllBytes();
            float[] values = new float[bytes.length / 4];
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
            assertTrue(values.length > 0, gzip + " is empty");
            return values;
        }
    }
}
