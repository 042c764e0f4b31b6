package dev.shrike.calibration.prune.channels;

import dev.shrike.graph.Node;
import java.util.ArrayList;
import java.util.List;

/**
 * Channels that can only be removed together, as a union-find structure (Tarjan 1975) over channel numbers: a residual
 * addition, for one, ties each channel of one operand to the same channel of the other. A unit may be pinned by a node
 * that does not let it go.
 */
final class ChannelUnits {
    private final List<Integer> parents = new ArrayList<>();
    private final List<Node> pins = new ArrayList<>();

    /** A channel of its own. */
    int fresh() {
        parents.add(parents.size());
        pins.add(null);
        return parents.size() - 1;
    }

    /** That many channels of their own. */
    int[] fresh(int count) {
        int[] channels = new int[count];
        for (int i = 0; i < count; i++) {
            channels[i] = fresh();
        }
        return channels;
    }

    /** The channel that stands for the unit. */
    int unit(int channel) {
        int root = channel;
        while (parents.get(root) != root) {
            root = parents.get(root);
        }
        for (int i = channel; i != root;) {
            int next = parents.get(i);
            parents.set(i, root);
            i = next;
        }
        return root;
    }

    /** Makes one unit of two. */
    void tie(int a, int b) {
        int first = Math.min(unit(a), unit(b));
        int second = Math.max(unit(a), unit(b));
        if (first != second) {
            parents.set(second, first);
            if (pins.get(first) == null) {
                pins.set(first, pins.get(second));
            }
        }
    }

    /** Keeps the unit of a channel for good. */
    void pin(int channel, Node by) {
        int root = unit(channel);
        if (pins.get(root) == null) {
            pins.set(root, by);
        }
    }

    /** Keeps the units of all of these channels; null stands for none. */
    void pin(int[] channels, Node by) {
        if (channels != null) {
            for (int channel : channels) {
                pin(channel, by);
            }
        }
    }

    /** The node that does not let the unit of a channel go, or null if it can be removed. */
    Node pinnedBy(int channel) {
        return pins.get(unit(channel));
    }
}
