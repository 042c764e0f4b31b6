package dev.shrike.calibration.quantize;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Links;
import dev.shrike.graph.Node;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * How wide the codes of values are.
 *
 * @param groups the values, and the narrow copies of some of them, in groups with the same codes
 * @param copies names of the narrow copies by what they copy
 */
record GroupWidths(List<QuantizerPlacement.Group> groups, Map<String, String> copies) {
    private static final int WIDE = 8;

    /** What the readers of a group wish. */
    private record Wish(int bits, boolean wide) {}

    /**
     * The widths that readers wish.
     *
     * @param layers widths of the layers that are quantised, by name
     * @param narrowCopies as in {@link QuantizerPlacement.Rules}
     */
    static GroupWidths of(Graph graph, List<ScaleUnification.Shared> shared, Map<String, BitWidths> layers,
            boolean narrowCopies) {
        Links links = new Links(graph);
        List<QuantizerPlacement.Group> groups = new ArrayList<>();
        Map<String, String> copies = new LinkedHashMap<>();
        for (ScaleUnification.Shared members : shared) {
            Wish wish = wish(members.values(), links, layers);
            boolean copied = narrowCopies && wish.wide() && wish.bits() != 0 && wish.bits() != WIDE;
            groups.add(new QuantizerPlacement.Group(members.values(),
                    wish.bits() == 0 || copied ? WIDE : wish.bits(), members.sources()));
            if (!copied) {
                continue;
            }
            for (String name : members.values()) {
                if (links.readers(name).stream().anyMatch(reader -> layers.containsKey(reader.name()))) {
                    String copy = name + ".narrow";
                    copies.put(name, copy);
                    groups.add(new QuantizerPlacement.Group(List.of(copy), wish.bits(), List.of(name)));
                }
            }
        }
        return new GroupWidths(groups, copies);
    }

    /** The widest wish of the layers that read a group, 0 if none does, and whether others read it as well. */
    private static Wish wish(List<String> group, Links links, Map<String, BitWidths> layers) {
        Set<String> own = new HashSet<>(group);
        int bits = 0;
        boolean wide = false;
        for (String name : group) {
            for (Node reader : links.readers(name)) {
                if (layers.containsKey(reader.name())) {
                    bits = Math.max(bits, layers.get(reader.name()).activations());
                } else if (!reader.op().movesData() && !own.contains(reader.output())) {
                    wide = true;
                }
            }
        }
        return new Wish(bits, wide);
    }
}
