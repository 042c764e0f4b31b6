import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What blocks_plugin.c wrote: executed blocks, which came after which, windows of the stream, totals.
 *
 * @param blocks the blocks by their numbers
 * @param windows numbers of the blocks that ran one after the other, for each window
 * @param totals counted events by name
 */
record Dump(Map<Integer, Block> blocks, List<List<Integer>> windows, Map<String, Long> totals) {
    /**
     * A block of instructions without a jump into or out of its middle.
     *
     * @param address where it begins, in the memory of the program
     * @param count how often it ran
     * @param code its instructions in hexadecimal
     * @param next how often which block came after it; the most frequent ones only
     */
    record Block(int id, long address, long count, List<String> code, Map<Integer, Long> next) {
        long instructions() {
            return count * code.size();
        }
    }

    /** The dump in the file. */
    static Dump read(Path file) {
        try (Stream<String> lines = Files.lines(file)) {
            return parse(file.toString(), lines);
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read", e);
        }
    }

    /** The dump in the lines; errors name it. */
    static Dump parse(String name, Stream<String> lines) {
        Dump dump = new Dump(new HashMap<>(), new ArrayList<>(), new HashMap<>());
        lines.forEach(line -> {
            try {
                dump.add(line.split(" "));
            } catch (IndexOutOfBoundsException | NullPointerException | IllegalArgumentException e) {
                throw new IllegalArgumentException(name + ": is no dump of blocks_plugin: '"
                        + line.substring(0, Math.min(80, line.length())) + "'", e);
            }
        });
        if (dump.total("instructions") == 0) {
            throw new IllegalArgumentException(name + ": nothing ran between the marks");
        }
        long counted = dump.blocks.values().stream().mapToLong(Block::instructions).sum();
        if (counted != dump.total("instructions")) {
            throw new IllegalArgumentException(name + ": its blocks have " + counted + " instructions of "
                    + dump.total("instructions"));
        }
        return dump;
    }

    private void add(String[] words) {
        switch (words[0]) {
            case "B" -> {
                int id = Integer.parseInt(words[1]);
                blocks.put(id, new Block(id, Long.parseUnsignedLong(words[2], 16), Long.parseLong(words[3]),
                        List.of(words).subList(4, words.length), new HashMap<>()));
            }
            case "E" -> {
                Map<Integer, Long> next = blocks.get(Integer.parseInt(words[1])).next();
                for (int i = 2; i < words.length; i++) {
                    String[] pair = words[i].split(":");
                    next.put(Integer.parseInt(pair[0]), Long.parseLong(pair[1]));
                }
            }
            case "S" -> windows.add(Stream.of(words).skip(1).map(Integer::valueOf).toList());
            case "T" -> {
                for (int i = 1; i < words.length; i += 2) {
                    totals.put(words[i], Long.parseLong(words[i + 1]));
                }
            }
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    /** The total of that name. */
    long total(String name) {
        return totals.getOrDefault(name, 0L);
    }

    /** Bytes read from and written to memory behind both caches. */
    long memoryBytes() {
        return 64 * (total("l2_misses") + total("l2_write_backs"));
    }
}
