package dev.shrike.calibration.metrics;

import dev.shrike.calibration.data.Prediction;
import dev.shrike.calibration.data.GroundTruth;
import java.util.ArrayList;
import java.util.List;

/**
 * Measures detections as COCO does (Lin et al., Microsoft COCO: Common Objects in Context, 2014, and the evaluation
 * that goes with it).
 *
 * <p>Per class, image and IoU threshold, detections take objects in descending order of score: each the free object
 * that it overlaps most, if by the threshold at least. Crowds and objects outside the size range that is measured are
 * ignored: one that has them as its match counts neither as right nor as wrong, nor does one without a match that is
 * outside the range itself. A crowd can be matched any number of times.
 */
public final class CocoEvaluation {
    /** IoU thresholds; computed as 0.5 + i * step, so that boxes right at one fall on the same side as with COCO. */
    private static final double[] THRESHOLDS = spaced(0.5, 0.95, 10);
    private static final double[] RECALLS = spaced(0, 1, 101);
    private static final int IOU_75 = 5;
    private static final int MOST_FOUND = 100;
    private static final double EPSILON = Math.ulp(1.0);

    private static final double LARGEST = 1e5 * 1e5;
    private static final Range ALL = new Range(0, LARGEST);
    private static final Range SMALL = new Range(0, 32 * 32);
    private static final Range MEDIUM = new Range(32 * 32, 96 * 96);
    private static final Range LARGE = new Range(96 * 96, LARGEST);

    /** Areas that are measured, both ends included. */
    private record Range(double low, double high) {
        boolean excludes(double area) {
            return area < low || area > high;
        }
    }

    /** Precision at each recall, and the recall, by threshold; null arrays if there is no object. */
    private record Curve(double[][] precision, double[] recall) {
        private static final Curve NONE = new Curve(null, null);
    }

    private CocoEvaluation() {}

    /**
     * The figures of the detections in these images.
     *
     * @param scenes the images; between equal scores the earlier image counts as the better
     * @param classes number of classes; ids of boxes are below it
     */
    public static CocoMetrics of(List<ImageResult> scenes, int classes) {
        List<List<ImageResult>> byClass = new ArrayList<>();
        for (int c = 0; c < classes; c++) {
            byClass.add(new ArrayList<>());
        }
        for (ImageResult scene : scenes) {
            split(scene, byClass);
        }
        List<Curve> all = new ArrayList<>();
        List<Curve> best1 = new ArrayList<>();
        List<Curve> best10 = new ArrayList<>();
        List<Curve> small = new ArrayList<>();
        List<Curve> medium = new ArrayList<>();
        List<Curve> large = new ArrayList<>();
        for (List<ImageResult> ofClass : byClass) {
            List<Matches> matches = ofClass.stream().map(scene -> match(scene, ALL)).toList();
            all.add(curve(matches, MOST_FOUND));
            best1.add(curve(matches, 1));
            best10.add(curve(matches, 10));
            small.add(curve(ofClass.stream().map(scene -> match(scene, SMALL)).toList(), MOST_FOUND));
            medium.add(curve(ofClass.stream().map(scene -> match(scene, MEDIUM)).toList(), MOST_FOUND));
            large.add(curve(ofClass.stream().map(scene -> match(scene, LARGE)).toList(), MOST_FOUND));
        }
        return new CocoMetrics(
                precision(all, 0, THRESHOLDS.length), precision(all, 0, 1), precision(all, IOU_75, IOU_75 + 1),
                precision(small, 0, THRESHOLDS.length), precision(medium, 0, THRESHOLDS.length),
                precision(large, 0, THRESHOLDS.length), recall(best1), recall(best10), recall(all), recall(small),
                recall(medium), recall(large),
                all.stream().map(curve -> new CocoMetrics.OfClass(
                        precision(List.of(curve), 0, THRESHOLDS.length), precision(List.of(curve), 0, 1))).toList());
    }

    /** Adds the image to each class that it has objects or detections of, detections best first, 100 at most. */
    private static void split(ImageResult scene, List<List<ImageResult>> byClass) {
        List<List<GroundTruth>> truths = new ArrayList<>();
        List<List<Prediction>> founds = new ArrayList<>();
        for (int c = 0; c < byClass.size(); c++) {
            truths.add(new ArrayList<>());
            founds.add(new ArrayList<>());
        }
        scene.truth().forEach(box -> truths.get(box.classId()).add(box));
        for (int i : StableArgsort.best(scene.found().stream().mapToDouble(Prediction::score).toArray())) {
            Prediction box = scene.found().get(i);
            if (founds.get(box.classId()).size() < MOST_FOUND) {
                founds.get(box.classId()).add(box);
            }
        }
        for (int c = 0; c < byClass.size(); c++) {
            if (!truths.get(c).isEmpty() || !founds.get(c).isEmpty()) {
                byClass.get(c).add(new ImageResult(truths.get(c), founds.get(c)));
            }
        }
    }

    /**
     * What became of the detections of one image and class.
     *
     * @param objects number of objects that count
     * @param scores scores of the detections, descending
     * @param right by threshold and detection, whether it found an object that counts
     * @param ignored by threshold and detection, whether it counts neither way
     */
    private record Matches(int objects, double[] scores, boolean[][] right, boolean[][] ignored) {}

    private static Matches match(ImageResult scene, Range range) {
        // Those that count come first; matching looks at the others only when none of them fits.
        List<GroundTruth> truths = new ArrayList<>();
        scene.truth().stream().filter(box -> !isIgnored(box, range)).forEach(truths::add);
        int objects = truths.size();
        scene.truth().stream().filter(box -> isIgnored(box, range)).forEach(truths::add);
        List<Prediction> founds = scene.found();
        double[][] overlaps = new double[founds.size()][truths.size()];
        for (int f = 0; f < founds.size(); f++) {
            for (int t = 0; t < truths.size(); t++) {
                overlaps[f][t] = Iou.of(founds.get(f), truths.get(t));
            }
        }
        boolean[][] right = new boolean[THRESHOLDS.length][founds.size()];
        boolean[][] ignored = new boolean[THRESHOLDS.length][founds.size()];
        for (int threshold = 0; threshold < THRESHOLDS.length; threshold++) {
            boolean[] taken = new boolean[truths.size()];
            for (int f = 0; f < founds.size(); f++) {
                int match = match(overlaps[f], truths, taken, objects, THRESHOLDS[threshold]);
                if (match >= 0) {
                    taken[match] = true;
                    right[threshold][f] = match < objects;
                    ignored[threshold][f] = match >= objects;
                } else {
                    Prediction box = founds.get(f);
                    ignored[threshold][f] = range.excludes(box.width() * box.height());
                }
            }
        }
        return new Matches(objects, founds.stream().mapToDouble(Prediction::score).toArray(), right, ignored);
    }

    private static boolean isIgnored(GroundTruth box, Range range) {
        return box.crowd() || range.excludes(box.area());
    }

    /** The object that the detection takes, or -1; among equal overlaps the last one, as with COCO. */
    private static int match(double[] overlaps, List<GroundTruth> truths, boolean[] taken, int objects,
            double threshold) {
        double best = Math.min(threshold, 1 - 1e-10);
        int match = -1;
        for (int t = 0; t < overlaps.length; t++) {
            if (taken[t] && !truths.get(t).crowd()) {
                continue;
            }
            if (match >= 0 && match < objects && t >= objects) {
                break;
            }
            if (overlaps[t] >= best) {
                best = overlaps[t];
                match = t;
            }
        }
        return match;
    }

    /** The curve of one class with the best so many detections of each image. */
    private static Curve curve(List<Matches> images, int mostFound) {
        int objects = images.stream().mapToInt(Matches::objects).sum();
        if (objects == 0) {
            return Curve.NONE;
        }
        int count = images.stream().mapToInt(image -> Math.min(mostFound, image.scores().length)).sum();
        double[] scores = new double[count];
        boolean[][] right = new boolean[THRESHOLDS.length][count];
        boolean[][] ignored = new boolean[THRESHOLDS.length][count];
        int at = 0;
        for (Matches image : images) {
            int length = Math.min(mostFound, image.scores().length);
            System.arraycopy(image.scores(), 0, scores, at, length);
            for (int threshold = 0; threshold < THRESHOLDS.length; threshold++) {
                System.arraycopy(image.right()[threshold], 0, right[threshold], at, length);
                System.arraycopy(image.ignored()[threshold], 0, ignored[threshold], at, length);
            }
            at += length;
        }
        int[] order = StableArgsort.best(scores);
        double[][] precision = new double[THRESHOLDS.length][];
        double[] recall = new double[THRESHOLDS.length];
        for (int threshold = 0; threshold < THRESHOLDS.length; threshold++) {
            double[] recalls = new double[count];
            double[] precisions = new double[count];
            count(order, right[threshold], ignored[threshold], objects, recalls, precisions);
            recall[threshold] = count == 0 ? 0 : recalls[count - 1];
            precision[threshold] = sampled(recalls, precisions);
        }
        return new Curve(precision, recall);
    }

    /** Fills in recall and precision after each of the detections, best first. */
    private static void count(
            int[] order, boolean[] right, boolean[] ignored, int objects, double[] recalls, double[] precisions) {
        int rightSoFar = 0;
        int wrongSoFar = 0;
        for (int rank = 0; rank < order.length; rank++) {
            int index = order[rank];
            if (right[index]) {
                rightSoFar++;
            } else if (!ignored[index]) {
                wrongSoFar++;
            }
            recalls[rank] = (double) rightSoFar / objects;
            precisions[rank] = rightSoFar / (wrongSoFar + rightSoFar + EPSILON);
        }
    }

    /** The best precision at each recall or a higher one; 0 where that recall is not reached. */
    private static double[] sampled(double[] recalls, double[] precisions) {
        for (int i = precisions.length - 1; i > 0; i--) {
            precisions[i - 1] = Math.max(precisions[i - 1], precisions[i]);
        }
        double[] sampled = new double[RECALLS.length];
        int at = 0;
        for (int i = 0; i < sampled.length; i++) {
            while (at < recalls.length && recalls[at] < RECALLS[i]) {
                at++;
            }
            sampled[i] = at < recalls.length ? precisions[at] : 0;
        }
        return sampled;
    }

    private static double precision(List<Curve> curves, int fromThreshold, int toThreshold) {
        double sum = 0;
        long count = 0;
        for (Curve curve : curves) {
            for (int threshold = fromThreshold; curve.precision() != null && threshold < toThreshold; threshold++) {
                for (double value : curve.precision()[threshold]) {
                    sum += value;
                    count++;
                }
            }
        }
        return count == 0 ? -1 : sum / count;
    }

    private static double recall(List<Curve> curves) {
        double sum = 0;
        long count = 0;
        for (Curve curve : curves) {
            for (int threshold = 0; curve.recall() != null && threshold < THRESHOLDS.length; threshold++) {
                sum += curve.recall()[threshold];
                count++;
            }
        }
        return count == 0 ? -1 : sum / count;
    }

    /** So many numbers at equal distances, both ends included. */
    private static double[] spaced(double first, double last, int count) {
        double step = (last - first) / (count - 1);
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
            values[i] = first + i * step;
        }
        values[count - 1] = last;
        return values;
    }
}
