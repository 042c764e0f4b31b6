package dev.shrike.training.data;

import java.util.List;

/**
 * An input of a network and what it is to find there.
 *
 * @param pixels unsigned bytes, {@code [3, height, width]}, red first
 * @param targets objects; none without labels
 */
public record Example(byte[] pixels, List<Target> targets) {
    public Example {
        targets = List.copyOf(targets);
    }
}
