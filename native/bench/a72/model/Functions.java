import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Names of the functions of a program that ran, by what /proc/self/maps of it said. */
final class Functions {
    private static final String NO_FILE = "compiled Java";

    private record Mapping(long begin, long end, String file) {}

    private final TreeMap<Long, Mapping> mappings = new TreeMap<>();
    private final Map<String, Long> bases = new HashMap<>();
    private final Map<String, TreeMap<Long, String>> symbols = new HashMap<>();

    /** Those of the program whose maps these lines are. */
    Functions(List<String> maps) {
        for (String line : maps) {
            String[] words = line.strip().split("\\s+", 6);
            String[] range = words[0].split("-");
            long begin = Long.parseUnsignedLong(range[0], 16);
            String file = words.length == 6 ? words[5] : "";
            mappings.put(begin, new Mapping(begin, Long.parseUnsignedLong(range[1], 16), file));
            if (words[2].matches("0+")) {
                bases.putIfAbsent(file, begin);
            }
        }
    }

    /** Takes the symbols of a file over, as llvm-nm prints them. */
    void addSymbols(String file, List<String> lines) {
        TreeMap<Long, String> names = new TreeMap<>();
        for (String line : lines) {
            String[] words = line.strip().split("\\s+");
            if (words.length == 3 && words[1].equalsIgnoreCase("t") && !words[2].startsWith("$")) {
                names.put(Long.parseUnsignedLong(words[0], 16), words[2]);
            }
        }
        symbols.put(file, names);
    }

    /** The files that are mapped and exist here. */
    List<String> files() {
        return bases.keySet().stream().filter(file -> file.startsWith("/")).sorted().toList();
    }

    /** The function at an address, else the file, else that it is code which the JVM made. */
    String at(long address) {
        Map.Entry<Long, Mapping> mapping = mappings.floorEntry(address);
        if (mapping == null || address >= mapping.getValue().end() || !mapping.getValue().file().startsWith("/")) {
            return NO_FILE;
        }
        String file = mapping.getValue().file();
        Map.Entry<Long, String> symbol = symbols.getOrDefault(file, new TreeMap<>())
                .floorEntry(address - bases.getOrDefault(file, 0L));
        return symbol == null ? Path.of(file).getFileName().toString() : symbol.getValue();
    }

    /** Those of the maps in the file. */
    static Functions read(Path maps) {
        try {
            return new Functions(Files.readAllLines(maps));
        } catch (IOException e) {
            throw new UncheckedIOException(maps + ": cannot be read", e);
        }
    }
}
