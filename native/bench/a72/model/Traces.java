import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Links blocks that mostly run one after the other, so that a loop is modelled as one, however it was cut. Loops that
 * end after a few times round are modelled together with what stands around them, as often as they go round there:
 * between two such loops the core has time to end what the first one waits for.
 */
final class Traces {
    /** Share of the executed instructions that traces have; the rest is taken to run as quickly. */
    static final double COVERED = 0.995;

    /** Of what is longer each time its beginning and its end hardly count. */
    private static final int MOST_INSTRUCTIONS = 2000;
    /** So long that numbers of rounds, which are no whole ones, come out on average. */
    private static final int LONGEST_PATH = 4000;
    private static final int MOST_PASSES = 16;
    /** How likely the program must be to go on from the first part of a region to its end. */
    private static final double LIKELY = 0.25;
    private static final Comparator<Region> HOTTEST = Comparator.comparingLong(Region::instructions).reversed()
            .thenComparing(region -> region.first().id());

    private final Map<Integer, Region> byFirst = new HashMap<>();

    private Traces(Dump dump) {
        dump.blocks().values().stream().filter(block -> block.count() > 0)
                .forEach(block -> byFirst.put(block.id(), Region.of(block)));
    }

    /**
     * Blocks that run one after the other.
     *
     * @param blocks the blocks, each once
     * @param path the blocks as they run, those of loops several times
     */
    record Trace(List<Dump.Block> blocks, List<Dump.Block> path) {
        /** Instructions of its path. */
        int length() {
            return path.stream().mapToInt(block -> block.code().size()).sum();
        }

        /** Executed instructions. */
        long instructions() {
            return blocks.stream().mapToLong(Dump.Block::instructions).sum();
        }
    }

    /** The traces, from the hottest on. */
    static List<Trace> of(Dump dump) {
        Traces linked = new Traces(dump);
        while (linked.link(true)) {
            // Loops of loops.
        }
        linked.link(false);
        List<Trace> traces = new ArrayList<>();
        double wanted = COVERED * dump.total("instructions");
        long covered = 0;
        for (Region region : linked.byFirst.values().stream().sorted(HOTTEST).toList()) {
            if (covered >= wanted) {
                break;
            }
            traces.add(new Trace(region.blocks(), path(region)));
            covered += region.instructions();
        }
        return traces;
    }

    /** Makes regions of others, either only loops or only such as are none; whether there were any. */
    private boolean link(boolean loops) {
        boolean linked = false;
        for (Region head : byFirst.values().stream().sorted(HOTTEST).toList()) {
            if (byFirst.get(head.first().id()) != head) {
                continue;
            }
            List<Region> parts = new ArrayList<>(List.of(head));
            boolean loop = follow(parts);
            if (loop == loops && (loop || parts.size() > 1)) {
                parts.forEach(part -> byFirst.remove(part.first().id()));
                Region region = Region.of(loop ? fromItsEntry(parts) : parts, loop);
                byFirst.put(region.first().id(), region);
                linked = true;
            }
        }
        return linked;
    }

    /** Adds what mostly comes next, and says whether that is in the end the first part again. */
    private boolean follow(List<Region> parts) {
        Region head = parts.getFirst();
        double length = head.instructionsPerEntry();
        Set<Region> seen = new HashSet<>(parts);
        double likely = 1;
        while (length < MOST_INSTRUCTIONS) {
            Region last = parts.getLast();
            Region next = likeliest(last);
            if (next == null) {
                return false;
            }
            likely *= times(last, next) / (double) last.entries();
            if (next == head) {
                return parts.size() == 1 || likely >= LIKELY;
            }
            if (likely < LIKELY || !mostlyAfter(last, next) || !seen.add(next)) {
                return false;
            }
            length += next.instructionsPerEntry();
            if (length >= MOST_INSTRUCTIONS) {
                return false;
            }
            parts.add(next);
        }
        return false;
    }

    /** A function with many callers belongs to none of them. */
    private static boolean mostlyAfter(Region before, Region region) {
        return times(before, region) >= region.entries() / 2.0;
    }

    private static long times(Region before, Region region) {
        return before.next().getOrDefault(region.first().id(), 0L);
    }

    private Region likeliest(Region region) {
        return region.next().entrySet().stream().max(Map.Entry.<Integer, Long>comparingByValue()
                .thenComparing(Map.Entry.comparingByKey(Comparator.reverseOrder())))
                .filter(entry -> entry.getValue() >= region.entries() / 2.0)
                .map(entry -> byFirst.get(entry.getKey())).orElse(null);
    }

    /** The parts of a loop from that one on to which the program mostly comes from outside. */
    private static List<Region> fromItsEntry(List<Region> parts) {
        int entry = 0;
        long most = -1;
        for (int i = 0; i < parts.size(); i++) {
            Region before = parts.get((i + parts.size() - 1) % parts.size());
            long outside = parts.get(i).entries() - before.next().getOrDefault(parts.get(i).first().id(), 0L);
            if (outside > most) {
                most = outside;
                entry = i;
            }
        }
        List<Region> turned = new ArrayList<>(parts.subList(entry, parts.size()));
        turned.addAll(parts.subList(0, entry));
        return turned;
    }

    /** Passes through a region until all numbers of rounds in it come out, or until it is long. */
    private static List<Dump.Block> path(Region region) {
        List<Dump.Block> path = new ArrayList<>();
        Map<Region, Double> due = new IdentityHashMap<>();
        int passes = 0;
        int length = 0;
        do {
            int from = path.size();
            pass(region, due, path);
            length += length(path.subList(from, path.size()));
            passes++;
        } while (passes < MOST_PASSES && length < LONGEST_PATH && !whole(due.values()));
        return path;
    }

    private static void pass(Region region, Map<Region, Double> due, List<Dump.Block> path) {
        if (region.isBlock()) {
            path.add(region.block());
            return;
        }
        for (Region part : region.parts()) {
            // Half a round is owed at first, so that sums are rounded, not cut off.
            double rounds = due.getOrDefault(part, 0.5) + part.passes() / (double) region.passes();
            for (; rounds >= 1; rounds--) {
                pass(part, due, path);
            }
            due.put(part, rounds);
        }
    }

    private static boolean whole(Collection<Double> due) {
        return due.stream().allMatch(rounds -> Math.abs(rounds - 0.5) < 0.02);
    }

    private static int length(List<Dump.Block> blocks) {
        return blocks.stream().mapToInt(block -> block.code().size()).sum();
    }
}
