package dev.shrike.cpu;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** The folder of real networks and reference results, which only some machines have. */
public final class SharedFolder {
    private SharedFolder() {}

    /** A file of the folder; the test is skipped if it is missing. */
    public static Path file(String name) {
        Path folder = folder();
        Assumptions.assumeTrue(folder != null, "skipped: no data folder; set SHRIKE_SHARED to its path");
        Path file = folder.resolve(name);
        Assumptions.assumeTrue(Files.isReadable(file), "skipped: " + file + " is missing");
        return file;
    }

    private static Path folder() {
        String given = System.getProperty("SHRIKE_SHARED", System.getenv("SHRIKE_SHARED"));
        if (given != null) {
            return Path.of(given);
        }
        for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
            Path beside = at.resolveSibling("shared");
            if (Files.exists(at.resolve(".git")) && Files.isDirectory(beside)) {
                return beside;
            }
        }
        return null;
    }
}
