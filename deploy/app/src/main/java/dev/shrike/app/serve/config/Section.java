package dev.shrike.app.serve.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Settings that belong together.
 *
 * @param key its name
 * @param comment what it is about
 * @param entries whether it holds any number of entries by name, each with these settings and sections
 * @param settings settings in it
 * @param sections sections in it
 */
record Section(String key, String comment, boolean entries, List<Setting> settings, List<Section> sections) {
    Section {
        settings = List.copyOf(settings);
        sections = List.copyOf(sections);
    }

    Section(String key, String comment, Setting... settings) {
        this(key, comment, false, List.of(settings), List.of());
    }

    Optional<Setting> setting(String name) {
        return settings.stream().filter(setting -> setting.key().equals(name)).findFirst();
    }

    Optional<Section> section(String name) {
        return sections.stream().filter(section -> section.key().equals(name)).findFirst();
    }

    /** Names of all that is in it. */
    List<String> keys() {
        List<String> keys = new ArrayList<>();
        settings.forEach(setting -> keys.add(setting.key()));
        sections.forEach(section -> keys.add(section.key()));
        return keys;
    }

    /** The same for one camera, which takes what holds for all unless it has its own. */
    Section perCamera(String... names) {
        List<String> wanted = List.of(names);
        return new Section(key, comment, false, settings.stream()
                .filter(setting -> wanted.isEmpty() || wanted.contains(setting.key())).map(Setting::perCamera).toList(),
                List.of());
    }
}
