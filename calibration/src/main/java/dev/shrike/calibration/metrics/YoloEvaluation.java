package dev.shrike.calibration.metrics;

import dev.shrike.calibration.data.Prediction;
import dev.shrike.calibration.data.GroundTruth;
import dev.shrike.calibration.metrics.YoloMetrics.Curves;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * Measures detections as YOLOv5's {@code val.py} (v7.0) does. A detection is for the object of its class that it
 * overlaps most; of several for one object the first is right, by default the one with the best score.
 */
public final class YoloEvaluation {
    private static final double[] THRESHOLDS = {0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95};
    private static final int RECALL_POINTS = 101;
    /** Width of the window that the mean F1 is smoothed with, in samples: a tenth of all, and odd. */
    private static final int SMOOTHING = 101;
    private static final double EPSILON = 1e-16;

    /** One detection of a class: its score and, by threshold, whether it is right. */
    private record Verdict(double score, boolean[] right) {}

    private YoloEvaluation() {}

    /**
     * The figures of the detections in these images.
     *
     * @param scenes the images; the order of detections decides between those for one object
     * @param classes number of classes; ids of boxes are below it
     */
    public static YoloMetrics of(List<ImageResult> scenes, int classes) {
        List<List<Verdict>> verdicts = new ArrayList<>();
        for (int c = 0; c < classes; c++) {
            verdicts.add(new ArrayList<>());
        }
        int[] objects = new int[classes];
        int[] images = new int[classes];
        for (ImageResult scene : scenes) {
            List<GroundTruth> truths = scene.truth().stream().filter(box -> !box.crowd()).toList();
            truths.forEach(box -> objects[box.classId()]++);
            truths.stream().mapToInt(GroundTruth::classId).distinct().forEach(c -> images[c]++);
            judge(truths, scene.found(), verdicts);
        }
        List<YoloMetrics.OfClass> measured = new ArrayList<>();
        for (int c = 0; c < classes; c++) {
            if (objects[c] > 0) {
                measured.add(measure(c, images[c], objects[c], verdicts.get(c)));
            }
        }
        return summary(scenes.size(), Arrays.stream(objects).sum(), measured);
    }

    private static void judge(List<GroundTruth> truths, List<Prediction> unordered, List<List<Verdict>> verdicts) {
        List<Prediction> founds =
                unordered.stream().sorted(Comparator.comparingDouble(Prediction::score).reversed()).toList();
        int[] wanted = new int[founds.size()];
        double[] overlaps = new double[founds.size()];
        for (int f = 0; f < wanted.length; f++) {
            for (int t = 0; t < truths.size(); t++) {
                double overlap = truths.get(t).classId() == founds.get(f).classId()
                        ? Iou.of(founds.get(f), truths.get(t))
                        : 0;
                if (overlap > overlaps[f]) {
                    overlaps[f] = overlap;
                    wanted[f] = t;
                }
            }
        }
        boolean[][] right = new boolean[founds.size()][THRESHOLDS.length];
        for (int threshold = 0; threshold < THRESHOLDS.length; threshold++) {
            boolean[] taken = new boolean[truths.size()];
            for (int f = 0; f < wanted.length; f++) {
                if (overlaps[f] >= THRESHOLDS[threshold] && !taken[wanted[f]]) {
                    taken[wanted[f]] = true;
                    right[f][threshold] = true;
                }
            }
        }
        for (int f = 0; f < wanted.length; f++) {
            verdicts.get(founds.get(f).classId()).add(new Verdict(founds.get(f).score(), right[f]));
        }
    }

    /** Figures and curves of one class; precision and recall are filled in once the threshold is known. */
    private static YoloMetrics.OfClass measure(int classId, int images, int objects, List<Verdict> verdicts) {
        if (verdicts.isEmpty()) {
            return new YoloMetrics.OfClass(classId, images, objects, 0, 0, 0, 0, null);
        }
        int[] order = StableArgsort.best(verdicts.stream().mapToDouble(Verdict::score).toArray());
        double sum = 0;
        double ap50 = 0;
        Curves curves = null;
        for (int threshold = 0; threshold < THRESHOLDS.length; threshold++) {
            double[] recall = new double[order.length];
            double[] precision = new double[order.length];
            int right = 0;
            for (int rank = 0; rank < order.length; rank++) {
                right += verdicts.get(order[rank]).right()[threshold] ? 1 : 0;
                recall[rank] = right / (objects + EPSILON);
                precision[rank] = (double) right / (rank + 1);
            }
            double[][] envelope = envelope(recall, precision);
            double ap = area(envelope);
            sum += ap;
            if (threshold == 0) {
                ap50 = ap;
                double[] scores = Arrays.stream(order).mapToDouble(i -> -verdicts.get(i).score()).toArray();
                curves = curves(envelope, scores, precision, recall);
            }
        }
        return new YoloMetrics.OfClass(
                classId, images, objects, 0, 0, ap50, sum / THRESHOLDS.length, curves);
    }

    private static Curves curves(double[][] envelope, double[] negatedScores, double[] precision, double[] recall) {
        double[] byRecall = new double[Curves.POINTS];
        double[] byScore = new double[Curves.POINTS];
        double[] recalls = new double[Curves.POINTS];
        for (int i = 0; i < Curves.POINTS; i++) {
            double position = (double) i / (Curves.POINTS - 1);
            byRecall[i] = Interpolation.at(position, envelope[0], envelope[1], envelope[1][0]);
            byScore[i] = Interpolation.at(-position, negatedScores, precision, 1);
            recalls[i] = Interpolation.at(-position, negatedScores, recall, 0);
        }
        return new Curves(byRecall, byScore, recalls);
    }

    /** Recalls from 0 to 1 and at each the best precision there or further on. */
    private static double[][] envelope(double[] recall, double[] precision) {
        int last = recall.length + 1;
        double[] recalls = new double[last + 1];
        double[] precisions = new double[last + 1];
        System.arraycopy(recall, 0, recalls, 1, recall.length);
        System.arraycopy(precision, 0, precisions, 1, precision.length);
        recalls[last] = 1;
        precisions[0] = 1;
        for (int i = last; i > 0; i--) {
            precisions[i - 1] = Math.max(precisions[i - 1], precisions[i]);
        }
        return new double[][] {recalls, precisions};
    }

    /** The area below the envelope by the trapezium rule at 101 recalls. */
    private static double area(double[][] envelope) {
        double area = 0;
        double before = 0;
        for (int i = 0; i < RECALL_POINTS; i++) {
            double recall = (double) i / (RECALL_POINTS - 1);
            double precision = Interpolation.at(recall, envelope[0], envelope[1], envelope[1][0]);
            if (i > 0) {
                area += (before + precision) / 2 / (RECALL_POINTS - 1);
            }
            before = precision;
        }
        return area;
    }

    private static YoloMetrics summary(int images, int objects, List<YoloMetrics.OfClass> measured) {
        if (measured.isEmpty()) {
            return new YoloMetrics(images, objects, 0, 0, 0, 0, 0, measured);
        }
        double[] mean = new double[Curves.POINTS];
        for (YoloMetrics.OfClass one : measured) {
            // A class of which nothing was found has the F1 0 and counts all the same.
            double[] f1 = one.curves() == null ? new double[Curves.POINTS] : one.curves().f1();
            for (int i = 0; i < mean.length; i++) {
                mean[i] += f1[i] / measured.size();
            }
        }
        double[] smooth = Interpolation.smooth(mean, SMOOTHING);
        int best = 0;
        for (int i = 1; i < smooth.length; i++) {
            best = smooth[i] > smooth[best] ? i : best;
        }
        int at = best;
        List<YoloMetrics.OfClass> complete = measured.stream().map(one -> at(one, at)).toList();
        return new YoloMetrics(
                images,
                objects,
                (double) at / (Curves.POINTS - 1),
                complete.stream().mapToDouble(YoloMetrics.OfClass::precision).average().orElseThrow(),
                complete.stream().mapToDouble(YoloMetrics.OfClass::recall).average().orElseThrow(),
                complete.stream().mapToDouble(YoloMetrics.OfClass::ap50).average().orElseThrow(),
                complete.stream().mapToDouble(YoloMetrics.OfClass::ap).average().orElseThrow(),
                complete);
    }

    private static YoloMetrics.OfClass at(YoloMetrics.OfClass one, int index) {
        if (one.curves() == null) {
            return one;
        }
        return new YoloMetrics.OfClass(
                one.classId(), one.images(), one.objects(), one.curves().precision()[index],
                one.curves().recall()[index], one.ap50(), one.ap(), one.curves());
    }
}
