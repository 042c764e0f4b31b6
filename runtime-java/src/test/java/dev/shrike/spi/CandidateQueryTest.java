package dev.shrike.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.heads.HeadDecoder;
import dev.shrike.heads.ScoreFilter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What executors are asked for, and images of a batch. */
class CandidateQueryTest {
    private static Binding output(List<Integer> dims, List<Integer> strides) {
        return new Binding("output", dims, strides, Arena.ofAuto().allocate(4L * dims.get(1) * dims.get(2)));
    }

    private static CandidateQuery query(Binding output, ScoreFilter filter, String names) {
        return HeadDecoder.of(List.of(output), 64, 64, Map.of("names", names)).query(filter).orElseThrow();
    }

    private static BitSet classes(int... ids) {
        BitSet set = new BitSet();
        for (int id : ids) {
            set.set(id);
        }
        return set;
    }

    @Test
    void decodersSayWhereTheirValuesLie() {
        ScoreFilter filter = new ScoreFilter(0.3f, true, classes(1, 7));
        CandidateQuery v5 = query(output(List.of(1, 252, 7), List.of(1764, 7, 1)), filter, "['a', 'b']");
        assertEquals(new CandidateQuery("output", 252, 2, 7, 1, true, 0.3f, true, classes(1)), v5);
        assertEquals(7, v5.values());
        assertEquals(504, v5.mostCandidates());
        CandidateQuery v8 = query(output(List.of(1, 6, 84), List.of(504, 84, 1)), filter, "['a', 'b']");
        assertEquals(new CandidateQuery("output", 84, 2, 1, 84, false, 0.3f, true, classes(1)), v8);
        assertEquals(6, v8.values());
        CandidateQuery turned = query(output(List.of(1, 84, 5), List.of(420, 5, 1)), filter, "['a']");
        assertEquals(new CandidateQuery("output", 84, 1, 5, 1, false, 0.3f, false, classes()), turned,
                "one class is no choice of labels");
        ScoreFilter all = new ScoreFilter(0.3f, false, null);
        assertEquals(classes(0, 1), query(output(List.of(1, 252, 7), List.of(1764, 7, 1)), all, "['a', 'b']")
                .wanted());
    }

    @Test
    void impossibleQueriesAreRefused() {
        for (int[] bad : new int[][] {{0, 1, 1, 1}, {1, 0, 1, 1}, {1, 1, 0, 1}, {1, 1, 1, 0}}) {
            String message = assertThrows(IllegalArgumentException.class, () -> new CandidateQuery("out", bad[0],
                    bad[1], bad[2], bad[3], true, 0, true, new BitSet())).getMessage();
            assertTrue(message.startsWith("out: "), message);
        }
    }

    @Test
    void aImageOfABatchHasItsOwnMemory() {
        MemorySegment memory = Arena.ofAuto().allocate(4 * 24);
        for (int i = 0; i < 24; i++) {
            memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, i);
        }
        Binding batch = new Binding("x", List.of(2, 3, 4), List.of(12, 4, 1), memory);
        Binding second = batch.image(1);
        assertEquals(List.of(1, 3, 4), second.dims());
        assertEquals(12, second.memory().getAtIndex(ValueLayout.JAVA_FLOAT, 0));
        assertEquals(0, batch.image(0).memory().getAtIndex(ValueLayout.JAVA_FLOAT, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> batch.image(2));
        assertThrows(IndexOutOfBoundsException.class, () -> batch.image(-1));
    }
}
