package dev.shrike.jetson;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How far two networks see the same, from the JSON lines of {@code shrike detect}. An object is one that scores at
 * least {@link #SURE}; the other network has found it if it reports the same class there with any score.
 *
 * @param objects objects of the first network
 * @param found share of them that the second one finds, 0 to 1
 * @param invented share of the second one's objects that the first one has not found, 0 to 1
 */
record SuiteAgreement(int objects, double found, double invented) {
    /** Objects near the threshold come and go with the last digit. */
    static final double SURE = 0.4;

    private static final double OVERLAP = 0.5;

    /**
     * Compares the lines of two runs over the same images.
     *
     * @throws IllegalArgumentException if the runs saw other images
     */
    static SuiteAgreement of(String first, String second) throws IOException {
        Map<String, JsonNode> one = read(first);
        Map<String, JsonNode> other = read(second);
        if (!one.keySet().equals(other.keySet())) {
            throw new IllegalArgumentException("the runs saw other images: " + one.keySet() + ", " + other.keySet());
        }
        int[] ours = new int[2];
        int[] theirs = new int[2];
        one.forEach((source, objects) -> {
            count(objects, other.get(source), ours);
            count(other.get(source), objects, theirs);
        });
        return new SuiteAgreement(ours[0], share(ours), theirs[0] == 0 ? 0 : 1 - share(theirs));
    }

    private static Map<String, JsonNode> read(String lines) throws IOException {
        Map<String, JsonNode> found = new LinkedHashMap<>();
        ObjectMapper mapper = new ObjectMapper();
        for (String line : lines.lines().toList()) {
            JsonNode image = mapper.readTree(line);
            found.put(image.get("source").asText(), image.get("detections"));
        }
        return found;
    }

    private static double share(int[] counts) {
        return counts[0] == 0 ? 0 : (double) counts[1] / counts[0];
    }

    /** Adds the sure objects to the first count, those among them that have a partner to the second. */
    private static void count(JsonNode objects, JsonNode partners, int[] counts) {
        for (JsonNode object : objects) {
            if (object.get("score").asDouble() < SURE) {
                continue;
            }
            counts[0]++;
            for (JsonNode partner : partners) {
                if (object.get("class_id").asInt() == partner.get("class_id").asInt()
                        && overlap(box(object), box(partner)) >= OVERLAP) {
                    counts[1]++;
                    break;
                }
            }
        }
    }

    private static List<Double> box(JsonNode object) {
        JsonNode box = object.get("box");
        return List.of(box.get(0).asDouble(), box.get(1).asDouble(), box.get(2).asDouble(), box.get(3).asDouble());
    }

    /** Intersection over union. */
    static double overlap(List<Double> a, List<Double> b) {
        double width = Math.min(a.get(2), b.get(2)) - Math.max(a.get(0), b.get(0));
        double height = Math.min(a.get(3), b.get(3)) - Math.max(a.get(1), b.get(1));
        if (width <= 0 || height <= 0) {
            return 0;
        }
        return width * height / (area(a) + area(b) - width * height);
    }

    private static double area(List<Double> box) {
        return (box.get(2) - box.get(0)) * (box.get(3) - box.get(1));
    }
}
