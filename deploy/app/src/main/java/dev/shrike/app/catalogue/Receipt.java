package dev.shrike.app.catalogue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What was put into a cache folder and from where, written after the files themselves: files without a receipt that
 * agrees do not count as fetched.
 *
 * @param source package and recipe the files came from
 * @param files size and SHA-256 by file name
 */
record Receipt(String source, Map<String, Entry> files) {
    private static final int LIMIT = 1 << 16;

    /** Size in bytes and SHA-256 in hexadecimal digits. */
    record Entry(long bytes, String sha256) {}

    Receipt {
        files = Map.copyOf(files);
    }

    /** The receipt for files of a folder as they are now. */
    static Receipt of(String source, Path folder, List<String> names) throws IOException {
        Map<String, Entry> files = new LinkedHashMap<>();
        for (String name : names) {
            Path file = folder.resolve(name);
            String sha256 = HexFormat.of().formatHex(CacheFiles.hash(file, "SHA-256"));
            files.put(name, new Entry(Files.size(file), sha256));
        }
        return new Receipt(source, files);
    }

    /** The receipt in a file; empty if there is none or it cannot be understood, which both mean: fetch. */
    static Optional<Receipt> read(Path file) {
        try {
            if (!Files.isRegularFile(file) || Files.size(file) > LIMIT) {
                return Optional.empty();
            }
            JsonNode root = new ObjectMapper().readTree(Files.readAllBytes(file));
            Map<String, Entry> files = new LinkedHashMap<>();
            root.path("files").properties().forEach(property -> files.put(
                    property.getKey(),
                    new Entry(
                            property.getValue().path("bytes").asLong(-1),
                            property.getValue().path("sha256").asText(""))));
            return Optional.of(new Receipt(root.path("source").asText(""), files));
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /** Writes the receipt; the caller moves the file to its place. */
    void write(Path file) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode root = mapper.createObjectNode().put("source", source);
        ObjectNode list = root.putObject("files");
        files.forEach((name, entry) -> list.putObject(name).put("bytes", entry.bytes()).put("sha256", entry.sha256()));
        Files.write(file, mapper.writerWithDefaultPrettyPrinter().writeValueAsBytes(root));
    }

    /** Whether the files are there with the sizes noted, all of the names asked for among them. */
    boolean agrees(String wantedSource, Path folder, List<String> names) {
        return source.equals(wantedSource) && files.keySet().containsAll(names)
                && names.stream().allMatch(name -> sameSize(folder.resolve(name), files.get(name)));
    }

    /** Names of files whose bytes are no longer those noted. */
    List<String> damaged(Path folder) throws IOException {
        List<String> names = new ArrayList<>();
        for (Map.Entry<String, Entry> file : files.entrySet()) {
            String sha256 = HexFormat.of().formatHex(CacheFiles.hash(folder.resolve(file.getKey()), "SHA-256"));
            if (!sha256.equals(file.getValue().sha256())) {
                names.add(file.getKey());
            }
        }
        return names;
    }

    private static boolean sameSize(Path file, Entry entry) {
        try {
            return Files.isRegularFile(file) && Files.size(file) == entry.bytes();
        } catch (IOException e) {
            return false;
        }
    }
}
