package dev.shrike.app.serve.config;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * A setting that got another name or place. The file itself stays as it is, so that an older program still reads it.
 *
 * @param version the first version with the new name
 * @param from the old path, such as {@code "cameras.*.url"}; a star stands for the names of entries
 * @param to the new path, with as many stars
 */
record Migration(ConfigVersion version, String from, String to) {
    Migration {
        Objects.requireNonNull(version, "version");
        if (from.chars().filter(c -> c == '*').count() != to.chars().filter(c -> c == '*').count()) {
            throw new IllegalArgumentException(from + " and " + to + " have not as many stars");
        }
    }

    /**
     * The document with the new name.
     *
     * @param notes gets a line for each setting that was found under its old name
     * @throws ConfigException if old and new name are both there
     */
    YamlNode apply(YamlNode root, List<String> notes) {
        return move(root, List.of(from.split("\\.")), List.of(to.split("\\.")), notes);
    }

    private YamlNode move(YamlNode node, List<String> old, List<String> wanted, List<String> notes) {
        if (!(node instanceof YamlNode.Mapping mapping)) {
            return node;
        }
        // Both go the same way as far as the last star.
        boolean together = old.getFirst().equals(wanted.getFirst()) && old.size() > 1 && wanted.size() > 1
                && old.contains("*");
        if (!together) {
            return rename(mapping, old, wanted, notes);
        }
        Map<String, YamlNode.Entry> entries = new LinkedHashMap<>();
        mapping.entries().forEach((key, entry) -> entries.put(key,
                old.getFirst().equals("*") || old.getFirst().equals(key)
                        ? new YamlNode.Entry(move(entry.value(), rest(old), rest(wanted), notes), entry.at()) : entry));
        return new YamlNode.Mapping(entries, mapping.nodes(), mapping.at());
    }

    private YamlNode rename(YamlNode.Mapping mapping, List<String> old, List<String> wanted, List<String> notes) {
        List<YamlNode.Entry> taken = new ArrayList<>();
        YamlNode without = take(mapping, old, taken);
        if (taken.isEmpty()) {
            return mapping;
        }
        YamlNode.Entry entry = taken.getFirst();
        notes.add(entry.at() + ": '" + from + "' is called '" + to + "' since version " + version
                + "; the old name still works");
        return put(without, wanted, entry);
    }

    private static YamlNode take(YamlNode node, List<String> path, List<YamlNode.Entry> taken) {
        if (!(node instanceof YamlNode.Mapping mapping) || !mapping.entries().containsKey(path.getFirst())) {
            return node;
        }
        Map<String, YamlNode.Entry> entries = new LinkedHashMap<>(mapping.entries());
        YamlNode.Entry entry = entries.get(path.getFirst());
        if (path.size() == 1) {
            taken.add(entries.remove(path.getFirst()));
        } else {
            YamlNode left = take(entry.value(), rest(path), taken);
            if (!taken.isEmpty() && left instanceof YamlNode.Mapping below && below.entries().isEmpty()) {
                entries.remove(path.getFirst());
            } else {
                entries.put(path.getFirst(), new YamlNode.Entry(left, entry.at()));
            }
        }
        return new YamlNode.Mapping(entries, mapping.nodes(), mapping.at());
    }

    private YamlNode put(YamlNode node, List<String> path, YamlNode.Entry value) {
        Map<String, YamlNode.Entry> entries = node instanceof YamlNode.Mapping mapping
                ? new LinkedHashMap<>(mapping.entries()) : new LinkedHashMap<>();
        YamlNode.Entry there = entries.get(path.getFirst());
        if (path.size() == 1) {
            if (there != null) {
                throw new ConfigException(value.at() + ": this is the old name of '" + to + "', which is set in line "
                        + there.at().line() + " too: leave one of them out");
            }
            entries.put(path.getFirst(), value);
        } else {
            YamlNode below = there == null ? new YamlNode.Mapping(Map.of(), 1, value.at()) : there.value();
            entries.put(path.getFirst(), new YamlNode.Entry(put(below, rest(path), value),
                    there == null ? value.at() : there.at()));
        }
        return new YamlNode.Mapping(entries, node.nodes() + 1, node.at());
    }

    private static List<String> rest(List<String> path) {
        return path.subList(1, path.size());
    }
}
