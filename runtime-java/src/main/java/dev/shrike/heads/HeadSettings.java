package dev.shrike.heads;

import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * What is known of a network besides its outputs.
 *
 * @param inputWidth width of its input in pixels
 * @param inputHeight height of its input in pixels
 * @param metadata the model's metadata: names of classes, task, anchors
 * @param format the form of its outputs if the user says so; else it is found out
 * @param convolved names of the outputs that a convolution writes, with nothing but moves after it
 */
public record HeadSettings(
        int inputWidth,
        int inputHeight,
        Map<String, String> metadata,
        Optional<HeadFormat> format,
        Set<String> convolved) {
    public HeadSettings {
        if (inputWidth < 1 || inputHeight < 1) {
            throw new IllegalArgumentException("an input of " + inputWidth + "x" + inputHeight);
        }
        metadata = Map.copyOf(metadata);
        Objects.requireNonNull(format, "format");
        convolved = Set.copyOf(convolved);
    }
}
