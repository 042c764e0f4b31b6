package dev.shrike.cpu.tuning;

import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import dev.shrike.cpu.binding.CpuModel;
import dev.shrike.cpu.file.Fields;
import dev.shrike.cpu.steps.ConvKernel;
import dev.shrike.files.FileReplacement;
import java.io.IOException;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;

/**
 * What was measured on this machine before: a JSON file for each model of CPU, in it an object for each target with the
 * kernel of each layer. Processes may share it: whoever writes reads again and replaces the whole file at once, so that
 * the worst that can happen is that something is measured twice.
 *
 * @param file where it is; it and its folder need not exist
 */
public record TuningCache(Path file) {
    private static final System.Logger LOG = System.getLogger(TuningCache.class.getName());
    private static final long LARGEST = 1 << 24;

    /** The one for this CPU: in {@code shrike.cpu.tuning}, or below {@code ${XDG_CACHE_HOME:-~/.cache}/shrike}. */
    public static TuningCache here(CpuModel cpu) {
        String given = System.getProperty("shrike.cpu.tuning");
        Path folder = given != null && !given.isBlank() ? Path.of(given)
                : folder(System.getenv("XDG_CACHE_HOME"), System.getProperty("user.home"));
        return new TuningCache(folder.resolve("tuning-" + cpu.slug() + ".json"));
    }

    /** The XDG base directory specification says that a relative path is to be ignored. */
    static Path folder(String xdgCacheHome, String home) {
        if (xdgCacheHome != null && xdgCacheHome.startsWith("/")) {
            return Path.of(xdgCacheHome, "shrike");
        }
        return Path.of(home != null && home.startsWith("/") ? home : "/nonexistent", ".cache", "shrike");
    }

    /** What is known for a target, by layer; empty if nothing is. */
    public Map<String, ConvKernel> read(String target) {
        return Choices.known(readAll(Level.WARNING).getOrDefault(target, Map.of()), file.toString());
    }

    /** Adds to what is known for a target. That it cannot be written is told in the log and stops nobody. */
    public void add(String target, Map<String, ConvKernel> kernels) {
        Map<String, Map<String, String>> all = readAll(Level.DEBUG);
        Map<String, String> known = new TreeMap<>(all.getOrDefault(target, Map.of()));
        known.putAll(Choices.texts(kernels));
        all.put(target, known);
        byte[] bytes = Fields.toBytes(all);
        try {
            Files.createDirectories(file.toAbsolutePath().getParent());
            FileReplacement.write(file, stream -> stream.write(bytes));
        } catch (IOException | ShrikeException e) {
            LOG.log(Level.WARNING, "what was measured is not kept for the next time: " + e.getMessage());
        }
    }

    /** Everything in the file; nothing if there is none, or one that is none of ours, which the next write replaces. */
    private Map<String, Map<String, String>> readAll(Level loudness) {
        if (!Files.isRegularFile(file)) {
            return new TreeMap<>();
        }
        try {
            if (Files.size(file) > LARGEST) {
                throw new ModelException("it has more than " + LARGEST + " bytes");
            }
            Fields all = Fields.parse(MemorySegment.ofArray(Files.readAllBytes(file)), "tuning cache");
            Map<String, Map<String, String>> targets = new TreeMap<>();
            for (String target : all.values().keySet()) {
                targets.put(target, new HashMap<>(all.object(target).allTexts()));
            }
            return targets;
        } catch (IOException | ModelException e) {
            LOG.log(loudness, file + " is not used and will be written anew: " + e.getMessage());
            return new TreeMap<>();
        }
    }
}
