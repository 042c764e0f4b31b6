package dev.shrike.jetson;

import dev.shrike.ModelException;
import dev.shrike.heads.Candidates;
import dev.shrike.heads.HeadDecoder;
import dev.shrike.heads.ScoreFilter;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.binding.TensorRt;
import dev.shrike.jetson.engine.Ports;
import dev.shrike.jetson.kernels.GpuCandidates;
import dev.shrike.spi.Binding;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Outputs of random numbers, whose candidates the kernel and the decoders of the processor pick: the same bits. */
final class CandidateComparison {
    private static final int PLENTY = 30_000;
    private static final int IMAGES = 2;
    private static final List<ScoreFilter> FILTERS =
            List.of(new ScoreFilter(0.25f, false, null), new ScoreFilter(0.001f, true, null));

    private final Gpu gpu;
    private int compared;

    CandidateComparison(Gpu gpu) {
        this.gpu = gpu;
    }

    /** Layout of an output: whether there is an objectness, and whether values or boxes are neighbours. */
    private enum Form {
        V5, V8, V8_TRANSPOSED;

        int firstClass() {
            return this == V5 ? 5 : 4;
        }

        int boxes(int width, int height) {
            return (this == V5 ? 3 : 1)
                    * (width / 8 * (height / 8) + width / 16 * (height / 16) + width / 32 * (height / 32));
        }

        TensorRt.Port port(int boxes, int values) {
            return new TensorRt.Port("output", false,
                    this == V8 ? List.of(IMAGES, values, boxes) : List.of(IMAGES, boxes, values), Float.BYTES, true);
        }
    }

    /**
     * Compares all forms.
     *
     * @return how many candidates there were
     * @throws IOException if something differs
     */
    int run() throws IOException {
        Random random = new Random(11);
        for (Form form : Form.values()) {
            for (int classes : new int[] {1, 3, 33, 80}) {
                compare(form, 96, 64, classes, random, 1, false);
                compare(form, 96, 64, classes, random, 0.1f, true);
            }
            compare(form, 640, 640, 80, random, 0.002f, false);
        }
        return compared;
    }

    private void compare(Form form, int width, int height, int classes, Random random, float share, boolean broken)
            throws IOException {
        int boxes = form.boxes(width, height);
        TensorRt.Port port = form.port(boxes, form.firstClass() + classes);
        try (Gpu.HostMemory host = gpu.allocateHost(port.bytes());
                Gpu.DeviceMemory head = gpu.allocate(port.bytes());
                Gpu.Stream stream = gpu.stream()) {
            fill(host.segment(), port.bytes() / Float.BYTES, random, share);
            if (broken) {
                int values = form.firstClass() + classes;
                // A box that counts, with a width that is no number.
                set(host.segment(), form, boxes, values, 3, 2, Float.NaN);
                for (int value = 4; value < values; value++) {
                    set(host.segment(), form, boxes, values, 3, value, 0.9f);
                }
            }
            stream.copyIn(host, head, port.bytes());
            stream.synchronize();
            Binding output = Ports.binding(port, host.segment());
            String names = "[" + String.join(", ", Collections.nCopies(classes, "'x'")) + "]";
            for (ScoreFilter filter : FILTERS) {
                for (int image = 0; image < IMAGES; image++) {
                    HeadDecoder decoder =
                            HeadDecoder.of(List.of(output.image(image)), width, height, Map.of("names", names));
                    compare(form + " of " + classes + " classes, image " + image, decoder, filter, head, image,
                            stream);
                }
            }
        }
    }

    private static void fill(MemorySegment floats, long count, Random random, float share) {
        for (long i = 0; i < count; i++) {
            floats.setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextFloat() > share ? 0 : random.nextFloat());
        }
    }

    private static void set(MemorySegment floats, Form form, int boxes, int values, int box, int value, float to) {
        floats.setAtIndex(ValueLayout.JAVA_FLOAT, form == Form.V8 ? (long) value * boxes + box
                : (long) box * values + value, to);
    }

    private void compare(String what, HeadDecoder decoder, ScoreFilter filter, Gpu.DeviceMemory head, int image,
            Gpu.Stream stream) throws IOException {
        Candidates expected = new Candidates();
        boolean sound = true;
        try {
            decoder.decode(filter, expected);
        } catch (ModelException e) {
            sound = false;
        }
        int all = expected.size();
        for (int capacity : new int[] {PLENTY, Math.max(1, all - 1), Math.max(1, all)}) {
            Candidates found = new Candidates();
            boolean complete;
            try (GpuCandidates candidates =
                    new GpuCandidates(gpu, decoder.query(filter).orElseThrow(), head, IMAGES, capacity)) {
                candidates.submit(stream, IMAGES);
                stream.synchronize();
                complete = candidates.read(image, found, stream);
            }
            if (complete != (sound && all <= capacity)) {
                throw new IOException(what + ", " + all + " candidates, room for " + capacity + ": "
                        + (complete ? "all were handed out" : "none were handed out"));
            }
            if (complete && !text(found).equals(text(expected))) {
                throw new IOException(what + ": the candidates differ from those of the processor");
            }
            compared += found.size();
        }
    }

    /** All bits. */
    private static String text(Candidates boxes) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < boxes.size(); i++) {
            text.append(boxes.classId(i));
            for (float value : new float[] {boxes.score(i), boxes.x1(i), boxes.y1(i), boxes.x2(i), boxes.y2(i)}) {
                text.append(' ').append(Float.floatToRawIntBits(value));
            }
            text.append('\n');
        }
        return text.toString();
    }
}
