package dev.shrike.app.heads;

import static dev.shrike.app.heads.ConstantNetwork.background;
import static dev.shrike.app.heads.ConstantNetwork.places;
import static dev.shrike.app.heads.ConstantNetwork.row;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.app.JsonSchema;
import dev.shrike.app.Main;
import dev.shrike.app.Repository;
import dev.shrike.heads.HeadFormat;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.vision.Images;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Outputs that are not what their shapes say end in an error that tells what was seen, never in boxes. */
class RefusedHeadsTest {
    private static final int SIDE = 128;
    private static final int PLACES = places(SIDE, SIDE);
    private static final DetectorOptions OPTIONS = DetectorOptions.DEFAULT.withThreads(1);

    @TempDir
    private Path folder;

    private static ConstantNetwork network() {
        return new ConstantNetwork(SIDE, SIDE, false);
    }

    private static void assertRefused(ConstantNetwork network, DetectorOptions options, String... parts) {
        String message = assertThrows(UnsupportedModelException.class, () -> {
            try (Detector detector = Detectors.open(network.graph(), options)) {
                detector.detect(Frame.allocate(SIDE, SIDE));
            }
        }).getMessage();
        for (String part : parts) {
            assertTrue(message.contains(part), message);
        }
    }

    private static void assertRefused(ConstantNetwork network, String... parts) {
        assertRefused(network, OPTIONS, parts);
    }

    /** Landmarks among what would be class scores, with an object and without one. */
    @Test
    void landmarksAndKeypointsAreNoScores() {
        float[][] faces = background(3 * PLACES, row(16, 64, 64, 10, 10, 0, 60, 60, 60, 60, 60, 60));
        assertRefused(network().rows("output", faces, false), "output [1, 1008, 16]", "values from 0.0 to 60.0",
                "--head");
        faces[5][4] = 0.9f;
        assertRefused(network().rows("output", faces, false), "values from 0.0 to 60.0");
        float[][] poses = background(PLACES, row(56));
        for (float[] pose : poses) {
            Arrays.fill(pose, 5, 56, 77);
        }
        assertRefused(network().rows("output0", poses, true), "output0 [1, 56, 336]", "to 77.0", "keypoints");
    }

    @Test
    void scoresBeforeTheSigmoidAreRefused() {
        Random random = new Random(4);
        for (boolean transposed : new boolean[] {false, true}) {
            for (int values : new int[] {84, 85}) {
                float[][] rows = background((values == 85 ? 3 : 1) * PLACES, row(values));
                for (float[] row : rows) {
                    for (int i = 4; i < values; i++) {
                        row[i] = (float) random.nextGaussian() * 3 - 6;
                    }
                }
                assertRefused(network().rows("output", rows, transposed), "values from -", "sigmoid");
            }
        }
        float[][] yolox = background(PLACES, row(85, 0.5f, 0.5f, 1, 1, -9));
        assertRefused(network().rows("output", yolox, false), "-9.0", "objectness");
        float[][] scores = background(PLACES, row(7, -4));
        assertRefused(network().rows("boxes", background(PLACES, row(4)), false).rows("scores", scores, false), "-4.0");
    }

    @Test
    void headsBehindTheSigmoidAreRefused() {
        ConstantNetwork five = network();
        ConstantNetwork eight = network();
        for (int stride = 8; stride <= 32; stride *= 2) {
            int area = SIDE / stride * SIDE / stride;
            float[] values = new float[255 * area];
            Arrays.fill(values, 0.4f);
            five.output("out" + stride, List.of(1, 255, SIDE / stride, SIDE / stride), values);
            eight.output("out" + stride, List.of(1, 144, SIDE / stride, SIDE / stride),
                    Arrays.copyOf(values, 144 * area));
        }
        assertRefused(five, "0.4", "sigmoid");
        assertRefused(eight, "0.4", "sigmoid");
    }

    /** Six values of each row, none of which is a class, or whose boxes are no corners. */
    @Test
    void rowsThatAreNotEndToEndAreRefused() {
        float[][] rows = background(300, row(6));
        rows[0] = new float[] {10, 20, 60, 100, 0.9f, 0.4f};
        assertRefused(network().names(3).rows("output", rows, false), "holds 0.4 where the number of a class");
        rows[0] = new float[] {10, 20, 60, 100, 0.9f, 3};
        assertRefused(network().names(3).rows("output", rows, false), "holds 3.0", "0 to 2");
        rows[0] = new float[] {10, 20, 60, 100, 0.9f, Float.NaN};
        assertRefused(network().names(3).rows("output", rows, false), "holds NaN");
        rows[0] = new float[] {60, 90, 30, 20, 0.9f, 2};
        assertRefused(network().names(3).rows("output", rows, false), "inside out");
        rows[0] = new float[] {10, 20, 60, 100, 7, 2};
        assertRefused(network().names(3).rows("output", rows, false), "to 7.0");
    }

    @Test
    void whatOneLayoutAloneDoesNotExplainIsRefused() {
        float[][] unnamed = background(PLACES, row(8, 64, 64, 10, 10, 0.2f));
        assertRefused(network().rows("output", unnamed, false), "4 classes of YOLOv8", "3 classes of YOLOX",
                "--head yolov8 or --head yolox");
        ConstantNetwork heads = network();
        for (int stride = 8; stride <= 32; stride *= 2) {
            float[] values = new float[75 * SIDE / stride * SIDE / stride];
            Arrays.fill(values, -9);
            heads.output("out" + stride, List.of(1, 75, SIDE / stride, SIDE / stride), values);
        }
        assertRefused(heads, "--head yolov5-raw or --head yolov8-raw");
        try (Detector detector = Detectors.open(heads.graph(), OPTIONS.withHead(HeadFormat.YOLOV5_RAW))) {
            assertEquals(20, detector.labels().size());
            assertTrue(detector.notes().toString().contains("--anchors"), detector.notes().toString());
        }
        try (Detector detector = Detectors.open(heads.graph(), OPTIONS.withHead(HeadFormat.YOLOV8_RAW))) {
            assertEquals(11, detector.labels().size());
            assertEquals(List.of(), detector.detect(Frame.allocate(8, 8)).list());
        }
    }

    /** An output that nothing explains makes the others doubtful. */
    @Test
    void everyOutputMustBeExplained() {
        float[][] rows = background(3 * PLACES, row(7));
        assertRefused(
                network().names(2).rows("output", rows, false).output("angles", List.of(1, 1008), new float[1008]),
                "angles [1, 1008]");
        assertRefused(network().names(2).rows("output", rows, false)
                .output("more", List.of(1, 30, 16, 16), new float[30 * 256]), "more [1, 30, 16, 16]");
        assertRefused(network().metadata("task", "obb").rows("output", rows, false), "task 'obb'");
        assertRefused(network().names(80).rows("output", background(300, row(84)), false), "DETR");
        // Image, corners, class and score, as end-to-end exports of YOLOv7 have it.
        assertRefused(network().names(2).rows("output", background(100, row(7)), false), "output [1, 100, 7]");
    }

    /** Heads of other families, by the shapes that they have. */
    @Test
    void otherFamiliesAreNamed() {
        ConstantNetwork nanodet = network();
        for (int values : new int[] {80, 32}) {
            for (int stride = 8; stride <= 32; stride *= 2) {
                nanodet.rows("o" + values + stride, background(SIDE * SIDE / stride / stride, row(values)), false);
            }
        }
        assertRefused(nanodet, "NanoDet");
        assertRefused(network().output("758", List.of(1, 85, 8, 8), new float[85 * 64]), "FastestDet");
        assertRefused(network().output("845", List.of(605, 95), new float[605 * 95]), "Yolo-FastestV2");
    }

    @Test
    void boxesThatCannotBeAreRefused() {
        float[][] rows = background(3 * PLACES, row(7));
        rows[9] = row(7, 40_000, 60, 50, 80, 0.9f, 0.9f);
        assertRefused(network().names(2).rows("output", rows, false), "1 boxes of 1 cannot be", "128x128");
        float[][] ones = background(PLACES, row(6, 64, 64, 20, 20, 1));
        assertRefused(network().names(2).rows("output", ones, true), "--head yolov6");
    }

    @Test
    void aHeadThatDoesNotFitIsRefused() {
        ConstantNetwork network = network().rows("output", background(3 * PLACES, row(85)), false);
        for (HeadFormat format : List.of(HeadFormat.YOLOV5_RAW, HeadFormat.YOLOV8_RAW, HeadFormat.BOXES_SCORES,
                HeadFormat.END_TO_END, HeadFormat.YOLOX)) {
            assertRefused(network, OPTIONS.withHead(format), "--head " + format.label());
        }
        assertThrows(IllegalArgumentException.class, () -> HeadFormat.of("yolov99"));
        assertEquals(HeadFormat.YOLOV8_RAW, HeadFormat.of(" YOLOv8_raw"));
    }

    @Test
    void brokenValuesAreBrokenModels() {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            float[][] rows = background(3 * PLACES, row(7));
            rows[9] = row(7, 40, 60, bad, 80, 0.9f, 0.9f);
            assertThrows(ModelException.class, () -> {
                try (Detector detector = Detectors.open(network().rows("output", rows, false).graph(), OPTIONS)) {
                    detector.detect(Frame.allocate(8, 8));
                }
            });
        }
    }

    /** What the command says, and where; and that its JSON keeps to its schema whatever a model says. */
    @Test
    void theCommandRefusesNotesAndKeepsItsSchema() throws IOException {
        Path image = folder.resolve("black.png");
        Images.write(Frame.allocate(SIDE, SIDE), image);
        JsonSchema schema = JsonSchema.read(Repository.root().resolve("docs/detect.schema.json"));
        float[][] rows = background(300, row(6));
        rows[0] = new float[] {-5, 20, 160, 100, 1.05f, 1};
        rows[1] = new float[] {30, 30, 30, 30, 0.5f, 0};
        for (String names : List.of("['a', 'b']", "{0: '\\x1b[31m\\u202e\"', 1: '\\ud800'}", "['', '\\n{\"']", "None",
                "{1: 'only'}")) {
            ConstantNetwork network = network().metadata("names", names).metadata("stride", "[8, 16, 32]");
            Result run = detect(network.rows("output0", rows, false), image, "--json");
            assertEquals(0, run.exit(), run.err());
            assertEquals(List.of(), schema.violations(run.out().strip()), run.out());
            assertTrue(run.out().contains("\"score\":1.00000"), run.out());
        }
        float[][] faces = background(3 * PLACES, row(16, 64, 64, 10, 10, 0, 60));
        Result refused = detect(network().rows("output", faces, false), image, "--json");
        assertEquals(1, refused.exit());
        assertEquals("", refused.out());
        assertTrue(refused.err().contains("network.onnx: the output"), refused.err());
        float[][] yolox = background(PLACES, row(85, 64, 64, 10, 10, 0.1f));
        Result noted = detect(network().rows("output", yolox, false), image, "--json");
        assertEquals(0, noted.exit(), noted.err());
        assertTrue(noted.err().contains("BGR"), noted.err());
        assertTrue(detect(network().rows("output", yolox, false), image, "--head", "yolov6").err().isEmpty());
        assertEquals(2, detect(network().rows("output", yolox, false), image, "--head", "x").exit());
        assertEquals(2, detect(network().rows("output", yolox, false), image, "--soft-nms", "x").exit());
    }

    private record Result(int exit, String out, String err) {}

    private Result detect(ConstantNetwork network, Path image, String... more) throws IOException {
        Path model = Files.write(folder.resolve("network.onnx"), OnnxModels.toBytes(network.graph()));
        String[] arguments = Arrays.copyOf(new String[] {"detect", "--weights", model.toString(), "--nosave",
                "--no-progress", image.toString()}, 6 + more.length);
        System.arraycopy(more, 0, arguments, 6, more.length);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exit = Main.run(arguments, new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
        return new Result(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }
}
