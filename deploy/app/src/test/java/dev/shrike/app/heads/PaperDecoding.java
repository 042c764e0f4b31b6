package dev.shrike.app.heads;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.shrike.Frame;
import java.lang.foreign.ValueLayout;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * What a network sees, by ONNX Runtime and a decoding that follows the papers line by line and shares nothing with the
 * product: preprocessing, boxes, and suppression. Frames must be no larger than the input and as wide.
 */
final class PaperDecoding implements AutoCloseable {
    private static final double IOU = 0.45;

    /** A box by its corners in pixels of the frame. */
    record Found(int classId, double score, double x1, double y1, double x2, double y2) {}

    private final OrtSession session;
    private final int width;
    private final int height;

    PaperDecoding(byte[] model, int width, int height) throws OrtException {
        this.width = width;
        this.height = height;
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(2);
            session = OrtEnvironment.getEnvironment().createSession(model, options);
        }
    }

    /** YOLOX 0.2 and later: {@code preproc} of its data_augment.py, {@code demo_postprocess} of its demo_utils.py. */
    List<Found> yolox(Frame frame, double confidence) throws OrtException {
        float[] input = new float[3 * width * height];
        java.util.Arrays.fill(input, 114);
        for (int y = 0; y < frame.height(); y++) {
            for (int x = 0; x < width; x++) {
                for (int c = 0; c < 3; c++) {
                    input[(c * height + y) * width + x] = pixel(frame, x, y, c);
                }
            }
        }
        float[][] rows = ((float[][][]) run(input).getFirst())[0];
        List<Found> found = new ArrayList<>();
        int row = 0;
        for (int stride : new int[] {8, 16, 32}) {
            for (int gy = 0; gy < height / stride; gy++) {
                for (int gx = 0; gx < width / stride; gx++) {
                    float[] r = rows[row++];
                    add(found, r, 5, r[4], confidence, (r[0] + gx) * stride, (r[1] + gy) * stride,
                            Math.exp(r[2]) * stride, Math.exp(r[3]) * stride, 0);
                }
            }
        }
        return suppressed(found);
    }

    /** YOLOv8 as it is exported: boxes decoded, scores behind the sigmoid. */
    List<Found> yolov8(Frame frame, double confidence) throws OrtException {
        float[][] values = ((float[][][]) run(centred(frame)).getFirst())[0];
        List<Found> found = new ArrayList<>();
        for (int box = 0; box < values[0].length; box++) {
            float[] r = new float[values.length];
            for (int i = 0; i < r.length; i++) {
                r[i] = values[i][box];
            }
            add(found, r, 4, 1, confidence, r[0], r[1], r[2], r[3], (height - frame.height()) / 2);
        }
        return suppressed(found);
    }

    /** The heads of YOLOv8: distribution focal loss (Li et al. 2020, equation 6), {@code dist2bbox}, sigmoid. */
    List<Found> yolov8Raw(Frame frame, double confidence) throws OrtException {
        List<Found> found = new ArrayList<>();
        for (Object output : run(centred(frame))) {
            float[][][] head = ((float[][][][]) output)[0];
            int stride = height / head[0].length;
            for (int y = 0; y < head[0].length; y++) {
                for (int x = 0; x < head[0][0].length; x++) {
                    double[] sides = new double[4];
                    for (int side = 0; side < 4; side++) {
                        double sum = 0;
                        for (int bin = 0; bin < 16; bin++) {
                            sum += Math.exp(head[16 * side + bin][y][x]);
                        }
                        for (int bin = 0; bin < 16; bin++) {
                            sides[side] += bin * Math.exp(head[16 * side + bin][y][x]) / sum;
                        }
                    }
                    float[] r = new float[head.length - 64];
                    for (int c = 0; c < r.length; c++) {
                        r[c] = (float) (1 / (1 + Math.exp(-head[64 + c][y][x])));
                    }
                    double x1 = (x + 0.5 - sides[0]) * stride;
                    double y1 = (y + 0.5 - sides[1]) * stride;
                    double x2 = (x + 0.5 + sides[2]) * stride;
                    double y2 = (y + 0.5 + sides[3]) * stride;
                    add(found, r, 0, 1, confidence, (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1,
                            (height - frame.height()) / 2);
                }
            }
        }
        return suppressed(found);
    }

    private float[] centred(Frame frame) {
        float[] input = new float[3 * width * height];
        java.util.Arrays.fill(input, 114 / 255f);
        int top = (height - frame.height()) / 2;
        for (int y = 0; y < frame.height(); y++) {
            for (int x = 0; x < width; x++) {
                for (int c = 0; c < 3; c++) {
                    input[(c * height + top + y) * width + x] = pixel(frame, x, y, 2 - c) / 255f;
                }
            }
        }
        return input;
    }

    private static float pixel(Frame frame, int x, int y, int channel) {
        return frame.pixels().get(ValueLayout.JAVA_BYTE, 3L * (y * frame.width() + x) + channel) & 0xff;
    }

    private static void add(
            List<Found> found, float[] row, int firstClass, double objectness, double confidence, double x, double y,
            double w, double h, int top) {
        int best = firstClass;
        for (int i = firstClass; i < row.length; i++) {
            best = row[i] > row[best] ? i : best;
        }
        double score = objectness * row[best];
        if (score > confidence) {
            found.add(new Found(best - firstClass, score, x - w / 2, y - h / 2 - top, x + w / 2, y + h / 2 - top));
        }
    }

    private static List<Found> suppressed(List<Found> found) {
        List<Found> kept = new ArrayList<>();
        found.sort(Comparator.comparingDouble(Found::score).reversed());
        for (Found one : found) {
            if (kept.stream().noneMatch(other -> other.classId() == one.classId() && overlap(other, one) > IOU)) {
                kept.add(one);
            }
        }
        return kept;
    }

    private static double overlap(Found a, Found b) {
        double width = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
        double height = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
        double both = Math.max(0, width) * Math.max(0, height);
        return both / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - both);
    }

    private List<Object> run(float[] input) throws OrtException {
        String name = session.getInputNames().iterator().next();
        List<Object> outputs = new ArrayList<>();
        try (OnnxTensor image = OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), FloatBuffer.wrap(input),
                new long[] {1, 3, height, width}); OrtSession.Result result = session.run(Map.of(name, image))) {
            for (Map.Entry<String, ? extends ai.onnxruntime.OnnxValue> output : result) {
                outputs.add(output.getValue().getValue());
            }
        }
        return outputs;
    }

    @Override
    public void close() throws OrtException {
        session.close();
    }
}
