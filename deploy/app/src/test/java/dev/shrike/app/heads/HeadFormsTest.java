package dev.shrike.app.heads;

import static dev.shrike.app.heads.ConstantNetwork.background;
import static dev.shrike.app.heads.ConstantNetwork.places;
import static dev.shrike.app.heads.ConstantNetwork.row;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Detection;
import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import dev.shrike.graph.Graph;
import dev.shrike.heads.HeadFormat;
import dev.shrike.heads.ImageWarning;
import dev.shrike.onnx.OnnxModels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** One object, written in every form of head: always the same detection comes out. */
class HeadFormsTest {
    private static final float X1 = 12;
    private static final float Y1 = 20;
    private static final float X2 = 60;
    private static final float Y2 = 100;
    private static final float CX = (X1 + X2) / 2;
    private static final float CY = (Y1 + Y2) / 2;
    private static final float W = X2 - X1;
    private static final float H = Y2 - Y1;
    private static final float SCORE = 0.9f;
    private static final int ROW = 5;
    private static final DetectorOptions OPTIONS = DetectorOptions.DEFAULT.withThreads(1);

    /** A network: its input, classes, whether its file names them, whether it is in half precision. */
    record Setting(int width, int height, int classes, boolean named, boolean half) {
        int classId() {
            return classes / 2;
        }

        ConstantNetwork network() {
            return new ConstantNetwork(width, height, half).names(named ? classes : 0);
        }

        int grid() {
            return places(width, height);
        }

        /** The same on every row, the object on one. */
        float[][] rows(int count, float[] nothing, float[] object) {
            float[][] rows = background(count, nothing);
            rows[ROW] = object;
            return rows;
        }

        /** A box, then a score for the object's class at a position. */
        float[] object(int values, int scoreAt, float score, float... box) {
            float[] row = row(values, box);
            row[scoreAt + classId()] = score;
            return row;
        }
    }

    static List<Setting> settings() {
        List<Setting> all = new ArrayList<>();
        for (int classes : new int[] {1, 3, 20, 80}) {
            for (boolean named : new boolean[] {true, false}) {
                all.add(new Setting(128, 128, classes, named, false));
                all.add(new Setting(160, 128, classes, named, classes == 3));
                all.add(new Setting(128, 224, classes, named, classes == 80));
            }
        }
        return all;
    }

    private static void assertFound(Setting setting, String what, ConstantNetwork network, DetectorOptions options) {
        Graph read = OnnxModels.read(OnnxModels.toBytes(network.graph()), what, null);
        try (Detector detector = Detectors.open(read, options)) {
            for (int round = 0; round < 2; round++) {
                List<Detection> found = detector.detect(Frame.allocate(setting.width(), setting.height())).list();
                assertEquals(1, found.size(), what + " " + setting + " " + found);
                Detection one = found.getFirst();
                assertEquals(setting.classId(), one.classId(), what);
                assertEquals(SCORE, one.score(), 1e-3, what);
                assertEquals(X1, one.x1(), 0.1, what + " " + one);
                assertEquals(Y1, one.y1(), 0.1, what + " " + one);
                assertEquals(X2, one.x2(), 0.1, what + " " + one);
                assertEquals(Y2, one.y2(), 0.1, what + " " + one);
            }
        }
    }

    private static void assertFound(Setting setting, String what, ConstantNetwork network) {
        assertFound(setting, what, network, OPTIONS);
    }

    @ParameterizedTest
    @MethodSource("settings")
    void yolov5(Setting s) {
        int values = 5 + s.classes();
        for (boolean parts : new boolean[] {false, true}) {
            float x = parts ? s.width() : 1;
            float y = parts ? s.height() : 1;
            float[][] rows = s.rows(3 * s.grid(), row(values),
                    s.object(values, 5, 1, CX / x, CY / y, W / x, H / y, SCORE));
            for (boolean transposed : new boolean[] {false, true}) {
                assertFound(s, "parts " + parts, s.network().rows("output", rows, transposed));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("settings")
    void yolov8(Setting s) {
        int values = 4 + s.classes();
        for (boolean parts : new boolean[] {false, true}) {
            float x = parts ? s.width() : 1;
            float y = parts ? s.height() : 1;
            float[][] rows = s.rows(s.grid(), row(values), s.object(values, 4, SCORE, CX / x, CY / y, W / x, H / y));
            assertFound(s, "parts " + parts, s.network().rows("output0", rows, true));
            if (s.named() || s.classes() == 80) {
                assertFound(s, "rows, parts " + parts, s.network().rows("output0", rows, false));
            } else {
                assertFound(s, "told", s.network().rows("output0", rows, false), OPTIONS.withHead(HeadFormat.YOLOV8));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("settings")
    void yolov6(Setting s) {
        int values = 5 + s.classes();
        float[][] rows = s.rows(s.grid(), row(values, 64, 64, 20, 20, 1), s.object(values, 5, SCORE, CX, CY, W, H, 1));
        assertFound(s, "YOLOv6", s.network().rows("outputs", rows, false));
        if (s.named() || s.classes() == 80) {
            assertFound(s, "YOLOv6", s.network().rows("outputs", rows, true));
        }
        assertFound(s, "told", s.network().rows("outputs", rows, true), OPTIONS.withHead(HeadFormat.YOLOV6));
    }

    @ParameterizedTest
    @MethodSource("settings")
    void yoloxDecodedAndNot(Setting s) {
        int values = 5 + s.classes();
        float[][] decoded = s.rows(s.grid(), row(values), s.object(values, 5, 1, CX, CY, W, H, SCORE));
        Optional<HeadFormat> told = s.named() || s.classes() == 80 ? Optional.empty() : Optional.of(HeadFormat.YOLOX);
        DetectorOptions options = told.map(OPTIONS::withHead).orElse(OPTIONS);
        assertFound(s, "decoded", s.network().rows("output", decoded, false), options);
        // At column 4, row 7 of stride 8.
        float[] object = s.object(values, 5, 1, CX / 8 - 4, CY / 8 - 7, (float) Math.log(W / 8),
                (float) Math.log(H / 8), SCORE);
        for (float[] nothing : List.of(row(values), row(values, 0.5f, 0.3f, 1.5f, 2))) {
            float[][] raw = background(s.grid(), nothing);
            raw[7 * s.width() / 8 + 4] = object;
            assertFound(s, "raw", s.network().rows("output", raw, false));
        }
    }

    /** Column 4, row 7 of stride 8, with 3 strides to both sides and 5 up and down. */
    @ParameterizedTest
    @MethodSource("settings")
    void yolov8Raw(Setting s) {
        int values = 64 + s.classes();
        float logit = (float) Math.log(SCORE / (1 - SCORE));
        ConstantNetwork split = s.network();
        float[][] all = background(s.grid(), row(values));
        int from = 0;
        for (int stride = 8; stride <= 32; stride *= 2) {
            int width = s.width() / stride;
            int height = s.height() / stride;
            float[] head = new float[values * width * height];
            Arrays.fill(head, 64 * width * height, head.length, -12);
            if (stride == 8) {
                for (int side = 0; side < 4; side++) {
                    head[(16 * side + (side % 2 == 0 ? 3 : 5)) * width * height + 7 * width + 4] = 25;
                }
                head[(64 + s.classId()) * width * height + 7 * width + 4] = logit;
            }
            for (int place = 0; place < width * height; place++) {
                for (int i = 0; i < values; i++) {
                    all[from + place][i] = head[i * width * height + place];
                }
            }
            from += width * height;
            split.output("out" + stride, List.of(1, values, height, width), head);
        }
        boolean certain = s.named() || s.classes() == 80 || (64 + s.classes()) % 3 != 0 || (64 + s.classes()) / 3 <= 5;
        assertFound(s, "heads", split, certain ? OPTIONS : OPTIONS.withHead(HeadFormat.YOLOV8_RAW));
        if (s.named() || s.classes() == 80) {
            assertFound(s, "joined", s.network().rows("out", all, true));
            assertFound(s, "joined rows", s.network().rows("out", all, false));
        }
    }

    @ParameterizedTest
    @MethodSource("settings")
    void endToEnd(Setting s) {
        for (int count : new int[] {300, 100}) {
            float[][] rows = background(count, row(6));
            rows[0] = new float[] {X1, Y1, X2, Y2, SCORE, s.classId()};
            assertFound(s, "end to end", s.network().rows("output0", rows, false));
            assertFound(s, "end to end", s.network().metadata("end2end", "True").rows("output0", rows, true));
            rows[0] = new float[] {X1 / s.width(), Y1 / s.height(), X2 / s.width(), Y2 / s.height(), SCORE,
                    s.classId()};
            assertFound(s, "parts", s.network().metadata("args", "{'nms': True}").rows("output0", rows, false));
        }
    }

    @ParameterizedTest
    @MethodSource("settings")
    void boxesAndScores(Setting s) {
        for (int anchors : new int[] {1, 3}) {
            int count = anchors * s.grid();
            float[][] scores = s.rows(count, row(s.classes()), s.object(s.classes(), 0, SCORE));
            float[][] corners = s.rows(count, row(4), new float[] {X1, Y1, X2, Y2});
            float[][] parts = s.rows(count, row(4),
                    new float[] {X1 / s.width(), Y1 / s.height(), X2 / s.width(), Y2 / s.height()});
            float[][] centred = s.rows(count, row(4, 100, 90, 30, 20), new float[] {CX, CY, W, H});
            for (float[][] boxes : List.of(corners, parts, centred)) {
                assertFound(s, "pair", s.network().rows("boxes", boxes, false).rows("scores", scores, false));
                assertFound(s, "pair", s.network().rows("scores", scores, true).rows("boxes", boxes, true));
            }
            float[] flat = new float[4 * count];
            for (int i = 0; i < flat.length; i++) {
                flat[i] = corners[i / 4][i % 4];
            }
            assertFound(s, "YOLOv4",
                    s.network().output("boxes", List.of(1, count, 1, 4), flat).rows("confs", scores, false));
        }
    }

    /** Masks, keypoints and landmarks are left out, and it is said so. */
    @ParameterizedTest
    @MethodSource("settings")
    void boxesOfNetworksThatGiveMore(Setting s) {
        int masks = 32;
        float[] prototypes = new float[masks * s.width() / 4 * s.height() / 4];
        List<Integer> dims = List.of(1, masks, s.height() / 4, s.width() / 4);
        int five = 5 + s.classes() + masks;
        float[][] v5 = s.rows(3 * s.grid(), withTail(row(five), masks),
                withTail(s.object(five, 5, 1, CX, CY, W, H, SCORE), masks));
        assertLeavesOut(s, "masks", s.network().rows("output0", v5, false).output("output1", dims, prototypes));
        int eight = 4 + s.classes() + masks;
        float[][] v8 = s.rows(s.grid(), withTail(row(eight), masks),
                withTail(s.object(eight, 4, SCORE, CX, CY, W, H), masks));
        assertLeavesOut(s, "masks", s.network().metadata("task", "segment").rows("output0", v8, true)
                .output("output1", dims, prototypes));
        int points = 51;
        float[][] pose = s.rows(s.grid(), withTail(row(4 + s.classes() + points), points),
                withTail(s.object(4 + s.classes() + points, 4, SCORE, CX, CY, W, H), points));
        assertLeavesOut(s, "keypoints", s.network().metadata("task", "pose").metadata("kpt_shape", "[17, 3]")
                .rows("output0", pose, true));
        float[] face = s.object(15 + s.classes(), 15, 1, CX, CY, W, H, SCORE);
        Arrays.fill(face, 5, 15, 40);
        ConstantNetwork faces = s.network()
                .rows("output", s.rows(3 * s.grid(), row(15 + s.classes()), face), false);
        assertFound(s, "faces", faces, OPTIONS.withHead(HeadFormat.YOLOV5_FACE));
        if (s.named()) {
            assertLeavesOut(s, "landmarks", faces);
        }
    }

    @Test
    void thoseWhoMeasureAreWarnedOfYolox() {
        int places = places(128, 96);
        ConstantNetwork yolox = new ConstantNetwork(128, 96, false).names(3)
                .rows("output", background(places, row(8)), false);
        assertTrue(ImageWarning.of(yolox.graph()).orElseThrow().contains("YOLOX"));
        ConstantNetwork yolov8 = new ConstantNetwork(128, 96, false).names(4)
                .rows("output", background(places, row(8)), false);
        assertEquals(Optional.empty(), ImageWarning.of(yolov8.graph()));
        ConstantNetwork yolov5 = new ConstantNetwork(128, 96, false)
                .rows("output", background(3 * places, row(85)), false);
        assertEquals(Optional.empty(), ImageWarning.of(yolov5.graph()));
    }

    private static void assertLeavesOut(Setting setting, String what, ConstantNetwork network) {
        assertFound(setting, what, network);
        try (Detector detector = Detectors.open(network.graph(), OPTIONS)) {
            assertTrue(detector.notes().toString().contains(what), detector.notes().toString());
        }
    }

    private static float[] withTail(float[] row, int count) {
        Arrays.fill(row, row.length - count, row.length, 1.7f);
        row[row.length - 1] = -2;
        return row;
    }
}
