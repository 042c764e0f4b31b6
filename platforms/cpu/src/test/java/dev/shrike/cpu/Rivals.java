package dev.shrike.cpu;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import dev.shrike.graph.Shape;
import java.nio.file.Path;
import java.util.Map;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_dnn;
import org.bytedeco.opencv.opencv_core.Mat;
import org.bytedeco.opencv.opencv_core.MatVector;
import org.bytedeco.opencv.opencv_dnn.Net;

/** What the engine is compared with, each with its file and input loaded and ready to run. */
final class Rivals {
    private Rivals() {}

    /** ONNX Runtime; its warnings are off, since they would stand between the rows. */
    static Contest.Contestant onnxRuntime(Path model, int threads, float[] pixels, Shape shape) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR, "bench");
        OrtSession session;
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            options.setSessionLogLevel(OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR);
            options.addConfigEntry("session.intra_op.allow_spinning", System.getProperty("bench.spin", "1"));
            // ONNX Runtime's workers would otherwise spin into the next one's turn on the same cores.
            options.addConfigEntry("session.force_spinning_stop", "1");
            session = environment.createSession(model.toString(), options);
        }
        OnnxTensor tensor = OnnxTensor.createTensor(environment, FloatBench.direct(pixels), shape.toArray());
        Map<String, OnnxTensor> feed = Map.of(session.getInputNames().iterator().next(), tensor);
        return new Contest.Contestant() {
            @Override
            public void run() {
                try {
                    session.run(feed).close();
                } catch (OrtException e) {
                    throw new IllegalStateException(e);
                }
            }

            @Override
            public void close() {
                tensor.close();
                try {
                    session.close();
                } catch (OrtException e) {
                    throw new IllegalStateException(e);
                }
            }
        };
    }

    /**
     * The network module of OpenCV 4.6.
     *
     * @param quantized whether it quantises the network to int8 first, on the one input
     * @throws RuntimeException if it cannot read, quantise or run the model
     */
    static Contest.Contestant openCv(Path model, int threads, float[] pixels, Shape shape, boolean quantized) {
        // JavaCPP would count all memory of the process against a limit.
        System.setProperty("org.bytedeco.javacpp.maxPhysicalBytes", "0");
        System.setProperty("org.bytedeco.javacpp.maxBytes", "0");
        Net real = opencv_dnn.readNetFromONNX(model.toString());
        int[] dims = shape.dims().stream().mapToInt(Math::toIntExact).toArray();
        FloatPointer memory = new FloatPointer(pixels);
        Mat input = new Mat(dims, opencv_core.CV_32F, memory);
        Net network = quantized ? real.quantize(new MatVector(input), opencv_core.CV_32F, opencv_core.CV_32F) : real;
        network.setPreferableBackend(opencv_dnn.DNN_BACKEND_OPENCV);
        Contest.Contestant contestant = new Contest.Contestant() {
            @Override
            public void run() {
                opencv_core.setNumThreads(threads);
                network.setInput(input);
                network.forward().close();
            }

            @Override
            public void close() {
                network.close();
                input.close();
                memory.close();
            }
        };
        contestant.run();
        return contestant;
    }

    /** Adds OpenCV in float, and in int8 if that is wanted, or tells why not. */
    static void addOpenCv(Contest contest, Path model, int threads, float[] pixels, Shape shape, boolean int8) {
        for (boolean quantized : int8 ? new boolean[] {false, true} : new boolean[] {false}) {
            String name = quantized ? "OpenCV int8" : "OpenCV fp32";
            try {
                contest.add(name, openCv(model, threads, pixels, shape, quantized));
            } catch (RuntimeException e) {
                contest.without(name, e.getMessage().strip().lines().reduce((_, last) -> last).orElse(""));
            }
        }
    }
}
