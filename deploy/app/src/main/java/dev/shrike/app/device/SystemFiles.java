package dev.shrike.app.device;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The files in which a system tells about itself. Everything is read from below a root, so that a tree of files can
 * stand for a board. Whatever cannot be read counts as not there: kernels and versions of JetPack differ in what they
 * have, and some of it is for root alone.
 */
public final class SystemFiles {
    private static final int LONGEST = 1 << 24;
    private static final int MOST_ENTRIES = 4096;
    private static final int LONGEST_WORD = 64;

    /** Everything that could move the cursor of a terminal or hide text, but not the ends of lines. */
    private static final Pattern CONTROLS = Pattern.compile("[\\p{Cc}\\p{Cf}&&[^\n\t]]");

    private final Path root;

    /** The files below a root, {@code /} for this machine. */
    public SystemFiles(Path root) {
        this.root = root;
    }

    /** The text of a file without characters that control a terminal, such as the zero that the device tree has. */
    public Optional<String> text(String path) {
        try {
            Path file = root.resolve(path);
            // Not pipes and devices, which may never end.
            if (!Files.isRegularFile(file)) {
                return Optional.empty();
            }
            byte[] bytes;
            try (var in = Files.newInputStream(file)) {
                bytes = in.readNBytes(LONGEST);
            }
            String text = new String(bytes, StandardCharsets.UTF_8);
            return Optional.of(CONTROLS.matcher(text).replaceAll("").strip());
        } catch (IOException | SecurityException e) {
            return Optional.empty();
        }
    }

    /** The whole number that a file holds. */
    public Optional<Long> number(String path) {
        return text(path).filter(found -> found.matches("-?\\d{1,18}")).map(Long::parseLong);
    }

    /** Names in a folder that match the pattern, sorted; none if it cannot be read. */
    public List<String> names(String folder, String pattern) {
        Pattern wanted = Pattern.compile(pattern);
        try (Stream<Path> entries = Files.list(root.resolve(folder))) {
            return entries.limit(MOST_ENTRIES).map(entry -> entry.getFileName().toString())
                    .filter(name -> wanted.matcher(name).matches()).sorted().toList();
        } catch (IOException | UncheckedIOException | DirectoryIteratorException | SecurityException e) {
            return List.of();
        }
    }

    /** The first group of a pattern in the text. */
    public static Optional<String> find(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        return matcher.find() ? Optional.of(matcher.group(1).strip()) : Optional.empty();
    }

    /** A name that the kernel gives, cut to a length and a line that a table can hold. */
    static String word(String text) {
        String line = text.lines().findFirst().orElse("").strip();
        return line.length() > LONGEST_WORD ? line.substring(0, LONGEST_WORD) + "…" : line;
    }

    /** How many numbers a list of the kernel's has: 4 for {@code "0-2,5"}; empty if it is none. */
    public static Optional<Integer> count(String list) {
        int count = 0;
        for (String part : list.split(",", -1)) {
            Matcher range = Pattern.compile("(\\d{1,5})(?:-(\\d{1,5}))?").matcher(part.strip());
            if (!range.matches()) {
                return Optional.empty();
            }
            int first = Integer.parseInt(range.group(1));
            int last = range.group(2) == null ? first : Integer.parseInt(range.group(2));
            if (last < first) {
                return Optional.empty();
            }
            count += last - first + 1;
        }
        return Optional.of(count);
    }

    /** The smallest and the largest of numbers as {@code "3 MHz"} or {@code "3 to 4 MHz"}; they are in such units. */
    static Optional<String> megahertz(List<Long> values, long unit) {
        List<Long> sorted = values.stream().map(value -> value / unit).sorted().distinct().toList();
        if (sorted.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of((sorted.size() == 1 ? "" : sorted.getFirst() + " to ") + sorted.getLast() + " MHz");
    }
}
