package dev.shrike.jetson.engine;

import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import dev.shrike.files.FileReplacement;
import dev.shrike.files.Interrupts;
import java.io.IOException;
import java.lang.System.Logger;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Engines in a folder, by what they were built from and for. An engine that is damaged, or of another GPU or TensorRT,
 * is never loaded: its key differs or its checksum does, and it is built again. Of two that want the same engine at
 * once, in one process or two, the second waits and takes what the first built; the lock goes with the process that has
 * it, however that ends. {@code KEY.json} beside an engine says what it is.
 */
public final class EngineCache {
    private static final Logger LOG = System.getLogger(EngineCache.class.getName());
    /** File locks are held by a process as a whole, so threads need one more. */
    private static final ConcurrentHashMap<Path, ReentrantLock> IN_PROCESS = new ConcurrentHashMap<>();

    /** Other engines are written by others, who may still be at it, but not for so long. */
    private static final Duration WRITING_AT_MOST = Duration.ofDays(1);

    private final Path folder;

    public EngineCache(Path folder) {
        this.folder = folder;
    }

    public Path folder() {
        return folder;
    }

    /** The engine that was kept for the record, or else the one that the builder gives, which is kept. */
    public EngineFile get(EngineRecord wanted, Supplier<EngineFile> builder) {
        Path file = folder.resolve(wanted.key() + ".engine");
        Optional<EngineFile> kept = find(file, wanted);
        if (kept.isPresent()) {
            return kept.get();
        }
        createFolder();
        ReentrantLock lock = IN_PROCESS.computeIfAbsent(file.toAbsolutePath(), _ -> new ReentrantLock());
        lock.lock();
        try (FileChannel channel = FileChannel.open(folder.resolve(wanted.key() + ".lock"), StandardOpenOption.CREATE,
                StandardOpenOption.WRITE); FileLock _ = lock(channel, file)) {
            removeLeftovers(wanted.key());
            return find(file, wanted).orElseGet(() -> keep(file, builder.get()));
        } catch (IOException e) {
            Interrupts.require(file + ": waiting for its lock", e);
            throw new ShrikeException(folder + ": cannot be locked: " + e + "; name another folder with"
                    + " -Dshrike.tensorrt.cache", e);
        } finally {
            lock.unlock();
        }
    }

    private static FileLock lock(FileChannel channel, Path file) throws IOException {
        FileLock lock = channel.tryLock();
        if (lock != null) {
            return lock;
        }
        LOG.log(Logger.Level.INFO, file + ": is being built by another process; this one waits for it");
        return channel.lock();
    }

    /** Removes what processes left that ended while they wrote; whoever holds the lock of a key writes its files. */
    private void removeLeftovers(String key) {
        Instant abandoned = Instant.now().minus(WRITING_AT_MOST);
        try (DirectoryStream<Path> files = Files.newDirectoryStream(folder, ".*.tmp")) {
            for (Path file : files) {
                if (file.getFileName().toString().startsWith("." + key + ".") || isBefore(file, abandoned)) {
                    Files.deleteIfExists(file);
                    LOG.log(Logger.Level.INFO, file + ": was left by a build that did not end; it is removed");
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            LOG.log(Logger.Level.WARNING, folder + ": what unfinished builds left is not removed: " + e);
        }
    }

    private static boolean isBefore(Path file, Instant time) throws IOException {
        try {
            return Files.getLastModifiedTime(file).toInstant().isBefore(time);
        } catch (NoSuchFileException _) {
            // Its writer has just renamed it.
            return false;
        }
    }

    private static Optional<EngineFile> find(Path file, EngineRecord wanted) {
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            EngineFile engine = EngineFile.read(file);
            String difference = engine.record().difference(wanted);
            if (difference.isEmpty()) {
                return Optional.of(engine);
            }
            LOG.log(Logger.Level.WARNING, file + ": has " + difference + "; it is built again");
        } catch (ModelException e) {
            LOG.log(Logger.Level.WARNING, e.getMessage() + "; it is built again now");
        }
        return Optional.empty();
    }

    private EngineFile keep(Path file, EngineFile engine) {
        engine.write(file);
        String name = file.getFileName().toString();
        Path description = file.resolveSibling(name.substring(0, name.lastIndexOf('.')) + ".json");
        FileReplacement.write(description, stream -> stream.write(engine.record().toJson()));
        // As the next caller gets it: mapped, not on the heap, where TensorRT could not read it.
        return EngineFile.read(file);
    }

    private void createFolder() {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new ShrikeException(folder + ": cannot be created: " + e + "; name another folder with"
                    + " -Dshrike.tensorrt.cache", e);
        }
    }
}
