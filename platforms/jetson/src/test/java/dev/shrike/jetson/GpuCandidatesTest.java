package dev.shrike.jetson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.shrike.ModelException;
import dev.shrike.heads.Candidates;
import dev.shrike.heads.HeadDecoder;
import dev.shrike.heads.NonMaxSuppression;
import dev.shrike.heads.ScoreFilter;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.binding.TensorRt;
import dev.shrike.jetson.engine.Ports;
import dev.shrike.jetson.kernels.GpuCandidates;
import dev.shrike.spi.Binding;
import dev.shrike.spi.CandidateQuery;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The kernel of the GPU, run on the processor, against the decoders of the processor: the same bits. */
class GpuCandidatesTest {
    private static final int PLENTY = 30_000;
    private static final ScoreFilter QUARTER = new ScoreFilter(0.25f, false, null);
    private static final ScoreFilter ALL_LABELS = new ScoreFilter(0.001f, true, null);

    private final HostGpu gpu = new HostGpu();

    /** Forms of outputs, with the boxes that an input of the width and height gives. */
    private enum Form {
        V5(5, 3),
        V8(4, 1),
        V8_TRANSPOSED(4, 1);

        private final int firstClass;
        private final int anchors;

        Form(int firstClass, int anchors) {
            this.firstClass = firstClass;
            this.anchors = anchors;
        }

        int boxes(int width, int height) {
            return anchors * (width / 8 * (height / 8) + width / 16 * (height / 16) + width / 32 * (height / 32));
        }

        List<Integer> dims(int batch, int boxes, int classes) {
            int values = firstClass + classes;
            return this == V8 ? List.of(batch, values, boxes) : List.of(batch, boxes, values);
        }

        int at(int box, int value, int boxes, int classes) {
            return this == V8 ? value * boxes + box : box * (firstClass + classes) + value;
        }
    }

    /** A batch of outputs, on the GPU and for the decoders. */
    private final class Heads implements AutoCloseable {
        private final Form form;
        private final int boxes;
        private final int classes;
        private final Gpu.DeviceMemory memory;
        private final List<HeadDecoder> decoders = new ArrayList<>();

        Heads(Form form, int batch, int width, int height, int classes) {
            this.form = form;
            this.boxes = form.boxes(width, height);
            this.classes = classes;
            TensorRt.Port port = new TensorRt.Port("output", false, form.dims(batch, boxes, classes), 4, true);
            memory = gpu.allocate(port.bytes());
            Binding output = Ports.binding(port, HostGpu.segment(memory));
            String names = String.join(", ", Collections.nCopies(classes, "'x'"));
            for (int i = 0; i < batch; i++) {
                decoders.add(HeadDecoder.of(List.of(output.image(i)), width, height,
                        Map.of("names", "[" + names + "]")));
            }
        }

        void set(int image, int box, int value, float to) {
            long start = (long) image * boxes * (form.firstClass + classes);
            HostGpu.segment(memory).setAtIndex(ValueLayout.JAVA_FLOAT, start + form.at(box, value, boxes, classes), to);
        }

        /** Scores of {@code steps} values from 0 to 1, so that there are ties, or any if that is 0. */
        void fill(int image, Random random, int steps, float share) {
            for (int box = 0; box < boxes; box++) {
                for (int value = 0; value < form.firstClass + classes; value++) {
                    float score = random.nextFloat() > share ? 0
                            : steps == 0 ? random.nextFloat() : random.nextInt(steps + 1) / (float) steps;
                    set(image, box, value, value < 4 ? 100 * random.nextFloat() - 5 : score);
                }
            }
        }

        CandidateQuery query(ScoreFilter filter) {
            return decoders.getFirst().query(filter).orElseThrow();
        }

        @Override
        public void close() {
            memory.close();
        }
    }

    @BeforeEach
    void requireCompiler() {
        assumeTrue(HostKernel.canCompile(), "no g++ here to compile candidates.cu with");
    }

    /**
     * What the kernel finds is what the decoder finds, or it finds nothing where the decoder fails or finds too many.
     * Gives how many candidates there were, -1 where the decoder fails.
     */
    private int compare(Heads heads, ScoreFilter filter, int image, int capacity) {
        Candidates expected = new Candidates();
        boolean sound = true;
        try {
            heads.decoders.get(image).decode(filter, expected);
        } catch (ModelException e) {
            sound = false;
        }
        Candidates found = new Candidates();
        try (Gpu.Stream stream = gpu.stream();
                GpuCandidates candidates = new GpuCandidates(gpu, heads.query(filter), heads.memory,
                        heads.decoders.size(), capacity)) {
            for (int round = 0; round < 2; round++) {
                found.clear();
                candidates.submit(stream, candidates.images());
                stream.synchronize();
                boolean complete = candidates.read(image, found, stream);
                assertEquals(sound && expected.size() <= capacity, complete);
                if (complete) {
                    assertSame(expected, found);
                } else {
                    assertEquals(0, found.size());
                }
            }
        }
        return sound ? expected.size() : -1;
    }

    private static void assertSame(Candidates expected, Candidates found) {
        assertEquals(expected.size(), found.size());
        for (int i = 0; i < expected.size(); i++) {
            assertEquals(text(expected, i), text(found, i));
        }
        for (boolean agnostic : new boolean[] {false, true}) {
            NonMaxSuppression one = new NonMaxSuppression(0.45f, agnostic, 300);
            NonMaxSuppression other = new NonMaxSuppression(0.45f, agnostic, 300);
            int kept = one.run(expected);
            assertEquals(kept, other.run(found));
            for (int rank = 0; rank < kept; rank++) {
                assertEquals(one.kept(rank), other.kept(rank));
            }
        }
    }

    /** All bits. */
    private static String text(Candidates boxes, int i) {
        return boxes.classId(i) + " " + Float.floatToRawIntBits(boxes.score(i)) + " "
                + Float.floatToRawIntBits(boxes.x1(i)) + " " + Float.floatToRawIntBits(boxes.y1(i)) + " "
                + Float.floatToRawIntBits(boxes.x2(i)) + " " + Float.floatToRawIntBits(boxes.y2(i));
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void randomHeadsGiveTheSameBits(Form form) {
        long seed = 11;
        Random random = new Random(seed);
        int[][] inputs = {{32, 32}, {64, 64}, {96, 64}, {160, 160}};
        int[] classCounts = {1, 2, 3, 31, 32, 33, 80};
        int found = 0;
        for (int round = 0; round < 60; round++) {
            int[] input = inputs[round % inputs.length];
            int classes = classCounts[round % classCounts.length];
            int batch = 1 + round % 3;
            BitSet wanted = round % 4 != 3 ? null : new BitSet();
            if (wanted != null) {
                random.ints(1 + classes / 2, 0, classes).forEach(wanted::set);
            }
            float[] thresholds = {0.25f, 0, 0.001f, 0.5f, 0.9f, 1};
            ScoreFilter filter = new ScoreFilter(thresholds[round % thresholds.length], round % 2 == 0, wanted);
            try (Heads heads = new Heads(form, batch, input[0], input[1], classes)) {
                for (int image = 0; image < batch; image++) {
                    heads.fill(image, random, round % 3 == 0 ? 4 : 0, round % 5 == 0 ? 0.1f : 1);
                    found += compare(heads, filter, image, PLENTY);
                }
            }
        }
        assertTrue(found > 10_000, found + " candidates, seed " + seed);
        assertEquals(0, gpu.open());
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void nothingAllAndEqualScores(Form form) {
        try (Heads heads = new Heads(form, 1, 64, 64, 3)) {
            assertEquals(0, compare(heads, QUARTER, 0, PLENTY), "all zero");
            for (int box = 0; box < heads.boxes; box++) {
                for (int value = 0; value < form.firstClass + 3; value++) {
                    heads.set(0, box, value, value < 4 ? box : 1);
                }
            }
            assertEquals(heads.boxes, compare(heads, QUARTER, 0, PLENTY), "every box, for the first of equal classes");
            assertEquals(3 * heads.boxes, compare(heads, ALL_LABELS, 0, PLENTY), "every box and class");
            assertEquals(0, compare(heads, new ScoreFilter(1, true, null), 0, PLENTY), "at the threshold, not above");
            BitSet second = new BitSet();
            second.set(1);
            assertEquals(0, compare(heads, new ScoreFilter(0.25f, false, second), 0, PLENTY),
                    "the best class is not wanted");
            assertEquals(heads.boxes, compare(heads, new ScoreFilter(0.25f, true, second), 0, PLENTY));
        }
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void moreThanFitAreLeftToTheProcessor(Form form) {
        Random random = new Random(5);
        try (Heads heads = new Heads(form, 2, 160, 160, 7)) {
            heads.fill(0, random, 0, 1);
            heads.fill(1, random, 0, 1);
            int all = compare(heads, ALL_LABELS, 1, PLENTY);
            assertTrue(all > 2048, all + " candidates, more than come at once");
            for (int capacity : new int[] {1, 2, 1023, 1024, 1025, all - 1, all, all + 1}) {
                assertEquals(all, compare(heads, ALL_LABELS, 1, capacity));
            }
        }
        assertEquals(0, gpu.open());
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void valuesThatAreNotFiniteAreLeftToTheProcessor(Form form) {
        Random random = new Random(6);
        int broken = 0;
        try (Heads heads = new Heads(form, 1, 32, 32, 3)) {
            for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY,
                    Float.MAX_VALUE, -Float.MAX_VALUE}) {
                for (int value = 0; value < form.firstClass + 3; value++) {
                    for (float rest : new float[] {0, 0.2f, 0.9f, 3}) {
                        int box = random.nextInt(heads.boxes);
                        heads.fill(0, random, 0, 0.5f);
                        for (int i = 4; i < form.firstClass + 3; i++) {
                            heads.set(0, box, i, rest);
                        }
                        heads.set(0, box, value, bad);
                        broken += compare(heads, QUARTER, 0, PLENTY) < 0 ? 1 : 0;
                        compare(heads, ALL_LABELS, 0, PLENTY);
                    }
                }
            }
        }
        assertTrue(broken > 20, broken + " heads that the decoder refuses");
    }

    /** YOLOv5 looks at a box as soon as its objectness is above the threshold, at a score of zero too. */
    @Test
    void objectnessDecidesWhichBoxesAreLookedAt() {
        try (Heads heads = new Heads(Form.V5, 1, 32, 32, 2)) {
            heads.set(0, 7, 4, 0.25f);
            heads.set(0, 7, 6, 3);
            assertEquals(0, compare(heads, QUARTER, 0, PLENTY), "objectness at the threshold, not above");
            heads.set(0, 7, 4, Math.nextUp(0.25f));
            assertEquals(1, compare(heads, QUARTER, 0, PLENTY));
            heads.set(0, 9, 0, Float.NaN);
            assertEquals(1, compare(heads, QUARTER, 0, PLENTY), "a place of a box that nobody looks at");
            heads.set(0, 9, 4, 0.9f);
            assertEquals(-1, compare(heads, QUARTER, 0, PLENTY), "scores are 0, but objectness is not");
        }
        try (Heads heads = new Heads(Form.V8, 1, 32, 32, 2)) {
            heads.set(0, 9, 0, Float.NaN);
            assertEquals(0, compare(heads, QUARTER, 0, PLENTY));
            heads.set(0, 9, 5, 0.9f);
            assertEquals(-1, compare(heads, QUARTER, 0, PLENTY));
        }
    }

    /** A head as large as the real ones; what comes back is a small part of it. */
    @Test
    void realSizes() {
        Random random = new Random(7);
        for (Form form : List.of(Form.V5, Form.V8)) {
            try (Heads heads = new Heads(form, 1, 640, 640, 80)) {
                heads.fill(0, random, 0, 0.002f);
                assertEquals(form == Form.V5 ? 25_200 : 8400, heads.boxes);
                long before = gpu.bytesOut();
                int found = compare(heads, new ScoreFilter(0.4f, false, null), 0, PLENTY);
                assertTrue(found >= 0, "sound");
                assertTrue(gpu.bytesOut() - before < 4L * heads.boxes * 84 / 10);
            }
        }
    }

    @Test
    void anOutputOfAnotherSizeIsRefused() {
        try (Heads heads = new Heads(Form.V5, 2, 32, 32, 1)) {
            CandidateQuery query = heads.query(QUARTER);
            assertThrows(IllegalArgumentException.class, () -> new GpuCandidates(gpu, query, heads.memory, 1, 10));
        }
        assertEquals(0, gpu.open());
    }

    @Test
    void rawHeadsCannotBeAsked() {
        MemorySegment memory = java.lang.foreign.Arena.ofAuto().allocate(4L * 21 * 16);
        List<Binding> raw = new ArrayList<>();
        for (int side : new int[] {4, 2, 1}) {
            raw.add(Ports.binding(new TensorRt.Port("h" + side, false, List.of(1, 21, side, side), 4, true), memory));
        }
        assertFalse(HeadDecoder.of(raw, 32, 32, Map.of()).query(QUARTER).isPresent());
    }
}
