package dev.shrike.calibration.metrics;

import dev.shrike.calibration.data.Prediction;
import dev.shrike.calibration.data.GroundTruth;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Which class objects were taken for, as YOLOv5 counts it: detections with a score above 0.25 and objects are paired
 * regardless of their class, greatest overlap first, if it is above an IoU of 0.45.
 *
 * @param counts {@code counts[found][true]}; the last index of either stands for the background: objects that were
 *     missed, and detections where nothing is
 */
public record ConfusionMatrix(int[][] counts) {
    private static final double LEAST_SCORE = 0.25;
    private static final double LEAST_OVERLAP = 0.45;

    private record Pair(int truth, int found, double overlap) {}

    /**
     * The matrix of these images; crowds are left out.
     *
     * @param classes number of classes; ids of boxes are below it
     */
    public static ConfusionMatrix of(List<ImageResult> scenes, int classes) {
        int[][] counts = new int[classes + 1][classes + 1];
        for (ImageResult scene : scenes) {
            add(
                    scene.truth().stream().filter(box -> !box.crowd()).toList(),
                    scene.found().stream().filter(box -> box.score() > LEAST_SCORE).toList(),
                    counts);
        }
        return new ConfusionMatrix(counts);
    }

    private static void add(List<GroundTruth> truths, List<Prediction> founds, int[][] counts) {
        List<Pair> pairs = new ArrayList<>();
        for (int t = 0; t < truths.size(); t++) {
            for (int f = 0; f < founds.size(); f++) {
                double overlap = Iou.of(founds.get(f), truths.get(t));
                if (overlap > LEAST_OVERLAP) {
                    pairs.add(new Pair(t, f, overlap));
                }
            }
        }
        pairs.sort(Comparator.comparingDouble(Pair::overlap).reversed());
        // Each detection is for the object that it overlaps most, whether or not another detection has that already.
        int[] wanted = new int[founds.size()];
        Arrays.fill(wanted, -1);
        boolean[] foundTaken = new boolean[founds.size()];
        boolean[] truthTaken = new boolean[truths.size()];
        int background = counts.length - 1;
        for (Pair pair : pairs) {
            if (wanted[pair.found()] >= 0) {
                continue;
            }
            wanted[pair.found()] = pair.truth();
            if (!truthTaken[pair.truth()]) {
                truthTaken[pair.truth()] = true;
                foundTaken[pair.found()] = true;
                counts[founds.get(pair.found()).classId()][truths.get(pair.truth()).classId()]++;
            }
        }
        for (int t = 0; t < truths.size(); t++) {
            counts[background][truths.get(t).classId()] += truthTaken[t] ? 0 : 1;
        }
        for (int f = 0; f < founds.size(); f++) {
            counts[founds.get(f).classId()][background] += foundTaken[f] ? 0 : 1;
        }
    }

    /** Number of classes, without the background. */
    public int classes() {
        return counts.length - 1;
    }
}
