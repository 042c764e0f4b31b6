package dev.shrike.jetson.engine;

import dev.shrike.jetson.binding.TensorRt.Layer;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The layers from the last convolutions to the outputs. In a YOLO network these are the output convolutions of the
 * Detect head, the sigmoids and the Concat that puts pixel coordinates (0 to 640) beside scores (0 to 1): one INT8
 * scale for both would leave no levels to the scores, so none of them may run in INT8.
 */
final class NetworkTail {
    /** Layers without floating-point arithmetic of their own, and those that say where INT8 begins and ends. */
    private static final Set<String> UNTOUCHED =
            Set.of("CONSTANT", "QUANTIZE", "DEQUANTIZE", "SHAPE", "GATHER", "ASSERTION");

    private NetworkTail() {}

    /** Whether all that the layer reads are constants; TensorRT moves such, and finds no kernel for another format. */
    private static boolean isConstant(Layer layer, Map<String, Layer> writers) {
        if (layer.type().equals("CONSTANT")) {
            return true;
        }
        return !layer.inputs().isEmpty() && layer.inputs().stream().map(writers::get)
                .allMatch(writer -> writer != null && isConstant(writer, writers));
    }

    /** Indices of the layers whose format is to be fixed, ascending. */
    static List<Integer> of(List<Layer> layers, Collection<String> outputs) {
        Map<String, Layer> writers = new HashMap<>();
        for (Layer layer : layers) {
            layer.outputs().forEach(output -> writers.put(output, layer));
        }
        Set<Integer> found = new TreeSet<>();
        Set<String> seen = new HashSet<>(outputs);
        Deque<String> open = new ArrayDeque<>(outputs);
        while (!open.isEmpty()) {
            Layer layer = writers.get(open.remove());
            if (layer == null) {
                continue;
            }
            if (layer.floating() && !UNTOUCHED.contains(layer.type()) && !isConstant(layer, writers)) {
                found.add(layer.index());
            }
            if (!layer.type().equals("CONVOLUTION")) {
                layer.inputs().stream().filter(seen::add).forEach(open::add);
            }
        }
        return List.copyOf(found);
    }
}
