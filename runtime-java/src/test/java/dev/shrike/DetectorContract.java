package dev.shrike;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The life of a detector, whatever the engine: wrong use ends in an exception, and what is not refused is right.
 * Engines open a detector of {@link BlockYolo#graph}. The system property {@code shrike.stress.sequences} has the
 * number of sequences of opening, detecting, closing and interrupting that eight threads go through.
 */
@Timeout(1800)
public abstract class DetectorContract {
    private static final int THREADS = 8;
    private static final int SEQUENCES = Integer.getInteger("shrike.stress.sequences", 400);

    /** A detector of its own, closed by the test. Called by several threads at a time. */
    protected abstract Detector open();

    /** A frame of 64x64 with bright blocks that differ by the seed. */
    protected static Frame frame(int seed) {
        Frame frame = Frame.allocate(BlockYolo.SIDE, BlockYolo.SIDE);
        Random random = new Random(seed);
        int blocks = BlockYolo.SIDE / 8;
        for (int block = 0; block < blocks * blocks; block++) {
            int colour = random.nextInt(3) == 0 ? 0xff0000 | random.nextInt(0x10000) : 0x101010;
            for (int i = 0; i < 64; i++) {
                long pixel = (block / blocks * 8 + i / 8) * BlockYolo.SIDE + block % blocks * 8 + i % 8;
                for (int channel = 0; channel < 3; channel++) {
                    frame.pixels().set(ValueLayout.JAVA_BYTE, 3 * pixel + channel,
                            (byte) (colour >> 8 * channel & 255));
                }
            }
        }
        return frame;
    }

    @Test
    void isRightAndDiffersByFrame() {
        try (Detector detector = open()) {
            List<Detection> first = detector.detect(frame(1)).list();
            assertFalse(first.isEmpty());
            assertNotEquals(first, detector.detect(frame(2)).list());
            assertEquals(first, detector.detect(frame(1)).list());
        }
    }

    @Test
    void closesTwiceAndRefusesUseAfterwards() {
        Detector detector = open();
        detector.detect(frame(1));
        detector.close();
        detector.close();
        String closed = "the detector was closed";
        assertEquals(closed,
                assertThrows(IllegalStateException.class, () -> detector.detect(frame(1))).getMessage());
        assertEquals(closed, assertThrows(IllegalStateException.class,
                () -> detector.detectAll(List.of(frame(1), frame(2)))).getMessage());
        assertThrows(IllegalStateException.class, () -> detector.detectAll(List.of()));
    }

    @Test
    void anInterruptChangesNothingAndIsKept() {
        try (Detector detector = open()) {
            List<Detection> expected = detector.detect(frame(1)).list();
            Thread.currentThread().interrupt();
            List<Detection> found = detector.detect(frame(1)).list();
            assertTrue(Thread.interrupted());
            assertEquals(expected, found);
        }
    }

    @Test
    void refusesWhatIsNoFrameAndGoesOn() {
        try (Detector detector = open()) {
            assertThrows(NullPointerException.class, () -> detector.detect(null));
            List<Detection> expected = detector.detect(frame(1)).list();
            assertThrows(NullPointerException.class, () -> detector.detectAll(java.util.Arrays.asList(frame(2), null)));
            assertEquals(expected, detector.detect(frame(1)).list());
            assertTrue(detector.detectAll(List.of()).isEmpty());
            for (int[] size : new int[][] {{1, 1}, {1, 5000}, {5000, 1}, {3, 3}, {777, 333}}) {
                detector.detect(Frame.allocate(size[0], size[1]));
            }
            assertEquals(expected, detector.detect(frame(1)).list());
        }
    }

    @Test
    void aBufferHoldsWhatAListHolds() {
        try (Detector detector = open()) {
            detector.warmUp();
            DetectionBuffer buffer = new DetectionBuffer();
            for (int seed = 0; seed < 20; seed++) {
                Frame frame = frame(seed);
                frame.stamp(5, 7, true, seed);
                Detections found = detector.detect(frame);
                detector.detect(frame, buffer);
                assertEquals(found.list(), buffer.toDetections().list());
                assertEquals(seed, buffer.sequence());
                assertEquals(seed, found.sequence());
                assertEquals(5, found.capturedNanos());
                assertTrue(buffer.networkNanos() > 0);
            }
            assertThrows(NullPointerException.class, () -> detector.detect(frame(1), (DetectionBuffer) null));
        }
    }

    @Test
    void optionsOfOneCallHoldForThatCallAlone() {
        try (Detector detector = open()) {
            List<Detection> all = detector.detect(frame(1)).list();
            float threshold = all.get(all.size() / 2).score();
            DetectOptions higher = DetectOptions.DEFAULT.withThresholds(threshold, Float.NaN);
            assertEquals(all.stream().filter(d -> d.score() > threshold).toList(),
                    detector.detect(frame(1), higher).list());
            assertEquals(all.subList(0, 1),
                    detector.detect(frame(1), DetectOptions.DEFAULT.withMaxDetections(1)).list());
            assertEquals(all, detector.detect(frame(1)).list());
            assertEquals(all, detector.detectAll(List.of(frame(1))).getFirst().list());
            var error = assertThrows(IllegalArgumentException.class,
                    () -> detector.detect(frame(1), DetectOptions.DEFAULT.withThresholds(0, 0.5f)));
            assertTrue(error.getMessage().contains("was opened with"), error.getMessage());
            assertEquals(all, detector.detect(frame(1)).list());
        }
    }

    @Test
    void looksAtRegionsOfInterestAlone() {
        try (Detector detector = open()) {
            List<Detection> alone = detector.detect(frame(1)).list();
            Frame large = Frame.allocate(150, 100);
            Frame small = frame(1);
            for (int y = 0; y < BlockYolo.SIDE; y++) {
                java.lang.foreign.MemorySegment.copy(small.pixels(), 3L * BlockYolo.SIDE * y, large.pixels(),
                        3L * ((y + 21L) * 150 + 33), 3L * BlockYolo.SIDE);
            }
            List<Detection> moved = alone.stream().map(d -> new Detection(d.classId(), d.label(), d.score(),
                    d.x1() + 33, d.y1() + 21, d.x2() + 33, d.y2() + 21)).toList();
            Region region = new Region(33, 21, BlockYolo.SIDE, BlockYolo.SIDE);
            assertEquals(moved, detector.detect(large, DetectOptions.DEFAULT.withRegions(region)).list());
            assertEquals(moved, detector.detect(large, DetectOptions.DEFAULT.withRegions(region, region)).list(),
                    "what two regions see is one thing");
            assertThrows(IllegalArgumentException.class, () -> detector.detect(large,
                    DetectOptions.DEFAULT.withRegions(region, new Region(100, 0, 51, 10))));
            assertEquals(detector.detect(large).list(), detector.detect(large,
                    DetectOptions.DEFAULT.withRegions(new Region(0, 0, 150, 100))).list());
            assertEquals(alone, detector.detect(small).list());
        }
    }

    @Test
    void formatsGiveWhatTheirBgrGives() {
        Random random = new Random(3);
        try (Detector detector = open()) {
            for (PixelFormat format : PixelFormat.values()) {
                if (format == PixelFormat.MJPEG) {
                    continue;
                }
                for (int[] size : new int[][] {{64, 64}, {63, 41}, {128, 128}, {301, 187}}) {
                    Frame frame = Frame.allocate(format, size[0], size[1], "front");
                    byte[] bytes = new byte[Math.toIntExact(frame.bytes())];
                    random.nextBytes(bytes);
                    java.lang.foreign.MemorySegment.copy(bytes, 0, frame.pixels(), ValueLayout.JAVA_BYTE, 0,
                            bytes.length);
                    List<Detection> found = detector.detect(frame).list();
                    assertFalse(found.isEmpty());
                    assertEquals(detector.detect(dev.shrike.vision.Images.bgr(frame)).list(), found,
                            format + " " + size[0] + "x" + size[1]);
                }
            }
        }
    }

    @Test
    void threadsThatShareOneGetRightResultsOrAreRefused() throws Exception {
        try (Detector detector = open(); Crowd crowd = new Crowd()) {
            List<List<Detection>> expected = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                expected.add(detector.detect(frame(i)).list());
            }
            crowd.all(thread -> {
                Frame frame = frame(thread);
                int right = 0;
                for (int i = 0; i < 50 || right == 0; i++) {
                    try {
                        assertEquals(expected.get(thread), detector.detect(frame).list());
                        right++;
                    } catch (IllegalStateException e) {
                        assertTrue(e.getMessage().startsWith("the detector is in use by the thread '"),
                                e.getMessage());
                    }
                }
            });
        }
    }

    @Test
    void closeWaitsForTheCallThatRuns() throws Exception {
        List<Detection> expected;
        try (Detector detector = open()) {
            expected = detector.detect(frame(1)).list();
        }
        Frame frame = frame(1);
        for (int round = 0; round < 20; round++) {
            Detector detector = open();
            CountDownLatch running = new CountDownLatch(1);
            Future<Integer> calls = Executors.newVirtualThreadPerTaskExecutor().submit(() -> {
                int count = 0;
                while (true) {
                    try {
                        assertEquals(expected, detector.detect(frame).list());
                        count++;
                        running.countDown();
                    } catch (IllegalStateException e) {
                        assertEquals("the detector was closed", e.getMessage());
                        return count;
                    }
                }
            });
            running.await();
            detector.close();
            assertTrue(calls.get() > 0);
        }
    }

    /** Detectors that come and go, some shared by two threads that close and interrupt each other at any time. */
    @Test
    void survivesSequencesOfOpeningDetectingClosingAndInterrupting() throws Exception {
        List<List<Detection>> expected = new ArrayList<>();
        try (Detector detector = open()) {
            for (int i = 0; i < THREADS; i++) {
                expected.add(detector.detect(frame(i)).list());
            }
        }
        Map<String, Integer> seen = new ConcurrentHashMap<>();
        try (Crowd crowd = new Crowd()) {
            Thread[] threads = new Thread[THREADS];
            Detector[] shared = new Detector[THREADS];
            crowd.all(thread -> {
                threads[thread] = Thread.currentThread();
                Random random = new Random(thread);
                for (int i = 0; i < SEQUENCES / THREADS; i++) {
                    sequence(random, thread, threads, shared, expected, seen);
                }
            });
        }
        System.out.println(getClass().getSimpleName() + ": " + SEQUENCES + " sequences from " + THREADS + " threads: "
                + new TreeMap<>(seen));
        assertTrue(seen.getOrDefault("right", 0) > 0, seen.toString());
    }

    private void sequence(
            Random random, int thread, Thread[] threads, Detector[] shared, List<List<Detection>> expected,
            Map<String, Integer> seen) {
        Detector detector = null;
        try {
            if (random.nextInt(8) == 0) {
                Thread.currentThread().interrupt();
            }
            detector = open();
            shared[thread] = detector;
            for (int step = random.nextInt(1, 5); step > 0; step--) {
                Detector other = shared[random.nextInt(THREADS)];
                Thread neighbour = threads[random.nextInt(THREADS)];
                switch (random.nextInt(8)) {
                    case 0 -> detector.close();
                    case 1 -> Thread.currentThread().interrupt();
                    case 2 -> java.util.Optional.ofNullable(neighbour).ifPresent(Thread::interrupt);
                    case 3 -> java.util.Optional.ofNullable(other).ifPresent(Detector::close);
                    case 4 -> java.util.Optional.ofNullable(other).ifPresent(d -> see(d, thread, expected, seen));
                    default -> see(detector, thread, expected, seen);
                }
            }
        } catch (OperationInterruptedException e) {
            assertTrue(Thread.currentThread().isInterrupted(), "the interrupt was lost");
            seen.merge("interrupted", 1, Integer::sum);
        } finally {
            if (random.nextBoolean()) {
                Thread.interrupted();
            }
            if (detector != null) {
                detector.close();
            }
            Thread.interrupted();
        }
    }

    private static void see(
            Detector detector, int thread, List<List<Detection>> expected, Map<String, Integer> seen) {
        try {
            assertEquals(expected.get(thread), detector.detect(frame(thread)).list());
            seen.merge("right", 1, Integer::sum);
        } catch (IllegalStateException e) {
            String message = e.getMessage().replaceFirst("'[^']*'", "…");
            assertTrue(message.equals("the detector was closed") || message.startsWith("the detector is in use"),
                    e.toString());
            seen.merge(message.startsWith("the detector is") ? "in use" : "closed", 1, Integer::sum);
        }
    }

    /** Eight threads that do the same, and tell what went wrong in any of them. */
    private static final class Crowd implements AutoCloseable {
        private final java.util.concurrent.ExecutorService threads = Executors.newFixedThreadPool(THREADS);

        void all(java.util.function.IntConsumer work) throws Exception {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                int thread = i;
                running.add(threads.submit(() -> work.accept(thread)));
            }
            for (Future<?> future : running) {
                future.get();
            }
        }

        @Override
        public void close() {
            threads.shutdown();
        }
    }
}
