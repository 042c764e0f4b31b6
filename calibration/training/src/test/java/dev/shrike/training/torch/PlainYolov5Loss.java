package dev.shrike.training.torch;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The loss of YOLOv5 computed element by element in doubles, for comparison. What has no gradient (the target of
 * objectness and the weight alpha of CIoU) is computed from values of its own, so that it can be kept while others
 * change.
 */
final class PlainYolov5Loss {
    private static final double[] BALANCE = {4, 1, 0.4};

    private final int classes;
    private final int[] strides;
    private final double[][] anchors;
    private final int side;

    /**
     * @param anchors of each stride, w, h, w, h in pixels
     * @param side of the square input
     */
    PlainYolov5Loss(int classes, int[] strides, double[][] anchors, int side) {
        this.classes = classes;
        this.strides = strides;
        this.anchors = anchors;
        this.side = side;
    }

    /** A box by centre and size. */
    private record Box(double x, double y, double w, double h) {}

    /**
     * The loss.
     *
     * @param values {@code [images, anchors * (5 + classes), cells, cells]} of each stride
     * @param fixed the same, for what has no gradient
     * @param targets image, class, x, y, w, h in parts of the input
     */
    double of(double[][] values, double[][] fixed, int images, double[][] targets) {
        double box = 0;
        double objectness = 0;
        double classLoss = 0;
        for (int s = 0; s < strides.length; s++) {
            int cells = side / strides[s];
            int anchorCount = anchors[s].length / 2;
            int each = 5 + classes;
            Map<Long, Double> wanted = new HashMap<>();
            List<Double> overlaps = new ArrayList<>();
            List<Double> classTerms = new ArrayList<>();
            for (double[] target : targets) {
                double tx = target[2] * cells;
                double ty = target[3] * cells;
                double tw = target[4] * cells;
                double th = target[5] * cells;
                for (int a = 0; a < anchorCount; a++) {
                    double aw = anchors[s][2 * a] / strides[s];
                    double ah = anchors[s][2 * a + 1] / strides[s];
                    if (Math.max(Math.max(tw / aw, aw / tw), Math.max(th / ah, ah / th)) >= 4) {
                        continue;
                    }
                    for (int[] cell : cells(tx, ty, cells)) {
                        long at =
                                ((long) target[0] * anchorCount + a) * each * cells * cells + cell[1] * cells + cell[0];
                        Box goal = new Box(tx - cell[0], ty - cell[1], tw, th);
                        overlaps.add(1 - overlap(predicted(values[s], at, cells, aw, ah),
                                predicted(fixed[s], at, cells, aw, ah), goal));
                        Box own = predicted(fixed[s], at, cells, aw, ah);
                        wanted.merge(at + 4L * cells * cells, Math.max(0, overlap(own, own, goal)), Math::max);
                        for (int c = 0; c < classes; c++) {
                            classTerms.add(crossEntropy(values[s][(int) at + (5 + c) * cells * cells],
                                    c == (int) target[1] ? 1 : 0));
                        }
                    }
                }
            }
            box += mean(overlaps);
            classLoss += classes > 1 ? mean(classTerms) : 0;
            double sum = 0;
            for (int i = 0; i < images * anchorCount; i++) {
                for (int cell = 0; cell < cells * cells; cell++) {
                    long at = ((long) i * each + 4) * cells * cells + cell;
                    sum += crossEntropy(values[s][(int) at], wanted.getOrDefault(at, 0.0));
                }
            }
            objectness += BALANCE[s] * sum / (images * anchorCount * cells * cells);
        }
        double strideGain = 3.0 / strides.length;
        return images * strideGain * (0.05 * box + Math.pow(side / 640.0, 2) * objectness
                + 0.5 * classes / 80 * classLoss);
    }

    private static double mean(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).average().orElse(0);
    }

    private static List<int[]> cells(double x, double y, int count) {
        List<int[]> found = new ArrayList<>();
        int column = (int) x;
        int row = (int) y;
        found.add(new int[] {column, row});
        if (x % 1 < 0.5 && x > 1) {
            found.add(new int[] {column - 1, row});
        }
        if (x % 1 > 0.5 && x < count - 1) {
            found.add(new int[] {column + 1, row});
        }
        if (y % 1 < 0.5 && y > 1) {
            found.add(new int[] {column, row - 1});
        }
        if (y % 1 > 0.5 && y < count - 1) {
            found.add(new int[] {column, row + 1});
        }
        return found;
    }

    private static Box predicted(double[] values, long at, int cells, double aw, double ah) {
        double[] s = new double[4];
        for (int i = 0; i < 4; i++) {
            s[i] = 2 / (1 + Math.exp(-values[(int) at + i * cells * cells]));
        }
        return new Box(s[0] - 0.5, s[1] - 0.5, s[2] * s[2] * aw, s[3] * s[3] * ah);
    }

    private static double crossEntropy(double logit, double target) {
        double p = 1 / (1 + Math.exp(-logit));
        return -(target * Math.log(p) + (1 - target) * Math.log(1 - p));
    }

    private static double iou(Box a, Box b) {
        double w = Math.min(a.x + a.w / 2, b.x + b.w / 2) - Math.max(a.x - a.w / 2, b.x - b.w / 2);
        double h = Math.min(a.y + a.h / 2, b.y + b.h / 2) - Math.max(a.y - a.h / 2, b.y - b.h / 2);
        double inner = Math.max(0, w) * Math.max(0, h);
        return inner / (a.w * a.h + b.w * b.h - inner);
    }

    private static double shape(Box a, Box b) {
        return 4 / (Math.PI * Math.PI) * Math.pow(Math.atan2(a.w, a.h) - Math.atan2(b.w, b.h), 2);
    }

    private static double overlap(Box a, Box alphaOf, Box b) {
        double outerW = Math.max(a.x + a.w / 2, b.x + b.w / 2) - Math.min(a.x - a.w / 2, b.x - b.w / 2);
        double outerH = Math.max(a.y + a.h / 2, b.y + b.h / 2) - Math.min(a.y - a.h / 2, b.y - b.h / 2);
        double far = (Math.pow(a.x - b.x, 2) + Math.pow(a.y - b.y, 2)) / (outerW * outerW + outerH * outerH);
        double alpha = shape(alphaOf, b) / (1 - iou(alphaOf, b) + shape(alphaOf, b));
        return iou(a, b) - far - alpha * shape(a, b);
    }
}
