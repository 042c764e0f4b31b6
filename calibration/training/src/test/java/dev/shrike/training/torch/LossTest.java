package dev.shrike.training.torch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.training.DetectHead;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.DoublePointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class LossTest {
    private static final int SIDE = 64;
    private static final int IMAGES = 2;
    private static final int CLASSES = 3;
    private static final int[] STRIDES = {8, 16, 32};
    private static final double[][] ANCHORS = {{10, 13, 16, 30}, {30, 31, 22, 45}, {56, 40, 60, 62}};
    private static final double[][] TARGETS = {
            {0, 1, 0.31, 0.42, 0.3, 0.22},
            {0, 2, 0.33, 0.44, 0.5, 0.6},
            {0, 0, 0.9, 0.05, 0.1, 0.09},
            {1, 0, 0.52, 0.53, 0.9, 0.8},
            {1, 2, 0.07, 0.93, 0.12, 0.11}};

    /** A loss in doubles: values, what has no gradient, targets. */
    private interface Plain {
        double of(double[][] values, double[][] fixed, int images, double[][] targets);
    }

    private static double[][] random(long seed, int... channels) {
        Random random = new Random(seed);
        double[][] values = new double[channels.length][];
        for (int i = 0; i < channels.length; i++) {
            int cells = SIDE / STRIDES[i * STRIDES.length / channels.length];
            values[i] = random.doubles((long) IMAGES * channels[i] * cells * cells, -1.5, 1.5).toArray();
        }
        return values;
    }

    private static List<Tensor> tensors(double[][] values, int... channels) {
        List<Tensor> tensors = new ArrayList<>();
        for (int i = 0; i < values.length; i++) {
            int cells = SIDE / STRIDES[i * STRIDES.length / values.length];
            tensors.add(torch.from_blob(new DoublePointer(values[i]), new long[] {IMAGES, channels[i], cells, cells},
                    new TensorOptions(torch.ScalarType.Double)).clone().requires_grad_(true));
        }
        return tensors;
    }

    private static Tensor targets(double[][] targets) {
        float[] flat = new float[6 * targets.length];
        for (int i = 0; i < flat.length; i++) {
            flat[i] = (float) targets[i / 6][i % 6];
        }
        return TensorMath.ofFloats(flat, targets.length, 6);
    }

    private static double[] doubles(Tensor tensor) {
        double[] values = new double[(int) tensor.numel()];
        tensor.contiguous().data_ptr_double().get(values);
        return values;
    }

    private static void compare(Loss loss, Plain plain, double[][] values, double[][] targets, int... channels) {
        // Targets pass as floats.
        double[][] rounded = Arrays.stream(targets)
                .map(row -> Arrays.stream(row).map(value -> (float) value).toArray()).toArray(double[][]::new);
        try (PointerScope _ = new PointerScope()) {
            List<Tensor> heads = tensors(values, channels);
            Tensor total = loss.of(heads, targets(targets)).total();
            double expected = plain.of(values, values, IMAGES, rounded);
            assertEquals(expected, total.item_double(), 1e-5 * Math.abs(expected));
            total.backward();
            Random random = new Random(3);
            int moving = 0;
            for (int h = 0; h < values.length; h++) {
                double[] gradients = doubles(heads.get(h).grad());
                for (int n = 0; n < 60; n++) {
                    int at = random.nextInt(values[h].length);
                    double[][] moved = Arrays.stream(values).map(double[]::clone).toArray(double[][]::new);
                    moved[h][at] += 1e-4;
                    double above = plain.of(moved, values, IMAGES, rounded);
                    moved[h][at] -= 2e-4;
                    double slope = (above - plain.of(moved, values, IMAGES, rounded)) / 2e-4;
                    assertEquals(slope, gradients[at], 1e-5 + 2e-4 * Math.abs(slope), "head " + h + ", value " + at);
                    moving += Math.abs(slope) > 1e-4 ? 1 : 0;
                }
            }
            assertTrue(moving > 20, "only " + moving + " values had a gradient");
        }
    }

    private static Yolov5Loss yolov5(int classes) {
        List<Float> anchors = new ArrayList<>();
        for (double[] each : ANCHORS) {
            Arrays.stream(each).forEach(value -> anchors.add((float) value));
        }
        return new Yolov5Loss(new DetectHead(DetectHead.Family.YOLOV5, classes, List.of(8, 16, 32), anchors,
                List.of("a", "b", "c")), SIDE);
    }

    @Test
    void yolov5EqualsAPlainEvaluation() {
        int each = 2 * (5 + CLASSES);
        compare(yolov5(CLASSES), new PlainYolov5Loss(CLASSES, STRIDES, ANCHORS, SIDE)::of, random(1, each, each, each),
                TARGETS, each, each, each);
    }

    @Test
    void aSingleClassHasNoClassLoss() {
        double[][] targets = Arrays.stream(TARGETS).map(double[]::clone).toArray(double[][]::new);
        Arrays.stream(targets).forEach(target -> target[1] = 0);
        compare(yolov5(1), new PlainYolov5Loss(1, STRIDES, ANCHORS, SIDE)::of, random(2, 12, 12, 12), targets, 12, 12,
                12);
    }

    @Test
    void imagesWithoutObjectsHaveOnlyObjectness() {
        int each = 2 * (5 + CLASSES);
        double[][] values = random(5, each, each, each);
        try (PointerScope _ = new PointerScope()) {
            Tensor total = yolov5(CLASSES).of(tensors(values, each, each, each), targets(new double[0][])).total();
            assertEquals(new PlainYolov5Loss(CLASSES, STRIDES, ANCHORS, SIDE).of(values, values, IMAGES,
                    new double[0][]), total.item_double(), 1e-6);
        }
    }

    @Test
    void yolov8EqualsAPlainEvaluation() {
        Yolov8Loss loss = new Yolov8Loss(new DetectHead(DetectHead.Family.YOLOV8, CLASSES, List.of(8, 16, 32),
                List.of(), List.of("a", "b", "c", "d", "e", "f")));
        int[] channels = {64, CLASSES, 64, CLASSES, 64, CLASSES};
        compare(loss, new PlainYolov8Loss(CLASSES, STRIDES, SIDE)::of, random(4, channels), TARGETS, channels);
    }

    @Test
    void yolov8TakesImagesWithoutObjects() {
        Yolov8Loss loss = new Yolov8Loss(new DetectHead(DetectHead.Family.YOLOV8, CLASSES, List.of(8, 16, 32),
                List.of(), List.of("a", "b", "c", "d", "e", "f")));
        int[] channels = {64, CLASSES, 64, CLASSES, 64, CLASSES};
        double[][] values = random(6, channels);
        try (PointerScope _ = new PointerScope()) {
            Tensor total = loss.of(tensors(values, channels), targets(new double[0][])).total();
            assertEquals(new PlainYolov8Loss(CLASSES, STRIDES, SIDE).of(values, values, IMAGES, new double[0][]),
                    total.item_double(), 1e-5);
        }
    }
}
