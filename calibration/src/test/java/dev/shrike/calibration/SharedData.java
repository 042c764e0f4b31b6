package dev.shrike.calibration;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** Finds files of the data folder, which is no part of the product; a test that needs it is skipped without it. */
public final class SharedData {
    private SharedData() {}

    /** The file or folder, or the test is skipped. */
    public static Path file(String name) {
        Path root = root();
        Assumptions.assumeTrue(root != null,
                "skipped: no data folder (set SHRIKE_SHARED to one that has " + name + ")");
        Path file = root.resolve(name);
        Assumptions.assumeTrue(Files.exists(file), "skipped: the data folder has no " + name);
        return file;
    }

    private static Path root() {
        String named = System.getProperty("SHRIKE_SHARED", System.getenv("SHRIKE_SHARED"));
        if (named != null && !named.isBlank()) {
            return Path.of(named);
        }
        for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
            Path candidate = folder.resolve("shared");
            if (Files.isDirectory(candidate.resolve("reference"))) {
                return candidate;
            }
        }
        return null;
    }
}
