import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Blocks that run one after the other, with the loops among them: the nodes of a program's nest of loops.
 *
 * @param block the block, if it is a single one; null otherwise
 * @param parts what each pass goes through, in this order; a part may run several times a pass, or not in each one
 * @param passes how often it ran
 * @param entries how often it was come to from elsewhere: of a loop fewer times than it ran
 * @param next how often which block came after it; none of its own blocks
 */
record Region(Dump.Block block, List<Region> parts, long passes, long entries, Map<Integer, Long> next) {
    /** A single block. */
    static Region of(Dump.Block block) {
        return new Region(block, List.of(), block.count(), block.count(), block.next());
    }

    /** Parts that come one after the other, and if {@code loop}, the first of them after the last. */
    static Region of(List<Region> parts, boolean loop) {
        long passes = parts.getFirst().entries();
        long back = loop ? parts.getLast().next().getOrDefault(parts.getFirst().first().id(), 0L) : 0;
        Set<Integer> own = new HashSet<>();
        parts.forEach(part -> part.blocks().forEach(block -> own.add(block.id())));
        Map<Integer, Long> next = new HashMap<>();
        for (Region part : parts) {
            part.next().forEach((id, times) -> {
                if (!own.contains(id)) {
                    next.merge(id, times, Long::sum);
                }
            });
        }
        return new Region(null, List.copyOf(parts), passes, Math.max(1, passes - back), next);
    }

    boolean isBlock() {
        return block != null;
    }

    /** The block that it begins with. */
    Dump.Block first() {
        return isBlock() ? block : parts.getFirst().first();
    }

    /** All blocks in it, each once. */
    List<Dump.Block> blocks() {
        return isBlock() ? List.of(block) : parts.stream().flatMap(part -> part.blocks().stream()).toList();
    }

    /** Executed instructions. */
    long instructions() {
        return blocks().stream().mapToLong(Dump.Block::instructions).sum();
    }

    /** Instructions from coming to it until it is left. */
    double instructionsPerEntry() {
        return instructions() / (double) entries;
    }
}
