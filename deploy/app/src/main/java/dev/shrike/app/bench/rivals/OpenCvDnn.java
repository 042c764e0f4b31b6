package dev.shrike.app.bench.rivals;

import dev.shrike.StageTimes;
import dev.shrike.app.bench.harness.Configuration;
import dev.shrike.app.bench.harness.Contestant;
import dev.shrike.app.bench.harness.InputImage;
import java.lang.foreign.Arena;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.opencv.global.opencv_core;
import org.bytedeco.opencv.global.opencv_dnn;
import org.bytedeco.opencv.opencv_core.Mat;
import org.bytedeco.opencv.opencv_core.MatVector;
import org.bytedeco.opencv.opencv_dnn.Net;

/** A model in OpenCV's network module, on the CPU. Runs the network alone. */
final class OpenCvDnn implements Contestant {
    private final Net network;
    private final Mat input;
    private final FloatPointer floats;
    private final int threads;

    private OpenCvDnn(Net network, Mat input, FloatPointer floats, int threads) {
        this.network = network;
        this.input = input;
        this.floats = floats;
        this.threads = threads;
    }

    /**
     * The float model of the configuration, whose size is given.
     *
     * @param quantized whether OpenCV quantises it to int8 first, on the one image
     */
    static OpenCvDnn open(Configuration configuration, boolean quantized) {
        try {
            // As everybody who loads JavaCPP's classes here does.
            synchronized (Loader.class) {
                Loader.load(opencv_dnn.class);
            }
            return opened(configuration, quantized);
        } catch (LinkageError e) {
            throw new RivalException("OpenCV's network module does not load: " + e, e);
        } catch (RivalException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new RivalException("OpenCV: " + e.getMessage(), e);
        }
    }

    private static OpenCvDnn opened(Configuration configuration, boolean quantized) {
        Net real = opencv_dnn.readNetFromONNX(configuration.model().toString());
        int[] dims = {configuration.batch(), 3, configuration.height(), configuration.width()};
        float[] values = new float[configuration.batch() * 3 * configuration.height() * configuration.width()];
        try (Arena arena = Arena.ofConfined()) {
            InputImage.letterboxed(InputImage.frame(configuration.image()), configuration.width(),
                    configuration.height(), configuration.batch(), arena).get(values);
        }
        FloatPointer floats = new FloatPointer(values);
        Mat input = new Mat(dims, opencv_core.CV_32F, floats);
        Net network = quantized ? real.quantize(new MatVector(input), opencv_core.CV_32F, opencv_core.CV_32F) : real;
        network.setPreferableBackend(opencv_dnn.DNN_BACKEND_OPENCV);
        return new OpenCvDnn(network, input, floats, configuration.threads());
    }

    @Override
    public String description() {
        return "OpenCV " + opencv_core.CV_VERSION + ", CPU, " + threads + (threads == 1 ? " thread" : " threads");
    }

    @Override
    public void run() {
        int before = opencv_core.getNumThreads();
        try {
            // The number is the process's; what reads and fits images uses it as well.
            opencv_core.setNumThreads(threads);
            network.setInput(input);
            network.forward().close();
        } catch (RuntimeException e) {
            throw new RivalException("OpenCV: " + e.getMessage(), e);
        } finally {
            opencv_core.setNumThreads(before);
        }
    }

    @Override
    public StageTimes stages() {
        return null;
    }

    @Override
    public void close() {
        network.close();
        input.close();
        floats.close();
    }
}
