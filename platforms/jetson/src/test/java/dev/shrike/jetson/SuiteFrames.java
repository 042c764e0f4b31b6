package dev.shrike.jetson;

import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import dev.shrike.StageTimes;
import dev.shrike.jetson.binding.CudaLibrary;
import dev.shrike.jetson.binding.Gpu;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;

/**
 * A process of the GPU suite that looks at many frames and prints {@code NAME VALUE} lines: medians and 99th
 * percentiles of each stage in milliseconds, and how the memory of the process and of the device changed, in MiB.
 */
final class SuiteFrames {
    /** Frames until caches, pools and compiled code have grown to what they stay at, as a share of all. */
    private static final int WARM_UP_SHARE = 5;

    private SuiteFrames() {}

    /** Arguments: engine, model, number of frames, images. */
    public static void main(String[] arguments) throws IOException {
        String engine = arguments[0];
        int count = Integer.parseInt(arguments[2]);
        List<Frame> frames = new ArrayList<>();
        for (String image : Arrays.asList(arguments).subList(3, arguments.length)) {
            frames.add(Frame.read(Path.of(image)));
        }
        SuiteFallbacks fallbacks = SuiteFallbacks.listen();
        Gpu gpu = engine.equals(FakeBackend.NAME) ? FakeBackend.gpu() : CudaLibrary.open();
        long freeBefore = gpu.freeBytes();
        StageTimes[] times = new StageTimes[count];
        try (Detector detector = Detectors.open(Path.of(arguments[1]), DetectorOptions.DEFAULT.withEngine(engine))) {
            print("device_mib", mebibytes(freeBefore - gpu.freeBytes()));
            long resident = 0;
            long free = 0;
            for (int i = 0; i < count; i++) {
                times[i] = detector.detect(frames.get(i % frames.size())).times();
                if (i == count / WARM_UP_SHARE) {
                    resident = residentBytes();
                    free = gpu.freeBytes();
                }
            }
            print("resident_mib", mebibytes(residentBytes()));
            print("resident_growth_mib", mebibytes(residentBytes() - resident));
            for (String format : List.of("INT8", "FP16", "FP32")) {
                print("layers_" + format, fallbacks.layers(format));
            }
            print("cuda_graph_fallbacks", fallbacks.graphs());
            print("gpu_letterbox_fallbacks", fallbacks.letterboxes());
            print("device_growth_mib", mebibytes(free - gpu.freeBytes()));
        }
        StageTimes[] warm = Arrays.copyOfRange(times, count / WARM_UP_SHARE, count);
        printTimes("letterbox", warm, StageTimes::letterbox);
        printTimes("network", warm, StageTimes::network);
        printTimes("decode", warm, StageTimes::decode);
        printTimes("total", warm, StageTimes::total);
    }

    private static void printTimes(String name, StageTimes[] times, ToLongFunction<StageTimes> stage) {
        long[] sorted = Arrays.stream(times).mapToLong(stage).sorted().toArray();
        print(name + "_ms", sorted[sorted.length / 2] / 1e6);
        print(name + "_p99_ms", sorted[(int) (sorted.length * 0.99)] / 1e6);
    }

    private static void print(String name, double value) {
        System.out.println(name + " " + String.format(Locale.ROOT, "%.3f", value));
    }

    private static double mebibytes(long bytes) {
        return bytes / (double) (1 << 20);
    }

    private static long residentBytes() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
        }
        throw new IOException("/proc/self/status has no VmRSS");
    }
}
