package dev.shrike.app.catalogue;

import dev.shrike.ShrikeException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * The right to change one cache folder, held by one thread of one process at a time. Owned by the thread that took it;
 * the system frees it if the process dies.
 */
final class CacheLock implements AutoCloseable {
    private static final long PAUSE_MILLIS = 100;

    private final FileChannel channel;
    private final FileLock lock;

    private CacheLock(FileChannel channel, FileLock lock) {
        this.channel = channel;
        this.lock = lock;
    }

    /** The lock, once whoever holds it has let go. */
    static CacheLock acquire(Path folder, ProgressListener progress) throws IOException {
        FileChannel channel = FileChannel.open(folder.resolve(".lock"), StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        try {
            boolean told = false;
            FileLock lock = attempt(channel);
            while (lock == null) {
                if (!told) {
                    progress.note("waiting for another shrike that is fetching into " + folder);
                    told = true;
                }
                Thread.sleep(PAUSE_MILLIS);
                lock = attempt(channel);
            }
            return new CacheLock(channel, lock);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            channel.close();
            throw new ShrikeException("interrupted while waiting for another shrike that fetches into " + folder, e);
        } catch (IOException | RuntimeException e) {
            channel.close();
            throw e;
        }
    }

    private static FileLock attempt(FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException e) {
            // Another thread of this very process holds it.
            return null;
        }
    }

    @Override
    public void close() throws IOException {
        lock.release();
        channel.close();
    }
}
