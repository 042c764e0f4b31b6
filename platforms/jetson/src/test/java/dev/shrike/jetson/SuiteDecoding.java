package dev.shrike.jetson;

import dev.shrike.Detections;
import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import dev.shrike.StageTimes;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;

/**
 * A process of the GPU suite that decodes on the GPU and on the processor, and prints {@code NAME VALUE} lines: medians
 * of both, how many images differ in any bit of their detections, how many objects there are, and whether a detector
 * that may choose takes the GPU. The output's way to the processor is part of the network's time.
 */
final class SuiteDecoding {
    private static final int ROUNDS = 10;
    private static final String PROPERTY = "shrike.tensorrt.decode";

    private SuiteDecoding() {}

    /** What YOLOv5 measures mAP with: thousands of candidates. */
    private static final DetectorOptions AS_FOR_MAP =
            DetectorOptions.DEFAULT.withThresholds(0.001f, 0.6f).withMultiLabel(true).withMaxDetections(300);

    /** Arguments: engine, model, images. */
    public static void main(String[] arguments) {
        Path model = Path.of(arguments[1]);
        List<Frame> frames = new ArrayList<>();
        for (String image : Arrays.asList(arguments).subList(2, arguments.length)) {
            frames.add(Frame.read(Path.of(image)));
        }
        compare("usual", model, DetectorOptions.DEFAULT.withEngine(arguments[0]), frames);
        compare("map", model, AS_FOR_MAP.withEngine(arguments[0]), frames);
        try (Detector detector = open("auto", model, DetectorOptions.DEFAULT.withEngine(arguments[0]))) {
            print("auto_takes_gpu", detector.engine().endsWith("decoding on the GPU)") ? 1 : 0);
        }
    }

    private static Detector open(String way, Path model, DetectorOptions options) {
        System.setProperty(PROPERTY, way);
        Detector detector = Detectors.open(model, options);
        if (!way.equals("auto") && !detector.engine().toLowerCase(Locale.ROOT).endsWith("on the " + way + ")")) {
            throw new IllegalStateException("asked for decoding on the " + way + ": " + detector.engine());
        }
        return detector;
    }

    private static void compare(String name, Path model, DetectorOptions options, List<Frame> frames) {
        int differing = 0;
        int objects = 0;
        List<StageTimes> gpuTimes = new ArrayList<>();
        List<StageTimes> cpuTimes = new ArrayList<>();
        try (Detector onGpu = open("gpu", model, options); Detector onCpu = open("cpu", model, options)) {
            for (int round = 0; round < ROUNDS; round++) {
                for (Frame frame : frames) {
                    Detections one = onGpu.detect(frame);
                    Detections other = onCpu.detect(frame);
                    differing += one.list().equals(other.list()) ? 0 : 1;
                    objects += other.size();
                    if (round > 0) {
                        gpuTimes.add(one.times());
                        cpuTimes.add(other.times());
                    }
                }
            }
        }
        print(name + "_objects", objects / ROUNDS);
        print(name + "_differing", differing);
        print(name + "_gpu_network_ms", median(gpuTimes, StageTimes::network));
        print(name + "_gpu_decode_ms", median(gpuTimes, StageTimes::decode));
        print(name + "_cpu_network_ms", median(cpuTimes, StageTimes::network));
        print(name + "_cpu_decode_ms", median(cpuTimes, StageTimes::decode));
    }

    private static double median(List<StageTimes> times, ToLongFunction<StageTimes> stage) {
        long[] sorted = times.stream().mapToLong(stage).sorted().toArray();
        return sorted[sorted.length / 2] / 1e6;
    }

    private static void print(String name, double value) {
        System.out.println(name + " " + String.format(Locale.ROOT, "%.3f", value));
    }
}
