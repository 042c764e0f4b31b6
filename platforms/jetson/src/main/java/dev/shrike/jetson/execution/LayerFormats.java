package dev.shrike.jetson.execution;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.DeviceException;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/** In which formats the layers of an engine run, from what TensorRT's engine inspector says as JSON. */
final class LayerFormats {
    private LayerFormats() {}

    /**
     * Numbers of layers by the format of what they write: {@code FP16}, {@code FP32}, {@code INT8}, or {@code OTHER}
     * where the inspector names none of these, as for engines without details.
     *
     * @throws DeviceException if it is no such JSON
     */
    static Map<String, Integer> count(String json) {
        try {
            JsonNode layers = new ObjectMapper().readTree(json).path("Layers");
            Map<String, Integer> counts = new TreeMap<>();
            for (JsonNode layer : layers) {
                counts.merge(format(layer.path("Outputs").path(0).path("Format/Datatype").asText("")), 1,
                        Integer::sum);
            }
            return counts;
        } catch (JacksonException e) {
            throw new DeviceException("TensorRT's engine inspector gives no JSON: " + e.getOriginalMessage(), e);
        }
    }

    private static String format(String said) {
        String text = said.toUpperCase(Locale.ROOT);
        if (text.contains("INT8")) {
            return "INT8";
        }
        if (text.contains("FP16") || text.contains("HALF")) {
            return "FP16";
        }
        return text.contains("FP32") || text.contains("FLOAT") ? "FP32" : "OTHER";
    }
}
