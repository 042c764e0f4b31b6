package dev.shrike.spi;

import dev.shrike.graph.Shape;
import java.util.Map;
import java.util.Set;

/**
 * How to prepare a network.
 *
 * @param threads worker threads; 0 takes one per processor
 * @param inputShapes shapes for graph inputs that leave dimensions open; inputs not named keep their own. A first
 *     dimension that stays open is the engine's to choose
 * @param taps names of inner values to keep readable after a run, besides the outputs
 * @param choices what tuning chose for this network, as {@link BuiltModel} holds it; what does not fit this machine or
 *     these threads is ignored
 */
public record ExecutorOptions(
        int threads, Map<String, Shape> inputShapes, Set<String> taps, Map<String, String> choices) {
    /** One thread per processor, the model's own shapes, no taps, the engine's own choice of kernels. */
    public static final ExecutorOptions DEFAULT = new ExecutorOptions(0, Map.of(), Set.of(), Map.of());

    public ExecutorOptions {
        if (threads < 0 || threads > 256) {
            throw new IllegalArgumentException("number of threads " + threads + " is not within 0 to 256");
        }
        inputShapes = Map.copyOf(inputShapes);
        taps = Set.copyOf(taps);
        choices = Map.copyOf(choices);
    }

    /** The same with another number of threads. */
    public ExecutorOptions withThreads(int count) {
        return new ExecutorOptions(count, inputShapes, taps, choices);
    }

    /** The same with the shapes of open inputs. */
    public ExecutorOptions withInputShapes(Map<String, Shape> shapes) {
        return new ExecutorOptions(threads, shapes, taps, choices);
    }

    /** The same, keeping these inner values readable. */
    public ExecutorOptions withTaps(Set<String> values) {
        return new ExecutorOptions(threads, inputShapes, values, choices);
    }

    /** The same with what tuning chose. */
    public ExecutorOptions withChoices(Map<String, String> tuned) {
        return new ExecutorOptions(threads, inputShapes, taps, tuned);
    }
}
