package dev.shrike.app.serve.config;

import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Version of the form of a configuration.
 *
 * @param major differs where an older program cannot make sense of the file
 * @param minor differs where it has more settings, or new names for old ones
 */
record ConfigVersion(int major, int minor) implements Comparable<ConfigVersion> {
    private static final Pattern FORM = Pattern.compile("(\\d{1,4})(?:\\.(\\d{1,4}))?");

    /** The version that the text says, {@code "1"} or {@code "1.2"}. */
    static Optional<ConfigVersion> parse(String text) {
        Matcher matcher = FORM.matcher(text);
        return matcher.matches()
                ? Optional.of(new ConfigVersion(Integer.parseInt(matcher.group(1)),
                        matcher.group(2) == null ? 0 : Integer.parseInt(matcher.group(2))))
                : Optional.empty();
    }

    @Override
    public int compareTo(ConfigVersion other) {
        return Comparator.comparingInt(ConfigVersion::major).thenComparingInt(ConfigVersion::minor).compare(this,
                other);
    }

    @Override
    public String toString() {
        return major + "." + minor;
    }
}
