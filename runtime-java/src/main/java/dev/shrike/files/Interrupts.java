package dev.shrike.files;

import dev.shrike.OperationInterruptedException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileLockInterruptionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ExecutionException;
import java.util.function.Supplier;

/** Keeps interrupts of threads apart from what is wrong with files, and away from what they would break for good. */
public final class Interrupts {
    private Interrupts() {}

    /**
     * Returns if the failure has nothing to do with an interrupt.
     *
     * @param what the file and what was done with it, such as {@code "a.jpg: reading it"}
     * @throws OperationInterruptedException if an interrupt of this thread ended it; the interrupt status is set then
     */
    public static void require(String what, IOException failure) {
        if (failure instanceof ClosedByInterruptException || failure instanceof FileLockInterruptionException
                || failure instanceof InterruptedIOException) {
            Thread.currentThread().interrupt();
            throw new OperationInterruptedException(
                    what + " was interrupted: the thread was interrupted, the file is not at fault; try again",
                    failure);
        }
    }

    /**
     * What the supplier gives on a thread of its own, so that no interrupt of this one reaches it. For loading
     * libraries: what was interrupted there would be missing for the rest of the process. The interrupt status is kept.
     * The supplier must not need a class that this thread is initialising, or a lock that it holds.
     */
    public static <T> T shield(Supplier<T> supplier) {
        FutureTask<T> task = new FutureTask<>(supplier::get);
        Thread.ofPlatform().daemon().name("shrike-loading").start(task);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return task.get();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case RuntimeException cause -> throw cause;
                case Error cause -> throw cause;
                default -> throw new IllegalStateException(e.getCause());
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
