package dev.shrike.vision;

import dev.shrike.ModelException;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Reads class names from a Python literal or JSON: {@code ['a', "b"]}, {@code {0: 'a', 1: 'b'}} or
 * {@code {"0": "a"}}.
 */
final class LiteralParser {
    private static final int MAX_CLASSES = 100_000;
    private static final int SHOWN = 60;

    private final String field;
    private final String text;
    private int at;

    LiteralParser(String field, String text) {
        this.field = field;
        this.text = text;
    }

    /** The names by id. */
    SortedMap<Integer, String> names() {
        skipBlanks();
        SortedMap<Integer, String> names =
                switch (peek()) {
                    case '[' -> items(']', false);
                    case '(' -> items(')', false);
                    case '{' -> items('}', true);
                    default -> throw wrong("a list or a dict");
                };
        skipBlanks();
        if (at < text.length()) {
            throw wrong("the end");
        }
        return names;
    }

    /** The beginning of a text, for messages. */
    static String shorten(String text) {
        return text.length() > SHOWN ? text.substring(0, SHOWN) + "…" : text;
    }

    private SortedMap<Integer, String> items(char close, boolean keyed) {
        SortedMap<Integer, String> names = new TreeMap<>();
        at++;
        skipBlanks();
        while (peek() != close) {
            int id = names.size();
            if (keyed) {
                id = key();
                expect(':');
                skipBlanks();
            }
            if (names.put(id, scalar()) != null) {
                throw wrong("no second name for class " + id);
            }
            skipBlanks();
            if (peek() != close) {
                expect(',');
                skipBlanks();
            }
        }
        at++;
        return names;
    }

    private int key() {
        int start = at;
        String key = scalar();
        skipBlanks();
        try {
            int id = Integer.parseInt(key);
            if (id >= 0 && id < MAX_CLASSES) {
                return id;
            }
        } catch (NumberFormatException e) {
            // told below
        }
        at = start;
        throw wrong("a class id from 0 to " + (MAX_CLASSES - 1));
    }

    /** A quoted string, or a bare word up to the next separator, such as a number. */
    private String scalar() {
        // Python 2 wrote u'person'.
        if ((peek() == 'u' || peek() == 'U') && at + 1 < text.length() && isQuote(text.charAt(at + 1))) {
            at++;
        }
        if (isQuote(peek())) {
            return quoted();
        }
        int start = at;
        while (at < text.length() && ",:]})[{(\"'".indexOf(text.charAt(at)) < 0) {
            at++;
        }
        String word = text.substring(start, at).strip();
        if (word.isEmpty()) {
            throw wrong("a name");
        }
        return word;
    }

    private String quoted() {
        char quote = text.charAt(at++);
        StringBuilder name = new StringBuilder();
        while (peek() != quote) {
            char c = text.charAt(at++);
            if (c == '\\') {
                escape(name);
            } else {
                name.append(c);
            }
        }
        at++;
        return name.toString();
    }

    private void escape(StringBuilder name) {
        char c = peek();
        at++;
        switch (c) {
            case 'n' -> name.append('\n');
            case 't' -> name.append('\t');
            case 'r' -> name.append('\r');
            case 'b' -> name.append('\b');
            case 'f' -> name.append('\f');
            case 'x' -> name.appendCodePoint(hex(2));
            case 'u' -> name.append((char) hex(4));
            case 'U' -> name.appendCodePoint(hex(8));
            default -> name.append(c);
        }
    }

    private int hex(int digits) {
        if (at + digits <= text.length()) {
            try {
                int code = Integer.parseInt(text, at, at + digits, 16);
                if (Character.isValidCodePoint(code)) {
                    at += digits;
                    return code;
                }
            } catch (NumberFormatException e) {
                // told below
            }
        }
        throw wrong(digits + " hexadecimal digits");
    }

    private void expect(char c) {
        skipBlanks();
        if (peek() != c) {
            throw wrong("'" + c + "'");
        }
        at++;
    }

    private char peek() {
        if (at >= text.length()) {
            throw wrong("more text");
        }
        return text.charAt(at);
    }

    private void skipBlanks() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }

    private static boolean isQuote(char c) {
        return c == '\'' || c == '"';
    }

    private ModelException wrong(String expected) {
        return new ModelException("metadata '" + field + "' is no list of names: expected " + expected
                + " at character " + at + " of: " + shorten(text));
    }
}
