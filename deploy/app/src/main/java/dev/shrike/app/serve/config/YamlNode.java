package dev.shrike.app.serve.config;

import java.util.List;
import java.util.Map;

/** A part of a YAML document that knows where it stands. */
sealed interface YamlNode {
    /** Where it begins. */
    Position at();

    /** Nodes in it, itself among them. */
    int nodes();

    /**
     * A word.
     *
     * @param text what it says
     * @param plain whether it stands there without quotes
     */
    record Scalar(String text, boolean plain, Position at) implements YamlNode {
        /** Whether nothing stands there, or a word for nothing. */
        boolean isNothing() {
            return plain && (text.isEmpty() || text.equals("~") || text.equals("null"));
        }

        @Override
        public int nodes() {
            return 1;
        }
    }

    /** A list. */
    record Sequence(List<YamlNode> items, int nodes, Position at) implements YamlNode {
        public Sequence {
            items = List.copyOf(items);
        }
    }

    /** Keys with their values, in their order. */
    record Mapping(Map<String, Entry> entries, int nodes, Position at) implements YamlNode {}

    /**
     * What a key has.
     *
     * @param value its value
     * @param at where the key stands
     */
    record Entry(YamlNode value, Position at) {}
}
