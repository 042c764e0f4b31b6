package dev.shrike.app.outputs.mqtt;

import java.util.Locale;
import java.util.Set;

/**
 * The topics below a prefix, in Frigate's shapes.
 *
 * @param prefix of all of them
 */
record MqttTopics(String prefix) {
    private static final int LONGEST_LEVEL = 64;
    private static final Set<String> RESERVED = Set.of("frame", "state", "detect", "snapshot", ObjectCounts.ALL);

    /** A name as one level of a topic: no wildcards, slashes, blanks or control characters. */
    static String level(String name) {
        StringBuilder level = new StringBuilder();
        name.codePoints().limit(LONGEST_LEVEL).forEach(
                c -> level.appendCodePoint(Character.isLetterOrDigit(c) || c == '-' || c == '.' ? c : '_'));
        return level.isEmpty() ? "_" : level.toString();
    }

    /** A name as part of an id of Home Assistant, which takes letters, digits, hyphen and underscore. */
    static String id(String name) {
        String lower = name.toLowerCase(Locale.ROOT);
        String id = lower.replaceAll("[^a-z0-9_-]", "_");
        // Names in other scripts would all look alike.
        return lower.matches("[a-z0-9_ ./-]+") ? id : id + "_" + Integer.toHexString(name.hashCode());
    }

    /** A label as one level, none that another topic of a camera has. */
    static String label(String name) {
        String level = level(name);
        return RESERVED.contains(level) ? level + "_" : level;
    }

    String available() {
        return prefix + "/available";
    }

    String events() {
        return prefix + "/events";
    }

    String frame(String camera) {
        return prefix + "/" + level(camera) + "/frame";
    }

    String state(String camera) {
        return prefix + "/" + level(camera) + "/state";
    }

    /** Number of objects with the label, as {@link #label} has it. */
    String count(String camera, String label) {
        return prefix + "/" + level(camera) + "/" + label;
    }

    String detectState(String camera) {
        return prefix + "/" + level(camera) + "/detect/state";
    }

    String detectSet(String camera) {
        return prefix + "/" + level(camera) + "/detect/set";
    }

    String snapshot(String camera) {
        return prefix + "/" + level(camera) + "/snapshot";
    }

    String snapshotGet(String camera) {
        return prefix + "/" + level(camera) + "/snapshot/get";
    }
}
