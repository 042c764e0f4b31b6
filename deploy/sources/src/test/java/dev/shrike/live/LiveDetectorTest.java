package dev.shrike.live;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.DeviceException;
import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.SourceException;
import dev.shrike.sources.FrameSource;
import dev.shrike.sources.SourceState;
import dev.shrike.sources.Sources;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Tag("any-processor")
@Timeout(120)
class LiveDetectorTest {
    private static final Duration LONG = Duration.ofSeconds(60);

    /** Remembers all that it is told. */
    private static final class Heard implements LiveListener {
        final List<Long> sequences = new ArrayList<>();
        final List<LiveResult> results = new ArrayList<>();
        final LinkedBlockingQueue<Throwable> errors = new LinkedBlockingQueue<>();
        final LinkedBlockingQueue<SourceState> states = new LinkedBlockingQueue<>();
        final CountDownLatch ended = new CountDownLatch(1);

        @Override
        public void onResult(LiveResult result) {
            sequences.add(result.frame().sequence());
            results.add(result);
        }

        @Override
        public void onError(Throwable error) {
            errors.add(error);
        }

        @Override
        public void onSourceChanged(SourceState state) {
            states.add(state);
        }

        @Override
        public void onEnd() {
            ended.countDown();
        }
    }

    /** A camera that gives a frame when it is told to, always in the same memory. */
    private static final class Camera implements FrameSource {
        private final SynchronousQueue<Optional<Long>> orders = new SynchronousQueue<>();
        private final Frame frame = Frame.allocate(PixelFormat.GREY, 8, 8, "camera");
        private final Optional<Frame> given = Optional.of(frame);
        private final Semaphore asked = new Semaphore(0);

        void send(long number) throws InterruptedException {
            assertTrue(orders.offer(Optional.of(number), 60, TimeUnit.SECONDS), "nobody asked for frame " + number);
        }

        @Override
        public Optional<Frame> next() throws InterruptedException {
            asked.release();
            Optional<Long> order = orders.take();
            if (order.isEmpty()) {
                return Optional.empty();
            }
            frame.pixels().fill(order.get().byteValue());
            frame.stamp(System.nanoTime(), 0, false, order.get());
            return given;
        }

        @Override
        public String name() {
            return "camera";
        }

        @Override
        public SourceState state() {
            return new SourceState(SourceState.Phase.RUNNING, "", 0, 0);
        }

        @Override
        public void close() {
            // The interrupt of the live detector ends next().
        }
    }

    @Test
    void newestFrameWinsAndTheOthersAreCounted() throws InterruptedException {
        Semaphore begun = new Semaphore(0);
        Semaphore mayEnd = new Semaphore(0);
        List<Byte> pixels = new ArrayList<>();
        SlowDetector detector = new SlowDetector(frame -> {
            begun.release();
            mayEnd.acquireUninterruptibly();
            pixels.add(frame.pixels().get(ValueLayout.JAVA_BYTE, 63));
        });
        Camera camera = new Camera();
        Heard heard = new Heard();
        try (LiveDetector live = LiveDetector.start(camera, detector, heard)) {
            camera.send(1);
            begun.acquire();
            for (long number = 2; number <= 9; number++) {
                camera.send(number);
            }
            // Asking for a tenth means that the ninth is in the slot.
            camera.asked.acquire(10);
            mayEnd.release();
            begun.acquire();
            mayEnd.release();
            camera.send(10);
            begun.acquire();
            mayEnd.release();
            camera.orders.put(Optional.empty());
            assertTrue(live.await(LONG));
            assertEquals(List.of(1L, 9L, 10L), heard.sequences);
            assertEquals(List.of((byte) 1, (byte) 9, (byte) 10), pixels);
            assertEquals(7, live.status().dropped());
            assertEquals(10, live.status().captured());
            assertEquals(3, live.status().detected());
            assertEquals(7, heard.results.get(1).dropped());
            assertEquals(0, heard.ended.getCount());
        }
    }

    @Test
    void everyFrameOfAFileIsRun() throws InterruptedException {
        Heard heard = new Heard();
        FrameSource source = Sources.open("test://pattern?size=64x64&fps=0&frames=50");
        try (LiveDetector live = LiveDetector.start(source, SlowDetector.of(1), heard, LiveDetector.Mode.EVERY)) {
            assertTrue(live.await(LONG));
            assertEquals(50, heard.sequences.size());
            assertEquals(0, live.status().dropped());
            assertEquals(List.of(), List.copyOf(heard.errors));
        }
        assertEquals(List.of(SourceState.Phase.RUNNING, SourceState.Phase.ENDED),
                heard.states.stream().map(SourceState::phase).toList());
    }

    @Test
    void frameIsNotFilledAgainWhileItIsRead() throws InterruptedException {
        AtomicInteger changed = new AtomicInteger();
        SlowDetector detector = new SlowDetector(frame -> {
            byte[] before = frame.pixels().toArray(ValueLayout.JAVA_BYTE);
            long number = frame.sequence();
            java.util.concurrent.locks.LockSupport.parkNanos(2_000_000);
            boolean same = java.util.Arrays.equals(before, frame.pixels().toArray(ValueLayout.JAVA_BYTE));
            changed.addAndGet(same && number == frame.sequence() ? 0 : 1);
        });
        Heard heard = new Heard();
        FrameSource source = Sources.open("test://pattern?size=64x64&fps=2000&frames=2000");
        try (LiveDetector live = LiveDetector.start(source, detector, heard)) {
            assertTrue(live.await(LONG));
            assertEquals(2000, live.status().captured());
            assertEquals(2000, live.status().detected() + live.status().dropped());
        }
        assertEquals(0, changed.get());
    }

    @Test
    void errorsOfTheDetectorReachTheListenerAndTheNextFrameIsRun() throws InterruptedException {
        AtomicInteger calls = new AtomicInteger();
        SlowDetector detector = new SlowDetector(frame -> {
            if (calls.incrementAndGet() == 2) {
                throw new DeviceException("out of memory");
            }
        });
        Heard heard = new Heard();
        FrameSource source = Sources.open("test://pattern?size=64x64&fps=0&frames=3");
        try (LiveDetector live = LiveDetector.start(source, detector, heard, LiveDetector.Mode.EVERY)) {
            assertTrue(live.await(LONG));
            assertEquals(List.of(0L, 2L), heard.sequences);
            assertEquals(1, live.status().failed());
        }
        assertInstanceOf(DeviceException.class, heard.errors.poll());
    }

    @Test
    void errorsOfTheSourceReachTheListenerAndEndIt(@org.junit.jupiter.api.io.TempDir java.nio.file.Path folder)
            throws Exception {
        java.nio.file.Files.writeString(folder.resolve("a.jpg"), "no image");
        Heard heard = new Heard();
        try (LiveDetector live = LiveDetector.start(Sources.open(folder.toString()), SlowDetector.of(0), heard)) {
            assertTrue(live.await(LONG));
            assertFalse(live.status().running());
        }
        assertInstanceOf(SourceException.class, heard.errors.poll());
        assertEquals(0, heard.ended.getCount());
    }

    @Test
    void errorsOfTheListenerComeBackToIt() throws InterruptedException {
        LinkedBlockingQueue<Throwable> errors = new LinkedBlockingQueue<>();
        LiveListener listener = new LiveListener() {
            @Override
            public void onResult(LiveResult result) {
                throw new IllegalArgumentException("listener " + result.frame().sequence());
            }

            @Override
            public void onError(Throwable error) {
                errors.add(error);
                throw new IllegalStateException("even here");
            }
        };
        FrameSource source = Sources.open("test://pattern?size=64x64&fps=0&frames=2");
        try (LiveDetector live = LiveDetector.start(source, SlowDetector.of(0), listener, LiveDetector.Mode.EVERY)) {
            assertTrue(live.await(LONG));
        }
        assertEquals(List.of("listener 0", "listener 1"), errors.stream().map(Throwable::getMessage).toList());
    }

    @Test
    void closeWaitsForTheFrameThatIsRun() throws InterruptedException {
        CountDownLatch begun = new CountDownLatch(1);
        AtomicInteger done = new AtomicInteger();
        SlowDetector detector = new SlowDetector(frame -> {
            begun.countDown();
            java.util.concurrent.locks.LockSupport.parkNanos(50_000_000);
            done.incrementAndGet();
        });
        Heard heard = new Heard();
        LiveDetector live = LiveDetector.start(Sources.open("test://pattern?size=64x64&fps=1000"), detector, heard);
        begun.await();
        live.close();
        int runs = done.get();
        assertTrue(runs >= 1);
        assertFalse(live.status().running());
        assertEquals(1, heard.ended.getCount(), "a close is no end");
        assertEquals(List.of(), List.copyOf(heard.errors));
        Thread.sleep(20);
        assertEquals(runs, done.get());
    }

    @Test
    void listenerMayClose() throws InterruptedException {
        LinkedBlockingQueue<LiveDetector> self = new LinkedBlockingQueue<>();
        CountDownLatch closed = new CountDownLatch(1);
        LiveListener listener = new LiveListener() {
            @Override
            public void onResult(LiveResult result) {
                try {
                    self.take().close();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                closed.countDown();
            }

            @Override
            public void onError(Throwable error) {
                throw new AssertionError(error);
            }
        };
        LiveDetector live = LiveDetector.start(Sources.open("test://pattern?fps=100"), SlowDetector.of(0), listener);
        self.add(live);
        assertTrue(closed.await(60, TimeUnit.SECONDS));
        assertTrue(live.await(LONG));
    }
}
