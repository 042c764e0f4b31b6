package dev.shrike.app.bench.rivals;

import dev.shrike.ShrikeException;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** A rival that cannot open or run what it was given; the others go on without it. */
public final class RivalException extends ShrikeException {
    private static final long serialVersionUID = 1L;

    private static final int LONGEST = 600;
    /** Where in OpenCV's sources an error was found, of which nothing is to be had here. */
    private static final Pattern PLACE = Pattern.compile("OpenCV\\([0-9.]+\\) \\S+:\\d+: error: ");

    RivalException(String message, Throwable cause) {
        super(oneLine(message), cause);
    }

    /** The text in one line: OpenCV's errors have several, which begin with >, and the last is often that alone. */
    static String oneLine(String message) {
        String line = message.lines().map(part -> part.strip().replaceFirst("^>\\s*", ""))
                .filter(part -> !part.isEmpty()).collect(Collectors.joining(" "));
        line = PLACE.matcher(line).replaceAll("");
        return line.length() <= LONGEST ? line : line.substring(0, LONGEST) + " ...";
    }
}
