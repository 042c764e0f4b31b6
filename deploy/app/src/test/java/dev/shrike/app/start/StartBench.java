package dev.shrike.app.start;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import dev.shrike.Detector;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import dev.shrike.app.Main;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;

/**
 * What {@code deploy/app/bench.sh} runs, each time in a JVM of its own. Prints milliseconds from the entry of main.
 *
 * <p>{@code nothing}: the floor of the JVM. {@code open MODEL}: until the detector is ready. {@code detect MODEL
 * IMAGE}: the same and one image. {@code build …}: the command in this process. {@code onnxruntime MODEL.onnx}: a
 * session and one run on zeros.
 */
public final class StartBench {
    private StartBench() {}

    public static void main(String[] args) throws OrtException {
        long start = System.nanoTime();
        switch (args.length == 0 ? "nothing" : args[0]) {
            case "nothing" -> {
                // A JVM, and that is all.
            }
            case "open" -> Detectors.open(Path.of(args[1])).close();
            case "detect" -> detect(Path.of(args[1]), Path.of(args[2]));
            case "build" -> build(args);
            case "onnxruntime" -> onnxRuntime(args[1]);
            default -> throw new IllegalArgumentException("there is no " + Arrays.toString(args));
        }
        System.out.printf(Locale.ROOT, "%.1f%n", (System.nanoTime() - start) / 1e6);
    }

    private static void detect(Path model, Path image) {
        try (Detector detector = Detectors.open(model)) {
            detector.detect(Frame.read(image));
        }
    }

    private static void build(String[] args) {
        int exit = Main.run(args, new PrintStream(OutputStream.nullOutputStream()), System.err);
        if (exit != 0) {
            System.exit(exit);
        }
    }

    private static void onnxRuntime(String model) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, "bench");
        long[] shape = {1, 3, 640, 640};
        ByteBuffer zeros = ByteBuffer.allocateDirect(4 * 3 * 640 * 640).order(ByteOrder.nativeOrder());
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions();
                OrtSession session = environment.createSession(model, options);
                OnnxTensor input = OnnxTensor.createTensor(environment, zeros.asFloatBuffer(), shape)) {
            session.run(Map.of(session.getInputNames().iterator().next(), input)).close();
        }
    }
}
