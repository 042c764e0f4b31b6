package dev.shrike.app.serve.config;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a configuration sets, by path.
 *
 * @param values of all settings; those of one camera only where it has its own
 * @param entries names of cameras, by the path that they stand at
 * @param secrets what variables held that were put in
 * @param notes what people should know: old names, settings of a newer program
 */
record Values(Map<String, Value> values, Map<String, List<String>> entries, Set<String> secrets, List<String> notes) {
    Values {
        values = new LinkedHashMap<>(values);
        entries = Map.copyOf(entries);
        secrets = Set.copyOf(secrets);
        notes = List.copyOf(notes);
    }

    String text(String path) {
        return (String) values.get(path).value();
    }

    int whole(String path) {
        return Math.toIntExact((Long) values.get(path).value());
    }

    double real(String path) {
        return (Double) values.get(path).value();
    }

    boolean flag(String path) {
        return (Boolean) values.get(path).value();
    }

    @SuppressWarnings("unchecked")
    List<String> texts(String path) {
        return (List<String>) values.get(path).value();
    }

    Position at(String path) {
        return values.get(path).at();
    }

    List<String> names(String path) {
        return entries.getOrDefault(path, List.of());
    }

    /** The path itself if the camera has its own value there, else the path that holds for all. */
    String of(String camera, String path) {
        String own = "cameras." + camera + "." + path;
        return values.containsKey(own) ? own : path;
    }
}
