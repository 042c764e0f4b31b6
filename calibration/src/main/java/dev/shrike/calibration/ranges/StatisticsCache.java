package dev.shrike.calibration.ranges;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.shrike.Frame;
import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import dev.shrike.SourceException;
import dev.shrike.files.FileReplacement;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * A calibration cache: statistics of the values of a network in a JSON file, with what they were measured on and how
 * many of the images are in. It is written again and again during a pass, each time as a whole, so that a pass that
 * was cut off goes on where the file was last written.
 *
 * @param model SHA-256 of the model file
 * @param data SHA-256 over names and sizes of all images of the pass
 * @param input the shape that the network ran with
 * @param done how many images are in
 * @param images how many there are
 * @param files name and size of each image of the pass in its order, as {@link #key} has them; those of older files
 *     are not known, so empty
 * @param values by name
 */
public record StatisticsCache(String model, String data, String input, int done, int images, List<String> files,
        Map<String, ActivationStatistics> values) {
    private static final String FORMAT = "shrike-calibration";
    private static final int VERSION = 1;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    public StatisticsCache {
        values = Map.copyOf(values);
        files = List.copyOf(files);
        if (!files.isEmpty() && files.size() != images) {
            throw new IllegalArgumentException(files.size() + " names of " + images + " images");
        }
        if (done < 0 || done > images) {
            throw new IllegalArgumentException(done + " of " + images + " images");
        }
    }

    /** SHA-256 of a file in hexadecimal. */
    public static String hash(Path file) {
        MessageDigest digest = sha256();
        try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
            in.transferTo(java.io.OutputStream.nullOutputStream());
        } catch (IOException e) {
            throw new ShrikeException(file + ": cannot be read: " + e.getMessage(), e);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** SHA-256 over the names and sizes of images. */
    public static String hash(List<Path> images) {
        MessageDigest digest = sha256();
        for (Path image : images) {
            try {
                String line = image.getFileName() + "\t" + Files.size(image) + "\n";
                digest.update(line.getBytes(StandardCharsets.UTF_8));
            } catch (IOException e) {
                throw new ShrikeException(image + ": cannot be read: " + e.getMessage(), e);
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Name and size of an image, by which a cache knows it. */
    public static String key(Path image) {
        try {
            return image.getFileName() + "\t" + Files.size(image);
        } catch (IOException e) {
            throw new ShrikeException(image + ": cannot be read: " + e.getMessage(), e);
        }
    }

    /**
     * Those of the images that the pass took, in its order: what is left of them.
     *
     * @param available what there is now
     */
    public List<Path> remaining(List<Path> available) {
        Map<String, Deque<Path>> byKey = byKey(available);
        List<Path> kept = new ArrayList<>();
        for (String file : files) {
            Deque<Path> same = byKey.get(file);
            if (same != null && !same.isEmpty()) {
                kept.add(same.remove());
            }
        }
        return kept;
    }

    /** Those of the images that are not in the statistics yet. */
    public List<Path> missing(List<Path> wanted) {
        Map<String, Integer> taken = new HashMap<>();
        files.subList(0, Math.min(done, files.size())).forEach(file -> taken.merge(file, 1, Integer::sum));
        List<Path> missing = new ArrayList<>();
        for (Path image : wanted) {
            if (taken.merge(key(image), -1, Integer::sum) < 0) {
                missing.add(image);
            }
        }
        return missing;
    }

    /**
     * How many of the images in the statistics are none of these and no longer beside them, as far as a cache goes
     * without them: at least half must be left, and one that is only not wanted is no longer to be in.
     *
     * @return the number, or -1 if the statistics do not serve
     */
    public int gone(List<Path> wanted) {
        List<String> taken = new ArrayList<>(files.subList(0, Math.min(done, files.size())));
        Set<Path> folders = new HashSet<>();
        for (Path image : wanted) {
            taken.remove(key(image));
            folders.add(image.toAbsolutePath().getParent());
        }
        for (String file : taken) {
            String name = file.substring(0, file.lastIndexOf('\t'));
            for (Path folder : folders) {
                Path there = folder.resolve(name);
                if (Files.isRegularFile(there) && key(there).equals(file) && isReadable(there)) {
                    return -1;
                }
            }
        }
        return 2 * taken.size() > done ? -1 : taken.size();
    }

    private static boolean isReadable(Path image) {
        try {
            Frame.read(image);
            return true;
        } catch (SourceException e) {
            return false;
        }
    }

    private static Map<String, Deque<Path>> byKey(List<Path> images) {
        Map<String, Deque<Path>> byKey = new HashMap<>();
        images.forEach(image -> byKey.computeIfAbsent(key(image), _ -> new ArrayDeque<>()).add(image));
        return byKey;
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** Whether both are about the same network and images. */
    public boolean isAbout(String otherModel, String otherData) {
        return model.equals(otherModel) && data.equals(otherData);
    }

    /** Writes the file, all of it or nothing. */
    public void write(Path file) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("format", FORMAT).put("version", VERSION).put("model", model).put("data", data).put("input", input)
                .put("done", done).put("pictures", images);
        ArrayNode names = root.putArray("files");
        files.forEach(names::add);
        ObjectNode entries = root.putObject("values");
        new TreeMap<>(values).forEach((name, value) -> entries.set(name, json(value)));
        FileReplacement.write(file, stream -> MAPPER.writeValue(new NotClosed(stream), root));
    }

    /** The mapper closes what it writes to, the replacement wants it open. */
    private static final class NotClosed extends java.io.FilterOutputStream {
        NotClosed(java.io.OutputStream out) {
            super(out);
        }

        @Override
        public void write(byte[] bytes, int from, int count) throws IOException {
            out.write(bytes, from, count);
        }

        @Override
        public void close() throws IOException {
            flush();
        }
    }

    private static ObjectNode json(ActivationStatistics value) {
        ObjectNode node = MAPPER.createObjectNode();
        node.put("pictures", value.images());
        node.putArray("moving").add(value.movingAverage().low()).add(value.movingAverage().high());
        ArrayNode low = node.putArray("low");
        ArrayNode high = node.putArray("high");
        for (int c = 0; c < value.channels(); c++) {
            low.add((float) value.channel(c).low());
            high.add((float) value.channel(c).high());
        }
        long[] counts = value.histogram().counts();
        int first = 0;
        int last = counts.length;
        while (first < last && counts[first] == 0) {
            first++;
        }
        while (last > first && counts[last - 1] == 0) {
            last--;
        }
        node.put("exponent", value.histogram().exponent()).put("first", first);
        ArrayNode array = node.putArray("counts");
        for (int i = first; i < last; i++) {
            array.add(counts[i]);
        }
        return node;
    }

    /**
     * The cache in a file, or nothing if there is no such file.
     *
     * @throws ModelException if the file is damaged or no cache; says what to do
     */
    public static Optional<StatisticsCache> read(Path file) {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            JsonNode root = MAPPER.readTree(file.toFile());
            if (root == null || !FORMAT.equals(root.path("format").asText())
                    || root.path("version").asInt() != VERSION) {
                throw new ModelException(file + ": is no calibration cache of this version; delete it or name another");
            }
            Map<String, ActivationStatistics> values = new HashMap<>();
            root.path("values").properties().forEach(entry -> values.put(entry.getKey(), value(entry.getValue())));
            List<String> files = new ArrayList<>();
            root.path("files").forEach(name -> files.add(name.asText()));
            if (files.stream().anyMatch(name -> name.indexOf('\t') < 0)) {
                throw new IllegalArgumentException("an image has no size");
            }
            return Optional.of(new StatisticsCache(root.path("model").asText(), root.path("data").asText(),
                    root.path("input").asText(), root.path("done").asInt(-1), root.path("pictures").asInt(), files,
                    values));
        } catch (JsonProcessingException e) {
            throw new ModelException(file + ": is damaged (" + e.getOriginalMessage() + "); delete it", e);
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            throw new ModelException(file + ": is damaged (" + e.getMessage() + "); delete it", e);
        } catch (IOException e) {
            throw new ShrikeException(file + ": cannot be read: " + e.getMessage(), e);
        }
    }

    private static ActivationStatistics value(JsonNode node) {
        float[] low = floats(node.path("low"));
        float[] high = floats(node.path("high"));
        long[] counts = new long[Histogram.BINS];
        int at = node.path("first").asInt(-1);
        for (JsonNode count : node.path("counts")) {
            if (!count.isIntegralNumber() || count.asLong() < 0) {
                throw new IllegalArgumentException("a count is " + count);
            }
            counts[at++] = count.asLong();
        }
        JsonNode moving = node.path("moving");
        return new ActivationStatistics(new Histogram(node.path("exponent").asInt(Integer.MIN_VALUE), counts), low,
                high,
                moving.path(0).asDouble(Double.NaN), moving.path(1).asDouble(Double.NaN),
                node.path("pictures").asLong());
    }

    private static float[] floats(JsonNode array) {
        float[] values = new float[array.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) array.get(i).asDouble(Double.NaN);
            if (!Float.isFinite(values[i])) {
                throw new IllegalArgumentException("a range is no finite number");
            }
        }
        return values;
    }
}
