package dev.shrike.jetson;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What JetPack 5 has, from {@code jetpack-5.txt} and {@code cuda-after-11.4.txt}, and what a library asks beyond that.
 */
final class JetPack5 {
    private static final Pattern VERSION = Pattern.compile("(\\w+)_(\\d+(?:\\.\\d+)*)");

    private final Map<String, String> newest = new HashMap<>();
    private final Set<String> libraries = new TreeSet<>();
    private final Set<String> roots = new TreeSet<>();
    private final Set<String> newerCuda;

    JetPack5() {
        for (String line : lines("jetpack-5.txt")) {
            String[] words = line.split(" ");
            switch (words[0]) {
                case "version" -> newest.put(words[1], words[2]);
                case "library" -> libraries.add(words[1]);
                case "root" -> roots.add(words[1]);
                case "link" -> libraries.add(words[1]);
                default -> throw new IllegalStateException("jetpack-5.txt: " + line);
            }
        }
        newerCuda = new TreeSet<>(lines("cuda-after-11.4.txt"));
    }

    private static List<String> lines(String resource) {
        try (InputStream in = JetPack5.class.getResourceAsStream(resource)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8).lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#")).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Libraries that Shrike loads by name. */
    Set<String> roots() {
        return roots;
    }

    /** The newest version of a name that a library asks for, of those that JetPack 5 limits. */
    Map<String, String> newest(Iterable<ElfLibrary> asking) {
        Map<String, String> found = new TreeMap<>();
        for (ElfLibrary library : asking) {
            for (ElfLibrary.VersionNeed need : library.versions()) {
                Matcher version = VERSION.matcher(need.version());
                if (version.matches() && newest.containsKey(version.group(1))) {
                    found.merge(version.group(1), version.group(2), (a, b) -> compare(a, b) > 0 ? a : b);
                }
            }
        }
        return found;
    }

    /** Functions that came after CUDA 11.4. */
    Set<String> newerCuda() {
        return newerCuda;
    }

    /**
     * Those of the package's libraries that get loaded: the roots, and what they need.
     *
     * @throws IllegalArgumentException if a root is not there
     */
    Map<String, ElfLibrary> loaded(Map<String, ElfLibrary> all) {
        Map<String, ElfLibrary> found = new LinkedHashMap<>();
        Deque<String> open = new ArrayDeque<>(roots);
        while (!open.isEmpty()) {
            String name = open.remove();
            ElfLibrary library = all.get(name);
            if (library == null && roots.contains(name)) {
                throw new IllegalArgumentException(name + ": is not in the package");
            }
            if (library != null && found.put(name, library) == null) {
                open.addAll(library.needed());
            }
        }
        return found;
    }

    /** What a library asks that JetPack 5 has not, a line each; {@code packaged} names what lies beside it. */
    List<String> lacks(ElfLibrary library, Set<String> packaged) {
        List<String> lines = new ArrayList<>();
        if (library.machine() != ElfLibrary.AARCH64) {
            lines.add("is for processor " + library.machine() + " instead of aarch64");
        }
        for (String needed : library.needed()) {
            if (!libraries.contains(needed) && !packaged.contains(needed)) {
                lines.add("needs " + needed);
            }
        }
        for (ElfLibrary.VersionNeed need : library.versions()) {
            if (libraries.contains(need.library()) && !need.weak() && !has(need)) {
                lines.add("needs " + need.version() + " of " + need.library());
            }
        }
        for (ElfLibrary.Import symbol : library.imports()) {
            if (newerCuda.contains(symbol.symbol()) && !symbol.lazy() && !symbol.weak()) {
                lines.add("needs " + symbol.symbol() + " of a CUDA after 11.4 when it is loaded");
            }
        }
        return lines;
    }

    private boolean has(ElfLibrary.VersionNeed need) {
        // NVIDIA gives all symbols of a library one version, its own name.
        if (need.version().equals(need.library())) {
            return true;
        }
        Matcher version = VERSION.matcher(need.version());
        return version.matches() && newest.containsKey(version.group(1))
                && compare(version.group(2), newest.get(version.group(1))) <= 0;
    }

    /** Compares versions by their numbers: 3.4.9 is before 3.4.22. */
    static int compare(String one, String other) {
        String[] a = one.split("\\.");
        String[] b = other.split("\\.");
        for (int i = 0; i < Math.max(a.length, b.length); i++) {
            int result = Integer.compare(i < a.length ? Integer.parseInt(a[i]) : 0,
                    i < b.length ? Integer.parseInt(b[i]) : 0);
            if (result != 0) {
                return result;
            }
        }
        return 0;
    }
}
