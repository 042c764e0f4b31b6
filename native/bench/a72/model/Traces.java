import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Links blocks that mostly run one after the other, so that a loop is modelled as one, however it was cut. */
final class Traces {
    /** Share of the executed instructions that traces have; the rest is taken to run as quickly. */
    static final double COVERED = 0.995;

    private static final int MOST_INSTRUCTIONS = 2000;

    private Traces() {}

    /**
     * Blocks that run one after the other.
     *
     * @param closed whether the first mostly comes after the last
     */
    record Trace(List<Dump.Block> blocks, boolean closed) {
        /** Instructions of one way through. */
        int length() {
            return blocks.stream().mapToInt(block -> block.code().size()).sum();
        }

        /** Executed instructions. */
        long instructions() {
            return blocks.stream().mapToLong(Dump.Block::instructions).sum();
        }
    }

    /** The traces, from the hottest block on: each follows the likeliest successors until it is back at its start. */
    static List<Trace> of(Dump dump) {
        List<Dump.Block> hottest = dump.blocks().values().stream()
                .sorted(Comparator.comparingLong(Dump.Block::instructions).reversed()
                        .thenComparing(Dump.Block::id))
                .toList();
        Set<Integer> used = new HashSet<>();
        List<Trace> traces = new ArrayList<>();
        double wanted = COVERED * dump.total("instructions");
        long covered = 0;
        for (Dump.Block block : hottest) {
            if (covered >= wanted) {
                break;
            }
            if (used.add(block.id())) {
                Trace trace = from(block, dump, used);
                traces.add(trace);
                covered += trace.instructions();
            }
        }
        return traces;
    }

    private static Trace from(Dump.Block head, Dump dump, Set<Integer> used) {
        List<Dump.Block> blocks = new ArrayList<>(List.of(head));
        int length = head.code().size();
        Dump.Block last = head;
        while (length < MOST_INSTRUCTIONS) {
            Map.Entry<Integer, Long> likeliest = last.next().entrySet().stream()
                    .max(Map.Entry.<Integer, Long>comparingByValue()
                            .thenComparing(Map.Entry.comparingByKey(Comparator.reverseOrder())))
                    .orElse(null);
            if (likeliest == null || likeliest.getValue() < last.count() / 2.0) {
                break;
            }
            Dump.Block next = dump.blocks().get(likeliest.getKey());
            if (next == head) {
                return new Trace(blocks, true);
            }
            double ratio = next.count() / (double) head.count();
            if (ratio < 0.5 || ratio > 2 || !used.add(next.id())) {
                break;
            }
            blocks.add(next);
            length += next.code().size();
            last = next;
        }
        return new Trace(blocks, false);
    }
}
