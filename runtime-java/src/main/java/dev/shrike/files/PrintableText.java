package dev.shrike.files;

/**
 * Texts of others (labels, file names, messages of libraries) in a form that does nothing to a terminal or a log: what
 * ends lines, moves the cursor, turns the direction of writing or cannot be seen becomes an escape as of JSON,
 * {@code \n} or U+001B as a backslash, u and 001b. Backslashes stay single, so this is for reading, not for reading
 * back.
 */
public final class PrintableText {
    private PrintableText() {}

    /** The text on one line: without control, line breaking, direction changing and unpaired characters. */
    public static String of(String text) {
        return escape(text, true);
    }

    /** The same text of JSON with these characters escaped in its strings; what it means stays the same. */
    public static String inJson(String json) {
        return escape(json, false);
    }

    /** Whether a character has to be escaped. */
    public static boolean isHidden(int codePoint) {
        return switch (Character.getType(codePoint)) {
            // C0, DEL and C1, among them U+009B, which begins terminal commands as ESC [ does.
            case Character.CONTROL, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.SURROGATE ->
                true;
            case Character.FORMAT -> !isPartOfScript(codePoint);
            default -> false;
        };
    }

    /** Characters of category Cf that writing needs: joiners of Persian and Indic scripts, signs of Arabic numbers. */
    private static boolean isPartOfScript(int codePoint) {
        return codePoint == 0x00AD || codePoint == 0x200C || codePoint == 0x200D
                || codePoint >= 0x0600 && codePoint <= 0x0605 || codePoint == 0x06DD || codePoint == 0x070F;
    }

    private static String escape(String text, boolean brief) {
        if (text.codePoints().noneMatch(PrintableText::isHidden)) {
            return text;
        }
        StringBuilder escaped = new StringBuilder(text.length() + 16);
        text.codePoints().forEach(codePoint -> {
            if (!isHidden(codePoint)) {
                escaped.appendCodePoint(codePoint);
            } else if (brief && "\n\r\t".indexOf(codePoint) >= 0) {
                escaped.append(codePoint == '\n' ? "\\n" : codePoint == '\r' ? "\\r" : "\\t");
            } else {
                for (char unit : Character.toChars(codePoint)) {
                    escaped.append(String.format("\\u%04x", (int) unit));
                }
            }
        });
        return escaped.toString();
    }
}
