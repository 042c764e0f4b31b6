package dev.shrike.cpu.plan;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Packs storages into one arena so that those which live at the same time do not overlap. Either way no storage moves
 * while it lives.
 *
 * <ul>
 *   <li>A network's: the largest first, each at the lowest free offset (greedy by size, Pisarchyk and Lee, "Efficient
 *       Memory Management for Deep Neural Net Inference", 2020). Each is compared with all that are placed, which
 *       takes quadratic time.
 *   <li>More than {@link #MOST_COMPARED}: in the order in which they are written, each in the smallest gap that holds
 *       it (linear scan with best fit, in n log n).
 * </ul>
 */
record ArenaPlanner(long[] offsets, long bytes) {
    private static final long ALIGNMENT = 64;
    /** Real networks have hundreds of storages. */
    static final int MOST_COMPARED = 2048;

    static ArenaPlanner pack(List<Layout.Storage> storages) {
        return storages.size() <= MOST_COMPARED ? bySize(storages) : byTime(storages);
    }

    private static ArenaPlanner bySize(List<Layout.Storage> storages) {
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

    /** As {@link #pack}, whatever their number, in the order of time. */
    static ArenaPlanner byTime(List<Layout.Storage> storages) {
        long[] offsets = new long[storages.size()];
        List<Integer> byFirst = new ArrayList<>();
        for (int i = 0; i < storages.size(); i++) {
            byFirst.add(i);
        }
        byFirst.sort(Comparator.comparingInt((Integer i) -> storages.get(i).first()));
        PriorityQueue<Integer> living =
                new PriorityQueue<>(
                        Comparator.comparingInt((Integer i) -> storages.get(i).last()).thenComparing(i -> i));
        Gaps gaps = new Gaps();
        for (int id : byFirst) {
            while (!living.isEmpty() && storages.get(living.peek()).last() < storages.get(id).first()) {
                int dead = living.remove();
                gaps.free(offsets[dead], bytesOf(storages.get(dead)));
            }
            offsets[id] = gaps.take(bytesOf(storages.get(id)));
            living.add(id);
        }
        return new ArenaPlanner(offsets, Math.max(gaps.end, ALIGNMENT));
    }

    /** The free stretches below the end of the arena, which grows where none is large enough. */
    private static final class Gaps {
        private record Gap(long size, long offset) {}

        private final TreeMap<Long, Long> sizes = new TreeMap<>();
        private final TreeSet<Gap> bySize =
                new TreeSet<>(Comparator.comparingLong(Gap::size).thenComparingLong(Gap::offset));
        private long end;

        long take(long size) {
            Gap gap = bySize.ceiling(new Gap(size, 0));
            if (gap == null) {
                long offset = end;
                end = Math.addExact(end, size);
                return offset;
            }
            remove(gap.offset(), gap.size());
            if (gap.size() > size) {
                add(gap.offset() + size, gap.size() - size);
            }
            return gap.offset();
        }

        void free(long offset, long size) {
            long from = offset;
            long to = offset + size;
            Long before = sizes.lowerKey(offset);
            if (before != null && before + sizes.get(before) == offset) {
                from = before;
                remove(before, sizes.get(before));
            }
            Long behind = sizes.get(to);
            if (behind != null) {
                remove(to, behind);
                to += behind;
            }
            add(from, to - from);
        }

        private void add(long offset, long size) {
            sizes.put(offset, size);
            bySize.add(new Gap(size, offset));
        }

        private void remove(long offset, long size) {
            sizes.remove(offset);
            bySize.remove(new Gap(size, offset));
        }
    }

    private static long bytesOf(Layout.Storage storage) {
        return Math.max(ALIGNMENT, Math.ceilDiv(storage.bytes(), ALIGNMENT) * ALIGNMENT);
    }

    private static boolean overlapInTime(Layout.Storage a, Layout.Storage b) {
        return a.first() <= b.last() && b.first() <= a.last();
    }
}
