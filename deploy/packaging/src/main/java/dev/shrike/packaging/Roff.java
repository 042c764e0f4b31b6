package dev.shrike.packaging;

/** Text in the language of man pages, man(7). */
final class Roff {
    private final StringBuilder text = new StringBuilder();

    /** Starts the page: name in capitals, section, date as in 2026-01-01, version. */
    Roff header(String name, int section, String date, String version) {
        text.append(".TH \"%s\" \"%d\" \"%s\" \"Shrike %s\" \"Shrike\"\n"
                .formatted(argument(name), section, argument(date), argument(version)));
        // No hyphens in options, nothing stretched.
        text.append(".nh\n.ad l\n");
        return this;
    }

    Roff section(String title) {
        text.append(".SH \"").append(argument(title)).append("\"\n");
        return this;
    }

    /** Starts an entry of a list: its term in bold, what follows is indented. */
    Roff term(String term) {
        text.append(".TP\n").append(bold(term)).append('\n');
        return this;
    }

    Roff paragraph() {
        text.append(".PP\n");
        return this;
    }

    /** Adds one line of plain text. */
    Roff line(String plain) {
        String stripped = plain.strip();
        if (stripped.isEmpty()) {
            return paragraph();
        }
        text.append(escape(stripped)).append('\n');
        return this;
    }

    /** Adds lines as they are, each broken where it is broken. */
    Roff verbatim(Iterable<String> lines) {
        text.append(".nf\n");
        for (String line : lines) {
            text.append(line.isBlank() ? "" : escape(line.stripTrailing())).append('\n');
        }
        text.append(".fi\n");
        return this;
    }

    /** Adds a reference to another page, such as shrike-detect(1). */
    Roff reference(String page, int section, boolean last) {
        text.append(".BR %s (%d)%s\n".formatted(escape(page), section, last ? "" : ","));
        return this;
    }

    static String bold(String plain) {
        return "\\fB" + escape(plain) + "\\fR";
    }

    /**
     * The text so that it comes out as it stands: a backslash starts an escape, a hyphen would become a typographic
     * one,
     * and a dot or quote at the start of a line would be a request.
     */
    static String escape(String plain) {
        StringBuilder escaped = new StringBuilder(plain.length() + 8);
        for (int i = 0; i < plain.length(); i++) {
            char c = plain.charAt(i);
            switch (c) {
                case '\\' -> escaped.append("\\e");
                case '-' -> escaped.append("\\-");
                case '^' -> escaped.append("\\(ha");
                case '~' -> escaped.append("\\(ti");
                case '`' -> escaped.append("\\(ga");
                case '\'' -> escaped.append("\\(aq");
                case '.' -> escaped.append(i == 0 ? "\\&." : ".");
                default -> {
                    if (c < 128) {
                        escaped.append(c);
                    } else {
                        escaped.append("\\[u%04X]".formatted((int) c));
                    }
                }
            }
        }
        return escaped.toString();
    }

    private static String argument(String plain) {
        return escape(plain).replace("\"", "\\(dq");
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
