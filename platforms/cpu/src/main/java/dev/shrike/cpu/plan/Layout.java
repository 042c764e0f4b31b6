package dev.shrike.cpu.plan;

import dev.shrike.cpu.binding.View;
import java.util.List;
import java.util.Map;

/**
 * Where every value of a graph lies, and what must be copied because it cannot lie where it is read.
 *
 * @param views place of each value, by name; constants are not among them
 * @param storages the storages that views name, by id
 * @param copies by index of the node, the copies that stand in for that node or come before it
 * @param inputs by index of the node and of its input, where a copy puts an input that the node cannot read in place
 */
record Layout(
        Map<String, View> views,
        List<Storage> storages,
        Map<Integer, List<Copy>> copies,
        Map<Integer, Map<Integer, View>> inputs) {
    /**
     * A stretch of the arena.
     *
     * @param elements length in elements
     * @param elementBytes 4 for real values, 1 for codes
     * @param first index of the first node that writes it; -1 if it is written before the run
     * @param last index of the last node that reads it; the number of nodes if it is read after the run
     */
    record Storage(long elements, int elementBytes, int first, int last) {
        /** Length in bytes. */
        long bytes() {
            return Math.multiplyExact(elements, (long) elementBytes);
        }
    }

    /**
     * A copy from one place to another of the same dimensions.
     *
     * @param source name of the value copied
     * @param from its place; null for a constant as it is
     * @param to where it goes
     */
    record Copy(String source, View from, View to) {}
}
