package dev.shrike.app.serve.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** The configuration that has every setting at its default, with a comment each. */
public final class ConfigPrinter {
    private static final int COLUMNS = 100;
    /** Words that comments begin with and that are values. */
    private static final Set<String> VALUES = Set.of("cpu", "tensorrt");

    private final List<String> lines = new ArrayList<>();

    private final BoardDefaults board;

    private ConfigPrinter(BoardDefaults board) {
        this.board = board;
    }

    /** Its lines. The camera in it is one that makes its own images, so that the file can be tried as it is. */
    public static List<String> lines(BoardDefaults board) {
        ConfigPrinter printer = new ConfigPrinter(board);
        printer.comment("Configuration of 'shrike serve'. What is left out has the value that stands here.", "");
        printer.comment("\"{NAME}\" stands for a variable of the environment or a credential of systemd.", "");
        printer.comment("SHRIKE_PAGE_PORT=8081 in the environment and --set page.port=8081 win over page.port.", "");
        printer.section(Schema.ROOT, "", "");
        return List.copyOf(printer.lines);
    }

    private void section(Section section, String indent, String path) {
        for (Setting setting : section.settings()) {
            comment(sentence(setting), indent);
            lines.add(indent + setting.key() + ": " + yaml(setting, path + setting.key()));
        }
        for (Section inner : section.sections()) {
            lines.add("");
            comment(inner.comment() + ".", indent);
            lines.add(indent + inner.key() + ":");
            if (inner.entries()) {
                camera(inner, indent + "  ");
            } else {
                section(inner, indent + "  ", path + inner.key() + ".");
            }
        }
    }

    private void camera(Section template, String indent) {
        lines.add(indent + "test:");
        String inner = indent + "  ";
        for (Setting setting : template.settings()) {
            comment(sentence(setting), inner);
            lines.add(inner + setting.key() + ": "
                    + (setting.key().equals("source") ? "test://pattern"
                            : yaml(setting, "cameras.test." + setting.key())));
        }
        for (Section override : template.sections()) {
            comment("As '" + override.key() + "' below or above, for this camera: "
                    + String.join(", ", override.keys()) + ".", inner);
            lines.add(inner + override.key() + ": {}");
        }
    }

    private void comment(String text, String indent) {
        StringBuilder line = new StringBuilder(indent + "#");
        for (String word : text.split(" ")) {
            if (line.length() + 1 + word.length() > COLUMNS) {
                lines.add(line.toString());
                line = new StringBuilder(indent + "#");
            }
            line.append(' ').append(word);
        }
        lines.add(line.toString());
    }

    private static String sentence(Setting setting) {
        return capital(setting.comment()) + " (" + setting.kind().words() + ").";
    }

    /** A value that a comment begins with, such as an address, stays as it must be written. */
    private static String capital(String text) {
        String first = text.split(" ", 2)[0];
        boolean word = first.matches("[a-z]+,?") && !VALUES.contains(first);
        return word ? text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1) : text;
    }

    private String yaml(Setting setting, String path) {
        return board.find(path).map(node -> ((YamlNode.Scalar) node).text()).orElseGet(() -> yaml(setting.standard()));
    }

    private static String yaml(Object value) {
        return switch (value) {
            case String text -> '"' + text + '"';
            case List<?> list -> list.isEmpty() ? "[]" : list.toString();
            case null -> "";
            default -> String.valueOf(value);
        };
    }
}
