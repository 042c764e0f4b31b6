package dev.shrike.golden;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.golden.Golden.Box;
import dev.shrike.golden.Golden.Boxes;
import dev.shrike.heads.Candidates;
import dev.shrike.heads.HeadDecoder;
import dev.shrike.heads.NonMaxSuppression;
import dev.shrike.heads.ScoreFilter;
import dev.shrike.spi.Binding;
import dev.shrike.vision.Letterbox;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;

/** Letterbox and heads against values that something else has computed ({@link Golden}). */
class GoldenTest {
    private static final int SIDE = 64;

    private final Arena arena = Arena.ofAuto();

    /** The bytes where no pixel is scaled; within a level of float64's interpolation otherwise. */
    @Test
    void letterboxesOfGeneratedImages() {
        List<String> lines = Golden.lines("letterbox.txt");
        assertEquals(7, lines.size());
        for (String line : lines) {
            String[] words = line.split(" ");
            float[] input = letterbox(Integer.parseInt(words[0]), Integer.parseInt(words[1]));
            byte[] levels = new byte[input.length];
            double sum = 0;
            for (int i = 0; i < input.length; i++) {
                assertEquals(Math.rint(input[i] * 255), input[i] * 255, 1e-3, line + " at " + i);
                levels[i] = (byte) (int) Math.rint(input[i] * 255);
                sum += input[i] * 255;
            }
            if (!words[2].equals("-")) {
                assertEquals(words[2], hash(levels), line);
            }
            // Rounding to levels may go one way throughout, as where every pixel lies half-way between two.
            assertEquals(Double.parseDouble(words[3]), sum / input.length, 0.5, line);
            int at = 4;
            for (int channel = 0; channel < 3; channel++) {
                for (int y = 2; y < SIDE; y += 12) {
                    for (int x = 3; x < SIDE; x += 12, at++) {
                        assertEquals(Double.parseDouble(words[at]),
                                input[(channel * SIDE + y) * SIDE + x] * 255, 1.01, line + " at " + x + ", " + y);
                    }
                }
            }
            assertEquals(words.length, at);
        }
    }

    private float[] letterbox(int width, int height) {
        MemorySegment memory = arena.allocate(4L * 3 * SIDE * SIDE, 64);
        try (Letterbox letterbox = new Letterbox(new Binding("images", List.of(1, 3, SIDE, SIDE),
                List.of(3 * SIDE * SIDE, SIDE * SIDE, SIDE, 1), memory))) {
            letterbox.apply(Golden.smooth(width, height));
        }
        return memory.toArray(ValueLayout.JAVA_FLOAT);
    }

    private static String hash(byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void boxesOfYolov5Heads() {
        assertBoxes("yolov5-heads.txt", heads(5, 21, channel -> channel % 7 == 4 ? 5.6 : 3));
    }

    @Test
    void boxesOfYolov8Heads() {
        assertBoxes("yolov8-heads.txt", heads(10, 66, channel -> channel < 64 ? 3 : 6));
    }

    /** Heads of strides 8, 16 and 32 with six times what the generator gives, less the offset of a channel. */
    private List<Binding> heads(int seed, int channels, IntToDoubleFunction offset) {
        Golden.Generator generator = new Golden.Generator(seed);
        List<Binding> heads = new ArrayList<>();
        for (int side = 8; side >= 2; side /= 2) {
            int area = side * side;
            MemorySegment memory = arena.allocate(4L * channels * area, 64);
            for (int i = 0; i < channels * area; i++) {
                memory.setAtIndex(ValueLayout.JAVA_FLOAT, i,
                        (float) (6 * generator.next() - offset.applyAsDouble(i / area)));
            }
            heads.add(new Binding("head" + side, List.of(1, channels, side, side),
                    List.of(channels * area, area, side, 1), memory));
        }
        return heads;
    }

    private static void assertBoxes(String name, List<Binding> heads) {
        Boxes expected = Golden.boxes(name);
        Candidates found = new Candidates();
        HeadDecoder.of(heads, SIDE, SIDE, Map.of("names", "['a', 'b']")).decode(new ScoreFilter(0.25f, false, null),
                found);
        assertEquals(expected.candidates(), found.size());
        NonMaxSuppression suppression = new NonMaxSuppression(0.45f, false, 300);
        assertEquals(expected.kept().size(), suppression.run(found));
        for (int i = 0; i < expected.kept().size(); i++) {
            int at = suppression.kept(i);
            Box box = new Box(found.classId(at), found.score(at), found.x1(at), found.y1(at), found.x2(at),
                    found.y2(at));
            assertTrue(box.distance(expected.kept().get(i)) < 2e-3, box + " is not " + expected.kept().get(i));
        }
    }
}
