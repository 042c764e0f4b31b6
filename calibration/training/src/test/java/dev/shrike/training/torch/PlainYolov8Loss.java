package dev.shrike.training.torch;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The loss of YOLOv8 computed element by element in doubles, for comparison. The assignment and the weight alpha of
 * CIoU
 * are computed from values of their own, so that they can be kept while others change.
 */
final class PlainYolov8Loss {
    private static final int BINS = 16;

    private final int classes;
    private final int[] strides;
    private final int side;

    PlainYolov8Loss(int classes, int[] strides, int side) {
        this.classes = classes;
        this.strides = strides;
        this.side = side;
    }

    /** A cell of an image: its stride, where its values begin and how far they lie apart. */
    private record Cell(int stride, int boxes, int scores, int step, int head, double x, double y) {}

    private List<Cell> cells(int image) {
        List<Cell> cells = new ArrayList<>();
        for (int s = 0; s < strides.length; s++) {
            int count = side / strides[s];
            for (int i = 0; i < count * count; i++) {
                cells.add(new Cell(strides[s], image * 4 * BINS * count * count + i,
                        image * classes * count * count + i, count * count, s, i % count + 0.5, i / count + 0.5));
            }
        }
        return cells;
    }

    /** Left, top, right and bottom distances in cells. */
    private double[] distances(double[][] values, Cell cell) {
        double[] found = new double[4];
        for (int side = 0; side < 4; side++) {
            double sum = 0;
            for (int bin = 0; bin < BINS; bin++) {
                double e = Math.exp(bin(values, cell, side, bin));
                sum += e;
                found[side] += bin * e;
            }
            found[side] /= sum;
        }
        return found;
    }

    private static double bin(double[][] values, Cell cell, int side, int bin) {
        return values[2 * cell.head][cell.boxes + (side * BINS + bin) * cell.step];
    }

    private static double logit(double[][] values, Cell cell, int classId) {
        return values[2 * cell.head + 1][cell.scores + classId * cell.step];
    }

    /** Edges in pixels. */
    private static double[] edges(Cell cell, double[] d) {
        return new double[] {(cell.x - d[0]) * cell.stride, (cell.y - d[1]) * cell.stride,
                (cell.x + d[2]) * cell.stride, (cell.y + d[3]) * cell.stride};
    }

    /**
     * The loss.
     *
     * @param values of each stride first {@code [images, 64, cells, cells]}, then
     *     {@code [images, classes, cells, cells]}
     * @param fixed the same, for what has no gradient
     * @param targets image, class, x, y, w, h in parts of the input
     */
    double of(double[][] values, double[][] fixed, int images, double[][] targets) {
        double classLoss = 0;
        double boxLoss = 0;
        double distributionLoss = 0;
        double total = 0;
        for (int image = 0; image < images; image++) {
            List<Cell> cells = cells(image);
            List<double[]> boxes = new ArrayList<>();
            for (double[] target : targets) {
                if ((int) target[0] == image) {
                    boxes.add(target);
                }
            }
            double[][] weights = assign(fixed, cells, boxes);
            for (int i = 0; i < cells.size(); i++) {
                Cell cell = cells.get(i);
                int object = (int) weights[i][0];
                double weight = weights[i][1];
                total += weight;
                for (int c = 0; c < classes; c++) {
                    double wanted = object >= 0 && c == (int) boxes.get(object)[1] ? weight : 0;
                    double p = 1 / (1 + Math.exp(-logit(values, cell, c)));
                    classLoss -= wanted * Math.log(p) + (1 - wanted) * Math.log(1 - p);
                }
                if (object >= 0) {
                    double[] goal = corners(boxes.get(object));
                    boxLoss += weight * (1 - complete(edges(cell, distances(values, cell)),
                            edges(cell, distances(fixed, cell)), goal));
                    distributionLoss += weight * distribution(values, cell, goal);
                }
            }
        }
        total = Math.max(1, total);
        return images * (0.5 * classLoss + 7.5 * boxLoss + 1.5 * distributionLoss) / total;
    }

    private double distribution(double[][] values, Cell cell, double[] goal) {
        double[] wanted = {cell.x - goal[0] / cell.stride, cell.y - goal[1] / cell.stride,
                goal[2] / cell.stride - cell.x, goal[3] / cell.stride - cell.y};
        double loss = 0;
        for (int side = 0; side < 4; side++) {
            double t = Math.clamp(wanted[side], 0, BINS - 1 - 0.01);
            double sum = 0;
            for (int bin = 0; bin < BINS; bin++) {
                sum += Math.exp(bin(values, cell, side, bin));
            }
            int low = (int) t;
            loss -= (low + 1 - t) * (bin(values, cell, side, low) - Math.log(sum))
                    + (t - low) * (bin(values, cell, side, low + 1) - Math.log(sum));
        }
        return loss / 4;
    }

    private double[] corners(double[] target) {
        return new double[] {(target[2] - target[4] / 2) * side, (target[3] - target[5] / 2) * side,
                (target[2] + target[4] / 2) * side, (target[3] + target[5] / 2) * side};
    }

    /** For each cell its object, or -1, and its weight. */
    private double[][] assign(double[][] fixed, List<Cell> cells, List<double[]> boxes) {
        double[][] overlap = new double[boxes.size()][cells.size()];
        double[][] metric = new double[boxes.size()][cells.size()];
        double[][] result = new double[cells.size()][2];
        for (double[] each : result) {
            each[0] = -1;
        }
        for (int b = 0; b < boxes.size(); b++) {
            double[] goal = corners(boxes.get(b));
            List<Integer> inside = new ArrayList<>();
            for (int i = 0; i < cells.size(); i++) {
                Cell cell = cells.get(i);
                double x = cell.x * cell.stride;
                double y = cell.y * cell.stride;
                if (x > goal[0] && x < goal[2] && y > goal[1] && y < goal[3]) {
                    inside.add(i);
                    double[] own = edges(cell, distances(fixed, cell));
                    overlap[b][i] = Math.max(0, complete(own, own, goal));
                    double p = 1 / (1 + Math.exp(-logit(fixed, cell, (int) boxes.get(b)[1])));
                    metric[b][i] = Math.sqrt(p) * Math.pow(overlap[b][i], 6);
                }
            }
            double[] metrics = metric[b];
            inside.sort(Comparator.comparingDouble(i -> -metrics[i]));
            for (int i : inside.subList(0, Math.min(10, inside.size()))) {
                if (result[i][0] < 0 || overlap[b][i] > overlap[(int) result[i][0]][i]) {
                    result[i][0] = b;
                }
            }
        }
        for (int b = 0; b < boxes.size(); b++) {
            int object = b;
            int[] own = IntStream.range(0, cells.size()).filter(i -> (int) result[i][0] == object).toArray();
            double bestMetric = IntStream.of(own).mapToDouble(i -> metric[object][i]).max().orElse(0);
            double bestOverlap = IntStream.of(own).mapToDouble(i -> overlap[object][i]).max().orElse(0);
            for (int i : own) {
                result[i][1] = metric[object][i] / (bestMetric + 1e-9) * bestOverlap;
            }
        }
        return result;
    }

    private static double iou(double[] a, double[] b) {
        double inner = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]))
                * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
        return inner / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - inner);
    }

    private static double shape(double[] a, double[] b) {
        return 4 / (Math.PI * Math.PI) * Math.pow(Math.atan2(a[2] - a[0], a[3] - a[1])
                - Math.atan2(b[2] - b[0], b[3] - b[1]), 2);
    }

    private static double complete(double[] a, double[] alphaOf, double[] b) {
        double w = Math.max(a[2], b[2]) - Math.min(a[0], b[0]);
        double h = Math.max(a[3], b[3]) - Math.min(a[1], b[1]);
        double dx = (a[0] + a[2] - b[0] - b[2]) / 2;
        double dy = (a[1] + a[3] - b[1] - b[3]) / 2;
        double alpha = shape(alphaOf, b) / (1 - iou(alphaOf, b) + shape(alphaOf, b));
        return iou(a, b) - (dx * dx + dy * dy) / (w * w + h * h) - alpha * shape(a, b);
    }
}
