package dev.shrike.app.catalogue;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/** Finds reference models that are not part of the product; tests that want one are skipped without it. */
final class SharedFolder {
    private SharedFolder() {}

    /** A file below the folder named by {@code SHRIKE_SHARED}, or by {@code shared} beside a folder above. */
    static Path file(String name) {
        String named = System.getProperty("SHRIKE_SHARED", System.getenv("SHRIKE_SHARED"));
        Path found = named == null ? null : Path.of(named).resolve(name);
        for (Path at = Path.of("").toAbsolutePath(); found == null && at != null; at = at.getParent()) {
            Path candidate = at.resolve("shared").resolve(name);
            found = Files.exists(candidate) ? candidate : null;
        }
        assumeTrue(found != null && Files.exists(found), "skipped: no " + name + " (set SHRIKE_SHARED)");
        return found;
    }
}
