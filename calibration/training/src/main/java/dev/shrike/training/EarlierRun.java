package dev.shrike.training;

import dev.shrike.ShrikeException;
import dev.shrike.files.FileReplacement;
import dev.shrike.files.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The folder of a run, and that of an earlier one in its way: set aside until the new one has something to show. So a
 * run that cannot start takes nothing away and leaves nothing behind.
 */
final class EarlierRun {
    /** What a training process writes besides its events. */
    static final String LOG = "train.log";
    /** What a run writes before its first epoch is over. */
    private static final List<String> PARTS = List.of("job.json", "images.bin", "start.onnx", "quantized.onnx",
            "results.csv", "schedule.txt", "round-1-pruned.onnx");

    private final Path folder;
    private final Path aside;
    private final boolean there;
    private final boolean foreign;

    private EarlierRun(Path folder, Path aside, boolean there, boolean foreign) {
        this.folder = folder;
        this.aside = aside;
        this.there = there;
        this.foreign = foreign;
    }

    private static Path aside(Path folder) {
        return folder.resolveSibling(folder.getFileName() + ".before");
    }

    /**
     * Puts back what was set aside by a run that was killed before it had something to show.
     *
     * @param state file by which a run can go on
     */
    static void recover(Path folder, String state) {
        Path aside = aside(folder);
        if (!Files.exists(aside.resolve(state))) {
            return;
        }
        if (Files.exists(folder.resolve(state))) {
            delete(aside);
        } else {
            delete(folder);
            move(aside, folder);
        }
    }

    /**
     * Sets the folder aside if it holds a run, as {@code NAME.before}.
     *
     * @param state file by which a run can go on
     */
    static EarlierRun setAside(Path folder, String state) {
        Path aside = aside(folder);
        boolean there = Files.exists(folder.resolve(state));
        if (there) {
            delete(aside);
            move(folder, aside);
        }
        return new EarlierRun(folder, aside, there, !there && holdsMoreThanALog(folder));
    }

    private static boolean holdsMoreThanALog(Path folder) {
        if (!Files.isDirectory(folder)) {
            return false;
        }
        try (Stream<Path> files = Files.list(folder)) {
            return files.anyMatch(file -> !file.getFileName().toString().equals(LOG));
        } catch (IOException e) {
            throw new ShrikeException(folder + ": cannot be listed: " + e + "; name another --output", e);
        }
    }

    /**
     * Takes away what the new run has left, and puts the earlier one back.
     *
     * @param keepLog whether the log stays, as people were told to look into it
     */
    void restore(boolean keepLog) {
        if (foreign) {
            // Files of somebody else were here before, and stay.
            PARTS.forEach(name -> discard(folder.resolve(name)));
            return;
        }
        byte[] log = keepLog ? log() : new byte[0];
        if (Files.exists(folder)) {
            delete(folder);
        }
        if (there) {
            move(aside, folder);
        }
        if (log.length > 0) {
            write(log);
        }
    }

    private byte[] log() {
        try {
            Path file = folder.resolve(LOG);
            return Files.exists(file) ? Files.readAllBytes(file) : new byte[0];
        } catch (IOException e) {
            throw new ShrikeException(folder + ": cannot be read: " + e, e);
        }
    }

    private void write(byte[] log) {
        try {
            Files.createDirectories(folder);
            Files.write(folder.resolve(LOG), log);
        } catch (IOException e) {
            throw new ShrikeException(folder + ": cannot be written: " + e, e);
        }
    }

    /** Deletes it, as the new run has taken its place. */
    void discard() {
        if (there) {
            delete(aside);
        }
    }

    private static void discard(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new ShrikeException(file + ": cannot be deleted: " + e, e);
        }
    }

    private static void move(Path from, Path to) {
        try {
            FileReplacement.rename(from, to);
        } catch (IOException e) {
            throw new ShrikeException(from + ": cannot be moved to " + to + ": " + e + "; name another --output", e);
        }
    }

    private static void delete(Path folder) {
        try {
            FileTree.delete(folder);
        } catch (IOException e) {
            throw new ShrikeException(folder + ": cannot be deleted: " + e, e);
        }
    }
}
