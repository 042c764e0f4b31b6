package dev.shrike.app.outputs.mqtt;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/**
 * The newest value of each retained topic, and which of them the broker does not have yet. A topic that changes often
 * while the broker is away is sent once. Any thread may use it.
 */
final class RetainedTopics {
    private static final int MOST_TOPICS = 10_000;

    private final Map<String, byte[]> values = new LinkedHashMap<>();
    private final Set<String> pending = new LinkedHashSet<>();

    /** What to publish. */
    record Value(String topic, byte[] payload) {}

    /** Sets the value of a topic; true if that is news. */
    synchronized boolean put(String topic, byte[] payload) {
        byte[] before = values.get(topic);
        if (before != null && Arrays.equals(before, payload)
                || before == null && values.size() >= MOST_TOPICS) {
            return false;
        }
        values.put(topic, payload);
        pending.add(topic);
        return true;
    }

    /** Lets all be sent again. */
    synchronized void resend() {
        pending.addAll(values.keySet());
    }

    /** Lets one be sent again that did not arrive. */
    synchronized void resend(String topic) {
        if (values.containsKey(topic)) {
            pending.add(topic);
        }
    }

    /** Takes one that the broker does not have; null if it has all. */
    synchronized Value take() {
        if (pending.isEmpty()) {
            return null;
        }
        String topic = pending.iterator().next();
        pending.remove(topic);
        return new Value(topic, values.get(topic));
    }

    synchronized boolean isPending() {
        return !pending.isEmpty();
    }
}
