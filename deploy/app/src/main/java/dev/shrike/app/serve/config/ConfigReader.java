package dev.shrike.app.serve.config;

import dev.shrike.app.Nearest;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;

/** Reads a document by a schema: what is not in the schema, or of another kind, is a problem. */
final class ConfigReader {
    private static final Pattern ENTRY_NAME = Pattern.compile("[a-z0-9][a-z0-9_-]{0,31}");
    private static final String VARIABLE_PREFIX = "SHRIKE_";
    private static final int MOST_ENTRIES = 64;
    private static final int MOST_PROBLEMS = 20;

    private final Section schema;
    private final List<Migration> migrations;
    private final ConfigVersion known;
    private final Map<String, String> environment;
    private final Map<String, String> flags;
    private final BoardDefaults board;
    private final Placeholders placeholders;
    private final List<String> problems = new ArrayList<>();
    private final List<String> notes = new ArrayList<>();
    private final Map<String, Value> values = new LinkedHashMap<>();
    private final Map<String, List<String>> entries = new TreeMap<>();
    private final Set<String> usedFlags = new TreeSet<>();
    private final Set<String> variables = new TreeSet<>();
    private boolean newer;

    /**
     * @param environment variables, which win over the document
     * @param flags paths and what the command line sets them to, which wins over both
     * @param board what holds on this board for settings that are left out
     */
    ConfigReader(Section schema, ConfigVersion known, List<Migration> migrations, Map<String, String> environment,
            Map<String, String> flags, BoardDefaults board) {
        this.schema = schema;
        this.known = known;
        this.migrations = migrations;
        this.environment = environment;
        this.flags = flags;
        this.board = board;
        this.placeholders = new Placeholders(environment);
    }

    /**
     * What the document sets.
     *
     * @throws ConfigException with all problems
     */
    Values read(YamlNode root) {
        YamlNode document = migrate(root);
        section(schema, document, "");
        flags.keySet().stream().filter(path -> !usedFlags.contains(path))
                .forEach(path -> problem(Position.of("--set " + path), unknown("setting", path, paths())));
        unknownVariables();
        board.keys().stream().filter(key -> !boardPaths().contains(key)).forEach(
                key -> problem(board.at(key), unknown("setting", key, boardPaths())));
        if (!problems.isEmpty()) {
            throw new ConfigException(problems, null);
        }
        return new Values(values, entries, placeholders.secrets(), notes);
    }

    private YamlNode migrate(YamlNode root) {
        if (!(root instanceof YamlNode.Mapping mapping)) {
            throw new ConfigException(root.at() + ": a configuration consists of keys and values, 'key: value'");
        }
        ConfigVersion written = new ConfigVersion(known.major(), 0);
        if (mapping.entries().get("version") instanceof YamlNode.Entry(YamlNode.Scalar scalar, _)) {
            written = ConfigVersion.parse(scalar.text()).orElseThrow(() -> new ConfigException(scalar.at()
                    + ": version '" + scalar.text() + "' is not two numbers, as " + known));
            if (written.major() > known.major()) {
                throw new ConfigException(scalar.at() + ": the file is of version " + written + ", this program reads "
                        + known.major() + ".x: install the newer program again, or go back to an older file");
            }
            if (written.compareTo(known) > 0) {
                newer = true;
                notes.add(scalar.at() + ": the file is of version " + written + ", this program of " + known
                        + ": settings that it does not know are left out");
            }
        }
        YamlNode migrated = root;
        for (Migration migration : migrations) {
            if (written.compareTo(migration.version()) < 0) {
                migrated = migration.apply(migrated, notes);
            }
        }
        return migrated;
    }

    private void section(Section section, YamlNode node, String prefix) {
        Map<String, YamlNode.Entry> found = Map.of();
        if (node instanceof YamlNode.Mapping mapping) {
            found = mapping.entries();
        } else if (!(node instanceof YamlNode.Scalar scalar && scalar.isNothing())) {
            problem(node.at(), "'" + name(prefix) + "' is a section: its settings stand below it, indented");
        }
        found.forEach((key, entry) -> {
            if (!section.keys().contains(key)) {
                unknownKey(entry.at(), key, prefix, section);
            }
        });
        for (Setting setting : section.settings()) {
            setting(setting, prefix + setting.key(), found.get(setting.key()), node.at());
        }
        for (Section inner : section.sections()) {
            YamlNode.Entry entry = found.get(inner.key());
            YamlNode below = entry == null ? new YamlNode.Mapping(Map.of(), 1, node.at()) : entry.value();
            if (inner.entries()) {
                entries(inner, below, prefix + inner.key() + ".");
            } else {
                section(inner, below, prefix + inner.key() + ".");
            }
        }
    }

    private void unknownKey(Position at, String key, String prefix, Section section) {
        String message = unknown(prefix.isEmpty() ? "setting" : "setting of '" + name(prefix) + "'", key,
                section.keys());
        if (newer) {
            notes.add(at + ": " + message);
            return;
        }
        String elsewhere = "";
        if (Nearest.of(key, section.keys()).isEmpty()) {
            elsewhere = paths().stream().filter(path -> path.endsWith("." + key) && !path.contains("*")).findFirst()
                    .map(path -> "; there is '" + path + "'").orElse("");
        }
        problem(at, message + elsewhere);
    }

    private void entries(Section section, YamlNode node, String prefix) {
        Set<String> names = new LinkedHashSet<>();
        Map<String, YamlNode.Entry> found = node instanceof YamlNode.Mapping mapping ? mapping.entries() : Map.of();
        if (!(node instanceof YamlNode.Mapping) && !(node instanceof YamlNode.Scalar scalar && scalar.isNothing())) {
            problem(node.at(), "'" + name(prefix) + "' takes entries by name, 'front:' with its settings below,"
                    + " indented");
        }
        for (Map.Entry<String, YamlNode.Entry> entry : found.entrySet()) {
            if (ENTRY_NAME.matcher(entry.getKey()).matches()) {
                names.add(entry.getKey());
            } else {
                problem(entry.getValue().at(), "the name '" + entry.getKey() + "' in '" + name(prefix)
                        + "' may consist of a to z, 0 to 9, - and _, at most 32");
            }
        }
        for (String path : flags.keySet()) {
            if (path.startsWith(prefix)) {
                String name = path.substring(prefix.length()).replaceFirst("\\..*", "");
                if (ENTRY_NAME.matcher(name).matches()) {
                    names.add(name);
                }
            }
        }
        if (names.size() > MOST_ENTRIES) {
            problem(node.at(), names.size() + " are too many in '" + name(prefix) + "', the limit is " + MOST_ENTRIES);
            return;
        }
        entries.put(name(prefix), List.copyOf(names));
        for (String name : names) {
            YamlNode.Entry entry = found.get(name);
            Section one = new Section(name, section.comment(), false, section.settings(), section.sections());
            section(one, entry == null ? new YamlNode.Mapping(Map.of(), 1, Position.of("--set")) : entry.value(),
                    prefix + name + ".");
        }
    }

    private void setting(Setting setting, String path, YamlNode.Entry entry, Position section) {
        String variable = variable(path);
        variables.add(variable);
        YamlNode node = entry == null ? null : entry.value();
        if (environment.containsKey(variable)) {
            node = new YamlNode.Scalar(environment.get(variable), false, Position.of("environment, " + variable));
        }
        if (flags.containsKey(path)) {
            usedFlags.add(path);
            node = new YamlNode.Scalar(flags.get(path), false, Position.of("--set " + path));
        }
        if (node == null || node instanceof YamlNode.Scalar scalar && scalar.isNothing()) {
            node = setting.defaultValue().isEmpty() ? null : board.find(path).orElse(null);
        }
        if (node == null) {
            setting.defaultValue().ifPresent(value -> values.put(path,
                    new Value(value, shown(setting, value, written(value)), section)));
            return;
        }
        try {
            SettingParser parser = new SettingParser(placeholders, path);
            Object value = parser.parse(setting, node);
            values.put(path, new Value(value, shown(setting, value, parser.written()), node.at()));
        } catch (ConfigException e) {
            problems.addAll(e.problems());
        }
    }

    private static String written(Object value) {
        return value instanceof List<?> list ? String.join(", ", list.stream().map(String::valueOf).toList())
                : String.valueOf(value);
    }

    private static String shown(Setting setting, Object value, String written) {
        if (setting.kind() instanceof Kind.Secret) {
            return String.valueOf(value).isEmpty() ? "not set" : "set";
        }
        return CredentialFilter.withoutUserInfo(written);
    }

    private void unknownVariables() {
        for (String name : environment.keySet()) {
            for (Section section : schema.sections()) {
                String prefix = VARIABLE_PREFIX + section.key().toUpperCase(Locale.ROOT) + "_";
                if (name.startsWith(prefix) && !variables.contains(name)) {
                    problem(Position.of("environment"), unknown("variable", name, variables));
                }
            }
        }
    }

    private static String variable(String path) {
        return VARIABLE_PREFIX + path.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
    }

    private static String unknown(String what, String key, Collection<String> candidates) {
        String shown = key.length() > 64 ? key.substring(0, 64) + "…" : key;
        return "there is no " + what + " '" + shown + "'"
                + (key.length() > 64 ? "" : Nearest.of(key, candidates).map(near -> ", did you mean '" + near + "'?")
                        .orElse(""));
    }

    private List<String> paths() {
        List<String> paths = new ArrayList<>();
        collect(schema, "", paths);
        paths.addAll(values.keySet());
        return paths;
    }

    private List<String> boardPaths() {
        List<String> paths = new ArrayList<>();
        collect(schema, "", paths);
        return paths.stream().map(path -> path.replace("cameras.*.", BoardDefaults.CAMERA)).toList();
    }

    private static void collect(Section section, String prefix, List<String> paths) {
        section.settings().forEach(setting -> paths.add(prefix + setting.key()));
        section.sections().forEach(
                inner -> collect(inner, prefix + inner.key() + (inner.entries() ? ".*." : "."), paths));
    }

    private static String name(String prefix) {
        return prefix.isEmpty() ? "configuration" : prefix.substring(0, prefix.length() - 1);
    }

    private void problem(Position at, String message) {
        if (problems.size() < MOST_PROBLEMS) {
            problems.add(at + ": " + message);
        }
    }
}
