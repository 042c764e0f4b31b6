package dev.shrike.app;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** Files of the source tree that tests look at. */
public final class Repository {
    private Repository() {}

    /** The root of the source tree: the nearest folder above the working directory that has the launcher in it. */
    public static Path root() {
        for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
            if (Files.isRegularFile(folder.resolve("shrike")) && Files.isDirectory(folder.resolve("runtime-java"))) {
                return folder;
            }
        }
        throw new IllegalStateException("no source tree above " + Path.of("").toAbsolutePath());
    }

    /** The folder with real models and images; skips the test where there is none. */
    public static Path shared() {
        String named = System.getProperty("shrike.shared", System.getenv("SHRIKE_SHARED"));
        Path folder = named == null ? root().resolveSibling("shared") : Path.of(named);
        Assumptions.assumeTrue(
                Files.isDirectory(folder.resolve("models")), "no folder of real models at " + folder + ": skipped");
        return folder;
    }
}
