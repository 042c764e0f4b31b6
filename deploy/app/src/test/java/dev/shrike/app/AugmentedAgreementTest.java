package dev.shrike.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.Detector;
import dev.shrike.DetectorOptions;
import dev.shrike.Detectors;
import dev.shrike.Frame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Augmentation against the same written once more on floats from YOLOv5 v6.1's description: views by bilinear sampling
 * at half pixels, the network in ONNX Runtime, boxes led back, suppression by comparing all pairs.
 */
class AugmentedAgreementTest {
    private static final int SIDE = 640;
    private static final float[] SCALES = {1, 0.83f, 0.67f};
    private static final float PAD = 0.447f;

    private record Box(float x1, float y1, float x2, float y2, float score, int classId) {
        double iou(Box other) {
            double width = Math.min(x2, other.x2) - Math.max(x1, other.x1);
            double height = Math.min(y2, other.y2) - Math.max(y1, other.y1);
            double both = Math.max(0, width) * Math.max(0, height);
            return both / ((x2 - x1) * (y2 - y1) + (other.x2 - other.x1) * (other.y2 - other.y1) - both);
        }
    }

    @ParameterizedTest
    @CsvSource({"bus, 810, 1080", "zidane, 1280, 720"})
    void detectionsEqualThoseOfAnIndependentComputation(String image, int width, int height)
            throws IOException, OrtException {
        Path model = Repository.shared().resolve("models/yolov5n-dynamic.onnx");
        List<Box> expected = expected(model, floats("reference/" + image + "-640-input.f32.gz"));
        Frame frame = Frame.read(Repository.shared().resolve("reference/" + image + ".jpg"));
        double ratio = Math.min((double) SIDE / width, (double) SIDE / height);
        double padX = Math.floor((SIDE - Math.rint(width * ratio)) / 2);
        double padY = Math.floor((SIDE - Math.rint(height * ratio)) / 2);
        try (Detector detector = Detectors.openAugmented((_, _) -> model, DetectorOptions.DEFAULT)) {
            Detections found = detector.detect(frame);
            // Views are made of bytes here, so scores near the threshold may fall on its other side.
            List<Box> sure = expected.stream().filter(box -> box.score > 0.27).toList();
            assertTrue(found.size() >= sure.size() && found.size() <= expected.size() + 1,
                    found + " instead of " + expected);
            for (Box box : sure) {
                boolean seen = false;
                for (Detection object : found) {
                    Box there = new Box((float) (object.x1() * ratio + padX), (float) (object.y1() * ratio + padY),
                            (float) (object.x2() * ratio + padX), (float) (object.y2() * ratio + padY), object.score(),
                            object.classId());
                    seen |= box.classId == there.classId && Math.abs(box.score - there.score) < 0.02
                            && clipped(box, padX, padY).iou(there) > 0.95;
                }
                assertTrue(seen, box + " is not among " + found);
            }
        }
    }

    /** The box without what lies in the padding, as boxes of frames are. */
    private static Box clipped(Box box, double padX, double padY) {
        return new Box(Math.max(box.x1, (float) padX), Math.max(box.y1, (float) padY),
                Math.min(box.x2, (float) (SIDE - padX)), Math.min(box.y2, (float) (SIDE - padY)), box.score,
                box.classId);
    }

    private static List<Box> expected(Path model, float[] image) throws OrtException {
        List<Box> all = new ArrayList<>();
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession session = environment.createSession(model.toString(), new OrtSession.SessionOptions())) {
            for (int view = 0; view < SCALES.length; view++) {
                int side = view == 0 ? SIDE : (int) Math.ceil(SIDE * SCALES[view] / 32) * 32;
                float[] pixels = view == 0 ? image : view(image, SCALES[view], view == 1, side);
                try (OnnxTensor images = OnnxTensor.createTensor(environment, FloatBuffer.wrap(pixels),
                        new long[] {1, 3, side, side});
                        OrtSession.Result result = session.run(Map.of("images", images))) {
                    float[][] rows = ((float[][][]) result.get(0).getValue())[0];
                    int level = rows.length / 21;
                    int from = view == 2 ? 16 * level : 0;
                    int to = view == 0 ? rows.length - level : rows.length;
                    for (int row = from; row < to; row++) {
                        add(rows[row], SCALES[view], view == 1, all);
                    }
                }
            }
        }
        all.sort(Comparator.comparingDouble(box -> -box.score));
        List<Box> kept = new ArrayList<>();
        for (Box box : all) {
            if (kept.stream().noneMatch(better -> better.classId == box.classId && better.iou(box) > 0.45)) {
                kept.add(box);
            }
        }
        return kept;
    }

    private static void add(float[] row, float scale, boolean mirrored, List<Box> boxes) {
        int best = 5;
        for (int c = 5; c < row.length; c++) {
            best = row[c] > row[best] ? c : best;
        }
        float score = row[4] * row[best];
        if (row[4] > 0.25f && score > 0.25f) {
            float x = mirrored ? SIDE - row[0] / scale : row[0] / scale;
            float y = row[1] / scale;
            float halfWidth = row[2] / scale / 2;
            float halfHeight = row[3] / scale / 2;
            boxes.add(new Box(x - halfWidth, y - halfHeight, x + halfWidth, y + halfHeight, score, best - 5));
        }
    }

    private static float[] view(float[] image, float scale, boolean mirrored, int side) {
        int inner = (int) (SIDE * scale);
        float[] view = new float[3 * side * side];
        for (int channel = 0; channel < 3; channel++) {
            for (int y = 0; y < side; y++) {
                for (int x = 0; x < side; x++) {
                    view[(channel * side + y) * side + x] = y >= inner || x >= inner ? PAD
                            : sample(image, channel, (y + 0.5f) * SIDE / inner - 0.5f,
                                    (x + 0.5f) * SIDE / inner - 0.5f, mirrored);
                }
            }
        }
        return view;
    }

    private static float sample(float[] image, int channel, float y, float x, boolean mirrored) {
        int top = Math.clamp((int) Math.floor(y), 0, SIDE - 1);
        int left = Math.clamp((int) Math.floor(x), 0, SIDE - 1);
        int bottom = Math.min(top + 1, SIDE - 1);
        int right = Math.min(left + 1, SIDE - 1);
        float down = Math.clamp(y - top, 0f, 1f);
        float across = Math.clamp(x - left, 0f, 1f);
        float upper = at(image, channel, top, left, mirrored) * (1 - across)
                + at(image, channel, top, right, mirrored) * across;
        float lower = at(image, channel, bottom, left, mirrored) * (1 - across)
                + at(image, channel, bottom, right, mirrored) * across;
        return upper * (1 - down) + lower * down;
    }

    private static float at(float[] image, int channel, int y, int x, boolean mirrored) {
        return image[(channel * SIDE + y) * SIDE + (mirrored ? SIDE - 1 - x : x)];
    }

    private static float[] floats(String name) throws IOException {
        try (var in = new GZIPInputStream(Files.newInputStream(Repository.shared().resolve(name)))) {
            float[] values = new float[3 * SIDE * SIDE];
            ByteBuffer.wrap(in.readAllBytes()).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
            assertEquals(3 * SIDE * SIDE, values.length);
            return values;
        }
    }
}
