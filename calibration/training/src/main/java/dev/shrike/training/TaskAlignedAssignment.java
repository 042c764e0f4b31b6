package dev.shrike.training;

import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Which cells are to find which object, by what the network says already (Feng et al. 2021, TOOD; as YOLOv8 documents
 * it): of the cells whose centres lie in an object the ten with the largest {@code score^0.5 * CIoU^6}. A cell that
 * several objects want goes to the one that it overlaps most.
 */
public final class TaskAlignedAssignment {
    private static final int MOST = 10;
    private static final double SCORE_POWER = 0.5;
    private static final double OVERLAP_POWER = 6;
    private static final double EPSILON = 1e-9;

    private final int[] objects;
    private final double[] weights;

    /** A box by its edges, in pixels of the input, and the class of an object. */
    public record Box(int classId, double left, double top, double right, double bottom) {}

    private TaskAlignedAssignment(int[] objects, double[] weights) {
        this.objects = objects;
        this.weights = weights;
    }

    /** What the network says of an image. */
    public interface Prediction {
        /** Number of cells, of all strides. */
        int cells();

        /** Horizontal centre of a cell in pixels of the input. */
        double x(int cell);

        /** Vertical centre of a cell in pixels of the input. */
        double y(int cell);

        /** The predicted box of a cell; its class does not count. */
        Box box(int cell);

        /** Predicted probability of a class, 0 to 1. */
        double score(int cell, int classId);
    }

    /** The object that a cell is to find, or -1. */
    public int object(int cell) {
        return objects[cell];
    }

    /** The score that a cell is to give the class of its object, 0 to 1; 0 for cells without one. */
    public double weight(int cell) {
        return weights[cell];
    }

    /** The assignment of an image. */
    public static TaskAlignedAssignment of(List<Box> boxes, Prediction prediction) {
        int cells = prediction.cells();
        double[][] overlaps = new double[boxes.size()][cells];
        double[][] metrics = new double[boxes.size()][cells];
        int[] objects = new int[cells];
        Arrays.fill(objects, -1);
        for (int i = 0; i < boxes.size(); i++) {
            for (int cell : candidates(boxes.get(i), prediction, overlaps[i], metrics[i])) {
                if (objects[cell] < 0 || overlaps[i][cell] > overlaps[objects[cell]][cell]) {
                    objects[cell] = i;
                }
            }
        }
        // The best cell of an object gets its largest overlap as score, others less by their metric.
        double[] bestMetric = new double[boxes.size()];
        double[] bestOverlap = new double[boxes.size()];
        for (int cell = 0; cell < cells; cell++) {
            int object = objects[cell];
            if (object >= 0) {
                bestMetric[object] = Math.max(bestMetric[object], metrics[object][cell]);
                bestOverlap[object] = Math.max(bestOverlap[object], overlaps[object][cell]);
            }
        }
        double[] weights = new double[cells];
        for (int cell = 0; cell < cells; cell++) {
            int object = objects[cell];
            if (object >= 0) {
                weights[cell] = metrics[object][cell] * bestOverlap[object] / (bestMetric[object] + EPSILON);
            }
        }
        return new TaskAlignedAssignment(objects, weights);
    }

    /** The cells that an object wants. */
    private static int[] candidates(Box box, Prediction prediction, double[] overlaps, double[] metrics) {
        int[] inside = IntStream.range(0, prediction.cells()).filter(cell -> contains(box, prediction, cell))
                .toArray();
        for (int cell : inside) {
            overlaps[cell] = Math.max(0, overlap(box, prediction.box(cell)));
            metrics[cell] = Math.pow(prediction.score(cell, box.classId()), SCORE_POWER)
                    * Math.pow(overlaps[cell], OVERLAP_POWER);
        }
        return Arrays.stream(inside).boxed().sorted((a, b) -> Double.compare(metrics[b], metrics[a])).limit(MOST)
                .mapToInt(Integer::intValue).toArray();
    }

    private static boolean contains(Box box, Prediction prediction, int cell) {
        double x = prediction.x(cell);
        double y = prediction.y(cell);
        return Math.min(Math.min(x - box.left(), box.right() - x), Math.min(y - box.top(), box.bottom() - y))
                > EPSILON;
    }

    /** Complete IoU (Zheng et al. 2020). */
    static double overlap(Box a, Box b) {
        double width = Math.max(0, Math.min(a.right(), b.right()) - Math.max(a.left(), b.left()));
        double height = Math.max(0, Math.min(a.bottom(), b.bottom()) - Math.max(a.top(), b.top()));
        double inner = width * height;
        double iou = inner / (area(a) + area(b) - inner + EPSILON);
        double outerWidth = Math.max(a.right(), b.right()) - Math.min(a.left(), b.left());
        double outerHeight = Math.max(a.bottom(), b.bottom()) - Math.min(a.top(), b.top());
        double dx = (a.left() + a.right() - b.left() - b.right()) / 2;
        double dy = (a.top() + a.bottom() - b.top() - b.bottom()) / 2;
        double distance = (dx * dx + dy * dy) / (outerWidth * outerWidth + outerHeight * outerHeight + EPSILON);
        double turned = angle(a) - angle(b);
        double v = 4 / (Math.PI * Math.PI) * turned * turned;
        return iou - distance - v * v / (v - iou + 1 + EPSILON);
    }

    private static double area(Box box) {
        return (box.right() - box.left()) * (box.bottom() - box.top());
    }

    private static double angle(Box box) {
        return Math.atan((box.right() - box.left()) / (box.bottom() - box.top() + EPSILON));
    }
}
