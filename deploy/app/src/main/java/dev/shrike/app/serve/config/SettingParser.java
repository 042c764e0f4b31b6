package dev.shrike.app.serve.config;

import dev.shrike.app.Nearest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Makes the value of one setting of what stands in the document. */
final class SettingParser {
    private final Placeholders placeholders;
    private final String path;
    private String written = "";

    SettingParser(Placeholders placeholders, String path) {
        this.placeholders = placeholders;
        this.path = path;
    }

    /** What stood there, with the names of variables instead of their values. */
    String written() {
        return written;
    }

    /**
     * The value.
     *
     * @throws ConfigException if it is of another kind
     */
    Object parse(Setting setting, YamlNode node) {
        return switch (setting.kind()) {
            case Kind.Text _,Kind.Secret _ -> text(node);
            case Kind.Whole whole -> whole(whole, node);
            case Kind.Real real -> real(real, node);
            case Kind.Flag flag -> flag(flag, node);
            case Kind.Choice choice -> choice(choice, node);
            case Kind.Texts _ -> texts(node);
        };
    }

    private String text(YamlNode node) {
        if (!(node instanceof YamlNode.Scalar scalar)) {
            throw wrong(node.at(), "takes one text, not a " + (node instanceof YamlNode.Sequence ? "list"
                    : "mapping") + looksLikeVariable(node));
        }
        if (scalar.text().length() > Kind.MOST_LETTERS) {
            throw wrong(node.at(), "is longer than " + Kind.MOST_LETTERS + " characters");
        }
        if (scalar.text().codePoints().anyMatch(Character::isISOControl)) {
            throw wrong(node.at(), "has a control character or the end of a line in it");
        }
        written = scalar.text();
        return placeholders.resolve(scalar.text(), scalar.at());
    }

    /** Without quotes, YAML takes <code>{NAME}</code> for a mapping. */
    private static String looksLikeVariable(YamlNode node) {
        if (node instanceof YamlNode.Mapping mapping && mapping.entries().size() == 1) {
            return mapping.entries().keySet().stream().filter(key -> key.matches("[A-Z_][A-Z0-9_]*")).findFirst()
                    .map(key -> "; a variable needs quotes: \"{" + key + "}\"").orElse("");
        }
        return "";
    }

    private Long whole(Kind.Whole kind, YamlNode node) {
        String text = text(node).strip();
        if (text.matches("[-+]?\\d{1,18}")) {
            long value = Long.parseLong(text);
            if (value >= kind.least() && value <= kind.most()) {
                return value;
            }
        }
        throw wrong(node.at(), kind, text);
    }

    private Double real(Kind.Real kind, YamlNode node) {
        String text = text(node).strip();
        if (text.matches("[-+]?(\\d{1,18}(\\.\\d{0,18})?|\\.\\d{1,18})([eE][-+]?\\d{1,3})?")) {
            double value = Double.parseDouble(text);
            if (value >= kind.least() && value <= kind.most()) {
                return value;
            }
        }
        throw wrong(node.at(), kind, text);
    }

    private Boolean flag(Kind.Flag kind, YamlNode node) {
        String text = text(node).strip();
        return switch (text.toLowerCase(Locale.ROOT)) {
            case "true" -> true;
            case "false" -> false;
            case "on", "yes", "y", "1" -> throw wrong(node.at(), "takes true or false: write true for '" + text + "'");
            case "off", "no", "n", "0" -> throw wrong(node.at(), "takes true or false: write false for '" + text + "'");
            default -> throw wrong(node.at(), kind, text);
        };
    }

    private String choice(Kind.Choice kind, YamlNode node) {
        String text = text(node).strip();
        if (kind.choices().contains(text)) {
            return text;
        }
        Optional<String> near = Nearest.of(text, kind.choices());
        throw wrong(node.at(), "takes " + kind.words() + ", not '" + safe(text) + "'"
                + near.map(word -> ", did you mean '" + word + "'?").orElse(""));
    }

    private List<String> texts(YamlNode node) {
        List<YamlNode> items = switch (node) {
            case YamlNode.Sequence sequence -> sequence.items();
            case YamlNode.Scalar scalar when scalar.at().line() == 0 -> split(scalar);
            case YamlNode.Scalar scalar -> List.of(scalar);
            case YamlNode.Mapping mapping -> throw wrong(mapping.at(), "takes a list of texts, not a mapping"
                    + looksLikeVariable(mapping));
        };
        if (items.size() > Kind.MOST_ITEMS) {
            throw wrong(node.at(), "has " + items.size() + " items, the limit is " + Kind.MOST_ITEMS);
        }
        List<String> texts = new ArrayList<>();
        List<String> all = new ArrayList<>();
        for (YamlNode item : items) {
            texts.add(text(item));
            all.add(written);
        }
        written = String.join(", ", all);
        return List.copyOf(texts);
    }

    /** Options and variables have no lists but words between commas. */
    private static List<YamlNode> split(YamlNode.Scalar scalar) {
        List<YamlNode> items = new ArrayList<>();
        for (String item : scalar.text().split(",")) {
            if (!item.isBlank()) {
                items.add(new YamlNode.Scalar(item.strip(), false, scalar.at()));
            }
        }
        return items;
    }

    private ConfigException wrong(Position at, Kind kind, String text) {
        return wrong(at, "takes " + kind.words() + ", not '" + safe(text) + "'");
    }

    /** What a variable holds may be a secret that went into the wrong setting. */
    private String safe(String text) {
        return written.equals(text) ? text.length() > 64 ? text.substring(0, 64) + "…" : text : written;
    }

    private ConfigException wrong(Position at, String message) {
        return new ConfigException(at + ": '" + path + "' " + message);
    }
}
