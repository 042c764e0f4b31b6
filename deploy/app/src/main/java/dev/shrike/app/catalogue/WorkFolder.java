package dev.shrike.app.catalogue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * A folder for half-done files inside a cache folder, so that finished ones can be renamed into place. Only the holder
 * of the {@link CacheLock} makes one; it goes when closed, when the process is told to end, or, after a crash, when
 * the next one is made.
 */
final class WorkFolder implements AutoCloseable {
    private static final String PREFIX = ".work-";

    private final Path path;
    private final Thread atExit;

    private WorkFolder(Path path) {
        this.path = path;
        this.atExit = new Thread(this::deleteAtExit, "shrike-cache-cleaner");
    }

    static WorkFolder create(Path cacheFolder) throws IOException {
        List<Path> leftovers;
        try (Stream<Path> files = Files.list(cacheFolder)) {
            leftovers = files.filter(file -> file.getFileName().toString().startsWith(PREFIX)).toList();
        }
        leftovers.forEach(CacheFiles::deleteTree);
        WorkFolder work = new WorkFolder(Files.createTempDirectory(cacheFolder, PREFIX));
        Runtime.getRuntime().addShutdownHook(work.atExit);
        return work;
    }

    /** A new folder inside. */
    Path make(String name) throws IOException {
        return Files.createDirectory(path.resolve(name));
    }

    /** At exit npm is being stopped at the same time and may still write for a moment. */
    private void deleteAtExit() {
        for (int attempt = 0; attempt < 20 && Files.exists(path); attempt++) {
            CacheFiles.deleteTree(path);
            LockSupport.parkNanos(20_000_000L);
        }
    }

    @Override
    public void close() {
        CacheFiles.deleteTree(path);
        CacheFiles.forgetHook(atExit);
    }
}
