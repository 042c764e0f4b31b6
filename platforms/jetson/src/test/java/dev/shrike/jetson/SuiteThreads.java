package dev.shrike.jetson;

import dev.shrike.Detection;
import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * A process of the GPU suite in which two threads run one engine, each with a detector of its own, and which prints
 * {@code NAME VALUE} lines: the objects seen, how many images gave other detections than with one thread, and
 * milliseconds a frame of both.
 */
final class SuiteThreads {
    private static final int ROUNDS = 10;

    private SuiteThreads() {}

    /** Arguments: engine, model, images. */
    public static void main(String[] arguments) throws InterruptedException, ExecutionException {
        List<Frame> frames = new ArrayList<>();
        for (String image : Arrays.asList(arguments).subList(2, arguments.length)) {
            frames.add(Frame.read(Path.of(image)));
        }
        DetectorOptions options = DetectorOptions.DEFAULT.withEngine(arguments[0]);
        try (Detector one = Detectors.open(Path.of(arguments[1]), options);
                Detector other = Detectors.open(Path.of(arguments[1]), options);
                ExecutorService threads = Executors.newFixedThreadPool(2)) {
            List<List<Detection>> wanted = look(one, frames);
            long start = System.nanoTime();
            for (int round = 0; round < ROUNDS; round++) {
                look(one, frames);
            }
            long middle = System.nanoTime();
            int differing = 0;
            for (int round = 0; round < ROUNDS; round++) {
                Future<List<List<Detection>>> first = threads.submit(() -> look(one, frames));
                Future<List<List<Detection>>> second = threads.submit(() -> look(other, frames));
                differing += difference(wanted, first.get()) + difference(wanted, second.get());
            }
            long end = System.nanoTime();
            print("objects", wanted.stream().mapToInt(List::size).sum());
            print("differing", differing);
            print("one_ms", (middle - start) / 1e6 / ROUNDS / frames.size());
            print("two_ms", (end - middle) / 2e6 / ROUNDS / frames.size());
        }
    }

    private static List<List<Detection>> look(Detector detector, List<Frame> frames) {
        return frames.stream().map(frame -> detector.detect(frame).list()).toList();
    }

    private static int difference(List<List<Detection>> wanted, List<List<Detection>> seen) {
        int differing = 0;
        for (int i = 0; i < wanted.size(); i++) {
            differing += wanted.get(i).equals(seen.get(i)) ? 0 : 1;
        }
        return differing;
    }

    private static void print(String name, double value) {
        System.out.println(name + " " + String.format(Locale.ROOT, "%.3f", value));
    }
}
