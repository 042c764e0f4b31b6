package dev.shrike.cpu.tuning;

import dev.shrike.cpu.steps.ConvLayer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the tuner found.
 *
 * @param choices the kernel of every distinct layer
 * @param layers the convolutions of the network as they will run
 * @param nanos time that it took
 * @param measured whether anything was measured; false if all was known
 */
public record Tuning(Choices choices, List<ConvLayer> layers, long nanos, boolean measured) {
    /** One line: {@code "tuned 60 convolutions in 3.1 s: 41 int8, 16 bitserial, 3 onednn"}. */
    public String summary() {
        String count = layers.size() + (layers.size() == 1 ? " convolution" : " convolutions");
        String how = measured ? "tuned " + count + String.format(Locale.ROOT, " in %.1f s", nanos / 1e9)
                : count + " as measured before";
        return layers.isEmpty() ? "no convolutions to tune" : how + ": " + counts(layers);
    }

    /** How many layers each kernel runs, the most used first. */
    static String counts(List<ConvLayer> layers) {
        Map<String, Integer> counts = new TreeMap<>();
        layers.forEach(layer -> counts.merge(layer.kernel().label(), 1, Integer::sum));
        List<String> texts = new ArrayList<>();
        counts.entrySet().stream()
                .sorted(Map.Entry.<String, Integer>comparingByValue(Comparator.reverseOrder()))
                .forEach(entry -> texts.add(entry.getValue() + " " + entry.getKey()));
        return String.join(", ", texts);
    }
}
