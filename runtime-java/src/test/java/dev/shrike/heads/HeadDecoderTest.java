package dev.shrike.heads;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.DetectorOptions;
import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.spi.Binding;
import dev.shrike.testing.SharedFolder;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class HeadDecoderTest {
    private static final ScoreFilter QUARTER = new ScoreFilter(0.25f, false, null);
    private static final ScoreFilter ALL = new ScoreFilter(0.001f, true, null);

    private final Arena arena = Arena.ofAuto();

    @Test
    void choosesByShape() {
        assertInstanceOf(Yolov5Output.class, choose(640, Map.of(), List.of(1, 25200, 85)));
        assertInstanceOf(Yolov5Output.class, choose(320, Map.of(), List.of(1, 6300, 11)));
        assertInstanceOf(Yolov5Output.class, choose(32, Map.of(), List.of(1, 63, 85)));
        assertInstanceOf(Yolov8Output.class, choose(640, Map.of(), List.of(1, 84, 8400)));
        assertInstanceOf(Yolov8Output.class, choose(32, Map.of(), List.of(1, 84, 21)));
        assertInstanceOf(Yolov8Output.class, choose(640, Map.of(), List.of(1, 8400, 84)));
        assertInstanceOf(Yolov5Heads.class, choose(640, Map.of(), List.of(1, 255, 20, 20), List.of(1, 255, 80, 80),
                List.of(1, 255, 40, 40)));
        assertInstanceOf(Yolov5Heads.class, choose(640, Map.of(), List.of(1, 3, 80, 80, 85), List.of(1, 3, 40, 40, 85),
                List.of(1, 3, 20, 20, 85)));
        HeadDecoder both = choose(640, Map.of(), List.of(1, 3, 80, 80, 85), List.of(1, 25200, 85));
        assertInstanceOf(Yolov5Output.class, both, "the joined output before the raw heads");
        assertEquals(80, both.classes());
        assertEquals(2, choose(64, Map.of("names", "['a', 'b']"), List.of(1, 252, 7)).classes());
    }

    @Test
    void refusesOtherNetworks() {
        assertUnsupported("output0 [1, 1000]", Map.of(), List.of(1, 1000));
        assertUnsupported("output0 [1, 4, 4]", Map.of(), List.of(1, 4, 4));
        assertUnsupported("output0 [2, 25200, 85]", Map.of(), List.of(2, 25200, 85));
        assertUnsupported("output0 [1, 25200, 85] and 2 class names", Map.of("names", "['a', 'b']"),
                List.of(1, 25200, 85));
        assertUnsupported("task 'obb'", Map.of("task", "obb"), List.of(1, 84, 8400));
        assertUnsupported("[1, 255, 80, 80], output1 [1, 24, 40, 40]", Map.of(), List.of(1, 255, 80, 80),
                List.of(1, 24, 40, 40));
        assertUnsupported("2 raw heads need anchors, since their strides [8, 16] are not those of YOLOv5's models: give"
                + " the option --anchors, or the metadata entry 'anchors'", Map.of(), List.of(1, 255, 80, 80),
                List.of(1, 255, 40, 40));
        assertUnsupported("3 raw heads need anchors, since their strides [4, 8, 16]", Map.of(),
                List.of(1, 255, 160, 160), List.of(1, 255, 80, 80), List.of(1, 255, 40, 40));
        assertUnsupported("output3 [1, 32, 160, 160]", Map.of(), List.of(1, 351, 80, 80), List.of(1, 351, 40, 40),
                List.of(1, 351, 20, 20), List.of(1, 32, 160, 160));
        assertUnsupported("output3 [1, 255, 40, 40]", Map.of(), List.of(1, 255, 80, 80), List.of(1, 255, 40, 40),
                List.of(1, 255, 20, 20), List.of(1, 255, 40, 40));
    }

    @Test
    void readsAnchorsFromTheMetadata() {
        Map<String, String> anchors = Map.of("anchors", "[[1,2, 3,4, 5,6], [7,8, 9,10, 11,12.5]]");
        assertInstanceOf(Yolov5Heads.class, choose(640, anchors, List.of(1, 255, 80, 80), List.of(1, 255, 40, 40)));
        assertInstanceOf(Yolov5Heads.class, choose(640, Map.of("anchors", "None"), List.of(1, 255, 80, 80),
                List.of(1, 255, 40, 40), List.of(1, 255, 20, 20)));
        for (String bad : List.of("[]", "[1,2]", "[1,2,3,4,5,6,7,8,9,10,11,0]", "[1,2,3,4,5,6,7,8,9,10,11,12,13]")) {
            assertThrows(ModelException.class, () -> choose(640, Map.of("anchors", bad), List.of(1, 255, 80, 80),
                    List.of(1, 255, 40, 40)), bad);
        }
    }

    @Test
    void yolov5MultipliesObjectnessAndAsksForItFirst() {
        Binding output = binding("output", List.of(1, 252, 7), null);
        put(output, 3, 10, 20, 4, 6, 0.5f, 0.6f, 0.8f);
        put(output, 4, 10, 20, 4, 6, 0.26f, 0.9f, 0.1f); // objectness passes, the product does not
        put(output, 5, 10, 20, 4, 6, 0.25f, 1, 1); // objectness at the threshold
        put(output, 6, 1, 2, 3, 4, 1, 0.7f, 0.7f); // the first of equals
        HeadDecoder decoder = HeadDecoder.of(List.of(output), 64, 64, Map.of());
        assertEquals(List.of("8.0 17.0 12.0 23.0 0.4 1", "-0.5 0.0 2.5 4.0 0.7 0"), decode(decoder, QUARTER));
        ScoreFilter multi = new ScoreFilter(0.25f, true, null);
        assertEquals(List.of("8.0 17.0 12.0 23.0 0.3 0", "8.0 17.0 12.0 23.0 0.4 1", "-0.5 0.0 2.5 4.0 0.7 0",
                "-0.5 0.0 2.5 4.0 0.7 1"), decode(decoder, multi));
        ScoreFilter onlyFirst = ScoreFilter.of(DetectorOptions.DEFAULT.withClasses(Set.of(0)));
        assertEquals(List.of("-0.5 0.0 2.5 4.0 0.7 0"), decode(decoder, onlyFirst),
                "a box whose best class is another does not count");
    }

    @Test
    void yolov8ScoresAreTheClassScores() {
        for (boolean transposed : new boolean[] {false, true}) {
            Binding output = binding("output", transposed ? List.of(1, 84, 6) : List.of(1, 6, 84), null);
            List<Float> values = List.of(10f, 20f, 4f, 6f, 0.6f, 0.5f);
            for (int i = 0; i < 6; i++) {
                output.memory().setAtIndex(ValueLayout.JAVA_FLOAT, transposed ? 9 * 6 + i : i * 84 + 9, values.get(i));
            }
            HeadDecoder decoder = HeadDecoder.of(List.of(output), 64, 64, Map.of("names", "['a', 'b']"));
            assertEquals(List.of("8.0 17.0 12.0 23.0 0.6 0"), decode(decoder, QUARTER));
            assertEquals(List.of("8.0 17.0 12.0 23.0 0.6 0", "8.0 17.0 12.0 23.0 0.5 1"), decode(decoder, ALL));
        }
    }

    @Test
    void stridesDoNotMatter() {
        long seed = 31;
        Random random = new Random(seed);
        for (List<Integer> dims : List.of(List.of(1, 252, 9), List.of(1, 9, 84))) {
            Binding plain = binding("output", dims, null);
            Binding turned = binding("output", dims, List.of(1, 5, dims.get(1) * 5 + 3));
            for (int i = 0; i < dims.get(1); i++) {
                for (int j = 0; j < dims.get(2); j++) {
                    float value = random.nextFloat();
                    plain.memory().setAtIndex(ValueLayout.JAVA_FLOAT, (long) i * dims.get(2) + j, value);
                    turned.memory().setAtIndex(ValueLayout.JAVA_FLOAT, 5L * i + (dims.get(1) * 5L + 3) * j, value);
                }
            }
            List<String> expected = decode(HeadDecoder.of(List.of(plain), 64, 64, Map.of()), ALL);
            assertTrue(expected.size() > 50);
            assertEquals(expected, decode(HeadDecoder.of(List.of(turned), 64, 64, Map.of()), ALL), "seed " + seed);
        }
    }

    /** The exported output and the raw heads are two forms of the same boxes. */
    @Test
    void rawHeadsEqualTheExportedOutput() {
        long seed = 41;
        Random random = new Random(seed);
        float[][] anchors = {{10, 13, 16, 30, 33, 23}, {30, 61, 62, 45, 59, 119}, {116, 90, 156, 198, 373, 326}};
        Binding joined = binding("output", List.of(1, 252, 7), null);
        List<Binding> flat = new ArrayList<>();
        List<Binding> split = new ArrayList<>();
        int box = 0;
        for (int h = 0; h < 3; h++) {
            int stride = 8 << h;
            int side = 64 / stride;
            Binding flatHead = binding("flat" + h, List.of(1, 21, side, side), null);
            Binding splitHead = binding("split" + h, List.of(1, 3, side, side, 7), null);
            for (int place = 0; place < 3 * side * side; place++, box++) {
                int a = place / (side * side);
                int y = place / side % side;
                int x = place % side;
                double[] s = new double[7];
                for (int i = 0; i < 7; i++) {
                    float raw = (float) (random.nextGaussian() * 3);
                    s[i] = 1 / (1 + Math.exp(-raw));
                    splitHead.memory().setAtIndex(ValueLayout.JAVA_FLOAT, place * 7L + i, raw);
                    flatHead.memory().setAtIndex(ValueLayout.JAVA_FLOAT, ((a * 7L + i) * side + y) * side + x, raw);
                }
                put(joined, box, (float) ((2 * s[0] - 0.5 + x) * stride), (float) ((2 * s[1] - 0.5 + y) * stride),
                        (float) (4 * s[2] * s[2] * anchors[h][2 * a]),
                        (float) (4 * s[3] * s[3] * anchors[h][2 * a + 1]), (float) s[4], (float) s[5], (float) s[6]);
            }
            flat.add(flatHead);
            split.add(splitHead);
        }
        Candidates expected = candidates(HeadDecoder.of(List.of(joined), 64, 64, Map.of()), QUARTER);
        assertTrue(expected.size() > 20);
        for (List<Binding> heads : List.of(flat.reversed(), split)) {
            Candidates actual = candidates(HeadDecoder.of(heads, 64, 64, Map.of()), QUARTER);
            assertEquals(expected.size(), actual.size(), "seed " + seed);
            for (int i = 0; i < expected.size(); i++) {
                assertEquals(expected.classId(i), actual.classId(i));
                assertEquals(expected.score(i), actual.score(i), 1e-6);
                assertEquals(expected.x1(i), actual.x1(i), 1e-3);
                assertEquals(expected.y1(i), actual.y1(i), 1e-3);
                assertEquals(expected.x2(i), actual.x2(i), 1e-3);
                assertEquals(expected.y2(i), actual.y2(i), 1e-3);
            }
        }
    }

    @Test
    void refusesValuesThatAreNotFinite() {
        List<List<List<Integer>>> networks = List.of(List.of(List.of(1, 252, 7)), List.of(List.of(1, 6, 84)),
                List.of(List.of(1, 21, 8, 8), List.of(1, 21, 4, 4), List.of(1, 21, 2, 2)));
        for (List<List<Integer>> shapes : networks) {
            for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
                List<Binding> outputs = bindings(shapes);
                for (int i = 0; i < outputs.getLast().elements(); i++) {
                    outputs.getLast().memory().setAtIndex(ValueLayout.JAVA_FLOAT, i, bad);
                }
                HeadDecoder decoder = HeadDecoder.of(outputs, 64, 64, Map.of());
                var error = assertThrows(ModelException.class, () -> decode(decoder, QUARTER), shapes + " " + bad);
                assertTrue(error.getMessage().contains("NaN or infinity"), error.getMessage());
            }
        }
        Binding one = binding("output", List.of(1, 252, 7), null);
        put(one, 7, 1, Float.NaN, 3, 4, 0.9f, 0.9f, 0.1f);
        HeadDecoder decoder = HeadDecoder.of(List.of(one), 64, 64, Map.of());
        assertThrows(ModelException.class, () -> decode(decoder, QUARTER));
    }

    @Test
    void refusesMemoryTooSmallForItsShape() {
        Binding small = new Binding("output", List.of(1, 252, 7), List.of(1764, 7, 1), arena.allocate(7000, 4));
        assertThrows(IllegalArgumentException.class, () -> HeadDecoder.of(List.of(small), 64, 64, Map.of()));
    }

    @Test
    void findsTheReferenceCandidatesOfTheBus() throws IOException {
        float[] raw = SharedFolder.floats("reference/yolov5n-640-bus-raw.f32.gz");
        MemorySegment memory = SharedFolder.nativeFloats(arena, raw);
        Binding output = new Binding("output", List.of(1, 25200, 85), List.of(raw.length, 85, 1), memory);
        Candidates found = candidates(HeadDecoder.of(List.of(output), 640, 640, Map.of()), QUARTER);
        assertEquals(4, new NonMaxSuppression(0.45f, false, 1000).run(found));
        for (int i = 0; i < found.size(); i++) {
            assertTrue(found.score(i) > 0.25f && (found.classId(i) == 0 || found.classId(i) == 5));
        }
    }

    private HeadDecoder choose(int side, Map<String, String> metadata, List<?>... shapes) {
        List<List<Integer>> dims = new ArrayList<>();
        for (List<?> shape : shapes) {
            dims.add(shape.stream().map(d -> (Integer) d).toList());
        }
        return HeadDecoder.of(bindings(dims), side, side, metadata);
    }

    private void assertUnsupported(String part, Map<String, String> metadata, List<?>... shapes) {
        String message = assertThrows(UnsupportedModelException.class, () -> choose(640, metadata, shapes))
                .getMessage();
        assertTrue(message.contains(part), message);
    }

    private List<Binding> bindings(List<List<Integer>> shapes) {
        List<Binding> bindings = new ArrayList<>();
        for (List<Integer> shape : shapes) {
            bindings.add(binding("output" + bindings.size(), shape, null));
        }
        return bindings;
    }

    private Binding binding(String name, List<Integer> dims, List<Integer> strides) {
        List<Integer> steps = new ArrayList<>();
        int step = 1;
        for (int dim : dims.reversed()) {
            steps.addFirst(step);
            step *= dim;
        }
        return new Binding(name, dims, strides == null ? steps : strides, arena.allocate(24L * step + 4096, 64));
    }

    private static void put(Binding output, int row, float... values) {
        for (int i = 0; i < values.length; i++) {
            output.memory().setAtIndex(ValueLayout.JAVA_FLOAT, (long) row * values.length + i, values[i]);
        }
    }

    private static Candidates candidates(HeadDecoder decoder, ScoreFilter filter) {
        Candidates candidates = new Candidates();
        decoder.decode(filter, candidates);
        return candidates;
    }

    private static List<String> decode(HeadDecoder decoder, ScoreFilter filter) {
        Candidates found = candidates(decoder, filter);
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < found.size(); i++) {
            lines.add(found.x1(i) + " " + found.y1(i) + " " + found.x2(i) + " " + found.y2(i) + " " + found.score(i)
                    + " " + found.classId(i));
        }
        return lines;
    }
}
