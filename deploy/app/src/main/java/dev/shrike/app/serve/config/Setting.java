package dev.shrike.app.serve.config;

import java.util.Objects;
import java.util.Optional;

/**
 * Something that can be set.
 *
 * @param key its name in its section
 * @param kind what it may be
 * @param standard what it is unless it is set: a String, Long, Double, Boolean or List of String; null for a setting of
 *     a camera that is otherwise as for all cameras
 * @param comment what it does, in a sentence without its end
 */
record Setting(String key, Kind kind, Object standard, String comment) {
    Setting {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(comment, "comment");
    }

    /** What it is unless it is set. */
    Optional<Object> defaultValue() {
        return Optional.ofNullable(standard);
    }

    /** The same for one camera, which takes what holds for all unless it has its own. */
    Setting perCamera() {
        return new Setting(key, kind, null, comment);
    }
}
