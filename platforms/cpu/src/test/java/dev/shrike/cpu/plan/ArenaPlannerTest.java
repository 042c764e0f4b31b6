package dev.shrike.cpu.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ArenaPlannerTest {
    @Test
    void storagesThatDoNotMeetShareMemory() {
        ArenaPlanner plan = ArenaPlanner.pack(List.of(
                new Layout.Storage(1000, 4, 0, 1), new Layout.Storage(4000, 1, 2, 3), new Layout.Storage(16, 4, 0, 3)));
        assertEquals(plan.offsets()[0], plan.offsets()[1]);
        assertEquals(4032 + 64, plan.bytes());
    }

    @Test
    void manyStoragesArePackedInTheOrderOfTime() {
        List<Layout.Storage> chain = new ArrayList<>();
        for (int i = 0; i < 200_000; i++) {
            chain.add(new Layout.Storage(1000 + i % 7 * 16, 4, i, i + 1));
        }
        ArenaPlanner plan = assertTimeoutPreemptively(Duration.ofSeconds(60), () -> ArenaPlanner.pack(chain));
        // Two live at a time; sizes that differ leave gaps between them.
        assertTrue(plan.bytes() < 6 * 4608, plan.bytes() + " bytes");
        for (int i = 1; i < chain.size(); i++) {
            long before = plan.offsets()[i - 1];
            long here = plan.offsets()[i];
            assertTrue(here + chain.get(i).bytes() <= before || before + chain.get(i - 1).bytes() <= here);
        }
    }

    @Test
    void livingStoragesNeverOverlap() {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            List<Layout.Storage> storages = new ArrayList<>();
            for (int i = 0; i < 30; i++) {
                int first = random.nextInt(50) - 1;
                storages.add(new Layout.Storage(
                        1 + random.nextInt(500), random.nextBoolean() ? 1 : 4, first, first + random.nextInt(10)));
            }
            ArenaPlanner plan = round % 2 == 0 ? ArenaPlanner.pack(storages) : ArenaPlanner.byTime(storages);
            for (int a = 0; a < storages.size(); a++) {
                long endA = plan.offsets()[a] + storages.get(a).bytes();
                assertEquals(0, plan.offsets()[a] % 64);
                assertTrue(endA <= plan.bytes());
                for (int b = 0; b < a; b++) {
                    boolean together = storages.get(a).first() <= storages.get(b).last()
                            && storages.get(b).first() <= storages.get(a).last();
                    long endB = plan.offsets()[b] + storages.get(b).bytes();
                    boolean apart = endA <= plan.offsets()[b] || endB <= plan.offsets()[a];
                    assertTrue(!together || apart, "seed " + seed + ": " + a + " and " + b);
                }
            }
        }
    }
}
