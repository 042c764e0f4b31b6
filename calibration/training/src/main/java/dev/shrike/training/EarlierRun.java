package dev.shrike.training;

import dev.shrike.ShrikeException;
import dev.shrike.files.FileReplacement;
import dev.shrike.files.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The folder of an earlier run in the way of a new one: set aside until the new one has something to show, so that a
 * run that cannot start takes nothing away.
 */
final class EarlierRun {
    private final Path folder;
    private final Path aside;
    private final boolean there;

    private EarlierRun(Path folder, Path aside, boolean there) {
        this.folder = folder;
        this.aside = aside;
        this.there = there;
    }

    /** Sets the folder aside if it holds a checkpoint, as {@code NAME.before}. */
    static EarlierRun setAside(Path folder) {
        Path aside = folder.resolveSibling(folder.getFileName() + ".before");
        boolean there = Files.exists(folder.resolve("checkpoint.bin"));
        if (there) {
            delete(aside);
            move(folder, aside);
        }
        return new EarlierRun(folder, aside, there);
    }

    /** Puts it back in place of what the new run has left. */
    void restore() {
        if (there) {
            delete(folder);
            move(aside, folder);
        }
    }

    /** Deletes it, as the new run has taken its place. */
    void discard() {
        if (there) {
            delete(aside);
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
