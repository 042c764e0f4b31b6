package dev.shrike.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class UseGuardTest {
    private final UseGuard guard = new UseGuard("detector");
    private final AtomicInteger released = new AtomicInteger();

    @Test
    void refusesASecondUseBesideTheFirstAndNamesItsThread() throws InterruptedException {
        try (Running running = new Running(guard, "camera")) {
            var error = assertThrows(IllegalStateException.class, guard::enter);
            assertTrue(error.getMessage().contains("the detector is in use by the thread 'camera'"),
                    error.getMessage());
            assertThrows(IllegalStateException.class, guard::exit, "somebody else's use");
            assertTrue(running.thread.isAlive());
        }
        guard.enter();
        assertThrows(IllegalStateException.class, guard::enter, "a use within a use");
        guard.exit();
    }

    @Test
    void refusesUsesAfterCloseAndReleasesOnce() {
        guard.close(released::incrementAndGet);
        guard.close(released::incrementAndGet);
        assertEquals(1, released.get());
        assertTrue(guard.isClosed());
        assertEquals("the detector was closed",
                assertThrows(IllegalStateException.class, guard::enter).getMessage());
    }

    @Test
    void closeWaitsForTheUseThatRuns() throws InterruptedException {
        Running running = new Running(guard, "camera");
        List<Thread> closers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            closers.add(Thread.ofPlatform().start(() -> guard.close(released::incrementAndGet)));
        }
        while (!guard.isClosed()) {
            Thread.onSpinWait();
        }
        assertThrows(IllegalStateException.class, guard::enter);
        assertEquals(0, released.get());
        assertTrue(closers.stream().allMatch(Thread::isAlive));
        running.close();
        for (Thread closer : closers) {
            closer.join();
        }
        assertEquals(1, released.get());
    }

    @Test
    void anInterruptDoesNotEndTheWaitAndIsKept() throws InterruptedException {
        Running running = new Running(guard, "camera");
        AtomicInteger kept = new AtomicInteger();
        Thread closer = Thread.ofPlatform().start(() -> {
            Thread.currentThread().interrupt();
            guard.close(released::incrementAndGet);
            kept.addAndGet(Thread.currentThread().isInterrupted() ? 1 : 0);
        });
        while (!guard.isClosed()) {
            Thread.onSpinWait();
        }
        closer.interrupt();
        assertEquals(0, released.get());
        running.close();
        closer.join();
        assertEquals(1, released.get());
        assertEquals(1, kept.get());
    }

    @Test
    void aCloseWithinTheUseReleasesAtItsEnd() throws InterruptedException {
        guard.enter();
        guard.close(released::incrementAndGet);
        guard.close(released::incrementAndGet);
        assertEquals(0, released.get());
        Thread other = Thread.ofPlatform().start(() -> guard.close(released::incrementAndGet));
        assertFalse(other.join(java.time.Duration.ofMillis(20)), "returned before memory was freed");
        guard.exit();
        other.join();
        assertEquals(1, released.get());
    }

    @Test
    void aCloseWithinTheUseDoesNotWaitForAnotherThatWaitsForIt() throws InterruptedException {
        guard.enter();
        Thread other = Thread.ofPlatform().start(() -> guard.close(released::incrementAndGet));
        while (!guard.isClosed()) {
            Thread.onSpinWait();
        }
        guard.close(released::incrementAndGet);
        guard.exit();
        other.join();
        assertEquals(1, released.get());
    }

    @Test
    void aCloseFromWithinTheReleaseReturnsAndAFailedReleaseIsToldOnce() {
        assertThrows(IllegalArgumentException.class, () -> guard.close(() -> {
            guard.close(released::incrementAndGet);
            throw new IllegalArgumentException("cannot be freed");
        }));
        guard.close(released::incrementAndGet);
        assertEquals(0, released.get());
    }

    /** A use on a thread of its own, until this is closed. */
    private static final class Running implements AutoCloseable {
        private final CountDownLatch end = new CountDownLatch(1);
        private final Thread thread;

        Running(UseGuard guard, String name) throws InterruptedException {
            CountDownLatch begun = new CountDownLatch(1);
            thread = Thread.ofPlatform().name(name).start(() -> {
                guard.enter();
                begun.countDown();
                try {
                    end.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                } finally {
                    guard.exit();
                }
            });
            begun.await();
        }

        @Override
        public void close() throws InterruptedException {
            end.countDown();
            thread.join();
        }
    }
}
