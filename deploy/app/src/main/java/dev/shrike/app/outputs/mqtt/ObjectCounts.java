package dev.shrike.app.outputs.mqtt;

import dev.shrike.tracking.TrackEvent;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/** How many objects of each label each camera follows now, from the events of tracks. Confined to one thread. */
final class ObjectCounts {
    /** Further labels of a camera are counted in "all" only. */
    private static final int MOST_LABELS = 200;
    /** As a topic of its own beside the labels. */
    static final String ALL = "all";

    private static final class Camera {
        final Map<Long, String> labelOf = new HashMap<>();
        final Map<String, Integer> counts = new TreeMap<>();
    }

    private final Map<String, Camera> cameras = new HashMap<>();

    /** Takes in an event, and gives the counts that it changes, by label as it stands in topics. */
    Map<String, Integer> take(TrackEvent event) {
        Camera camera = cameras.computeIfAbsent(event.camera(), id -> new Camera());
        String now = event.kind() == TrackEvent.Kind.END ? null : MqttTopics.label(event.track().box().label());
        if (now != null && !camera.counts.containsKey(now) && camera.counts.size() > MOST_LABELS) {
            now = ALL;
        }
        String before = now == null ? camera.labelOf.remove(event.track().id())
                : camera.labelOf.put(event.track().id(), now);
        Map<String, Integer> changed = new TreeMap<>();
        if (now != null && now.equals(before)) {
            return changed;
        }
        add(camera, before, -1, changed);
        add(camera, now, 1, changed);
        changed.put(ALL, camera.labelOf.size());
        return changed;
    }

    private static void add(Camera camera, String label, int step, Map<String, Integer> changed) {
        if (label != null && !label.equals(ALL)) {
            changed.put(label, camera.counts.merge(label, step, Integer::sum));
        }
    }
}
