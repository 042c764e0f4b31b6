package dev.shrike.app.serve;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.app.Nearest;
import dev.shrike.app.UsageException;
import dev.shrike.app.serve.config.ServiceConfig;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Which detections of a camera are reported. The engine is asked for the least that any camera and its tracker want;
 * each camera takes its own part of that.
 *
 * @param confidence lowest score
 * @param most most detections of a frame
 * @param classes ids; none means all
 */
record Reporting(double confidence, int most, Set<Integer> classes) {
    private static final int LISTED = 20;

    Reporting {
        classes = Set.copyOf(classes);
    }

    /**
     * What the configuration asks for.
     *
     * @param labels names of the classes of the model
     * @throws UsageException if the model has no such class; tells the nearest
     */
    static Reporting of(ServiceConfig.Camera camera, List<String> labels) {
        Set<Integer> ids = new HashSet<>();
        for (String word : camera.detecting().classes()) {
            ids.add(id(word, labels, camera.id()));
        }
        return new Reporting(camera.detecting().confidence(), camera.detecting().maxDetections(), ids);
    }

    private static int id(String word, List<String> labels, String camera) {
        for (int i = 0; i < labels.size(); i++) {
            if (labels.get(i).equalsIgnoreCase(word)) {
                return i;
            }
        }
        if (word.matches("\\d{1,6}") && Integer.parseInt(word) < labels.size()) {
            return Integer.parseInt(word);
        }
        throw new UsageException("camera " + camera + ": the model has no class '" + word + "'"
                + Nearest.of(word, labels).map(label -> ", did you mean '" + label + "'?").orElse(".") + " It has "
                + String.join(", ", labels.subList(0, Math.min(LISTED, labels.size())))
                + (labels.size() > LISTED ? " … (" + labels.size() + " in all)" : ""), null);
    }

    /** Those of a class that is wanted, of any score: what a tracker goes on with. */
    List<Detection> candidates(Detections found) {
        return classes.isEmpty() ? found.list()
                : found.list().stream().filter(one -> classes.contains(one.classId())).toList();
    }

    /** Those that are reported, best first. */
    Detections reported(Detections found) {
        List<Detection> kept = candidates(found).stream().filter(one -> one.score() >= confidence).limit(most)
                .toList();
        return kept.size() == found.size() ? found
                : new Detections(found.width(), found.height(), found.captured(), found.times(), kept);
    }
}
