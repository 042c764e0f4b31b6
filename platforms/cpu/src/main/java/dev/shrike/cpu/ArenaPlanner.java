package dev.shrike.cpu;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Packs storages into one arena so that those which live at the same time do not overlap: the largest first, each at
 * the lowest free offset (greedy by size, Pisarchyk and Lee, "Efficient Memory Management for Deep Neural Net
 * Inference", 2020).
 */
record ArenaPlanner(long[] offsets, long bytes) {
    private static final long ALIGNMENT = 64;

    static ArenaPlanner pack(List<Layout.Storage> storages) {
        long[] offsets = new long[storages.size()];
        List<Integer> bySize = new ArrayList<>();
        for (int i = 0; i < storages.size(); i++) {
            bySize.add(i);
        }
        bySize.sort(Comparator.comparingLong((Integer i) -> -storages.get(i).bytes()));
        List<Integer> placed = new ArrayList<>();
        long total = 0;
        for (int id : bySize) {
            long size = bytesOf(storages.get(id));
            long offset = 0;
            for (int other : placed) {
                if (!overlapInTime(storages.get(id), storages.get(other))) {
                    continue;
                }
                long otherEnd = offsets[other] + bytesOf(storages.get(other));
                if (offset + size > offsets[other] && offset < otherEnd) {
                    offset = otherEnd;
                }
            }
            offsets[id] = offset;
            placed.add(id);
            placed.sort(Comparator.comparingLong(i -> offsets[i]));
            total = Math.max(total, offset + size);
        }
        return new ArenaPlanner(offsets, Math.max(total, ALIGNMENT));
    }

    private static long bytesOf(Layout.Storage storage) {
        return Math.max(ALIGNMENT, Math.ceilDiv(storage.bytes(), ALIGNMENT) * ALIGNMENT);
    }

    private static boolean overlapInTime(Layout.Storage a, Layout.Storage b) {
        return a.first() <= b.last() && b.first() <= a.last();
    }
}
