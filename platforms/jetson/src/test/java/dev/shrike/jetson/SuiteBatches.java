package dev.shrike.jetson;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import dev.shrike.graph.Graph;
import dev.shrike.onnx.OnnxModels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A process of the GPU suite that runs on images one by one, in batches of one size and in those of an engine for
 * all sizes up to that, and prints {@code NAME VALUE} lines: milliseconds a frame of each, the objects that were seen
 * one by one, and the share of them that batches see as well.
 */
final class SuiteBatches {
    private static final int ROUNDS = 10;
    /** FP16 has steps of half a pixel above 512, which move the edges of small boxes. */
    private static final double OVERLAP = 0.75;

    private SuiteBatches() {}

    /** Arguments: engine, model for one image, batch, images. */
    public static void main(String[] arguments) {
        DetectorOptions options = DetectorOptions.DEFAULT.withEngine(arguments[0]);
        Graph network = OnnxModels.read(Path.of(arguments[1]));
        int batch = Integer.parseInt(arguments[2]);
        List<Frame> frames = new ArrayList<>();
        for (String image : Arrays.asList(arguments).subList(3, arguments.length)) {
            frames.add(Frame.read(Path.of(image)));
        }
        List<Detections> alone = look("single", network, options, 1, frames);
        List<Detections> together = look("batch", BatchedNetwork.of(network, batch), options, batch, frames);
        System.setProperty("shrike.tensorrt.batch", "1," + batch + "," + batch);
        List<Detections> open = look("open", BatchedNetwork.of(network, -1), options, batch, frames);
        print("objects", alone.stream().mapToInt(SuiteBatches::sure).sum());
        print("agreement", agreement(alone, together));
        print("open_agreement", agreement(alone, open));
    }

    private static int sure(Detections detections) {
        return (int) detections.list().stream().filter(object -> object.score() >= SuiteAgreement.SURE).count();
    }

    /** The share of the objects seen one by one that the others have as well. */
    private static double agreement(List<Detections> alone, List<Detections> others) {
        int objects = 0;
        int found = 0;
        for (int i = 0; i < alone.size(); i++) {
            for (Detection object : alone.get(i)) {
                if (object.score() >= SuiteAgreement.SURE) {
                    objects++;
                    found += isIn(others.get(i), object) ? 1 : 0;
                }
            }
        }
        return objects == 0 ? 0 : (double) found / objects;
    }

    private static boolean isIn(Detections detections, Detection wanted) {
        return detections.list().stream().anyMatch(one -> one.classId() == wanted.classId()
                && SuiteAgreement.overlap(box(one), box(wanted)) >= OVERLAP);
    }

    private static List<Double> box(Detection one) {
        return List.of((double) one.x1(), (double) one.y1(), (double) one.x2(), (double) one.y2());
    }

    /** What is seen, after printing how long a frame takes: the median of several rounds over all frames. */
    private static List<Detections> look(
            String name, Graph network, DetectorOptions options, int batch, List<Frame> frames) {
        try (Detector detector = Detectors.open(network, options)) {
            if (detector.batch() != batch) {
                throw new IllegalStateException(detector.engine() + " runs " + detector.batch() + " frames, not "
                        + batch);
            }
            // The last one alone, and a run that is not full before it, which an engine for all sizes runs as they are.
            int last = frames.size() - 1;
            List<Detections> seen = new ArrayList<>(detector.detectAll(frames.subList(0, last)));
            seen.add(detector.detect(frames.get(last)));
            long[] nanos = new long[ROUNDS];
            for (int round = 0; round < ROUNDS; round++) {
                long start = System.nanoTime();
                detector.detectAll(frames);
                nanos[round] = System.nanoTime() - start;
            }
            Arrays.sort(nanos);
            print(name + "_ms", nanos[ROUNDS / 2] / 1e6 / frames.size());
            return seen;
        }
    }

    private static void print(String name, double value) {
        System.out.println(name + " " + String.format(Locale.ROOT, "%.3f", value));
    }
}
