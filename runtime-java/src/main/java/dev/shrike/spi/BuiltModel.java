package dev.shrike.spi;

import dev.shrike.graph.Graph;
import java.util.Map;

/**
 * What a file that {@link Backend#build} wrote holds.
 *
 * @param graph the network. Its constants may be views of the mapped file: while it is in use the file may be replaced
 *     by renaming another one over it, but must not be overwritten in place
 * @param choices what tuning chose for it, for {@link ExecutorOptions#withChoices}; only the engine knows what they say
 */
public record BuiltModel(Graph graph, Map<String, String> choices) {
    public BuiltModel {
        choices = Map.copyOf(choices);
    }
}
