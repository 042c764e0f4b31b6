package dev.shrike.sources;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.sources.SourceState.Phase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Streams of an RTSP server that fails in its ways. Times are generous: the figures are tools/rtsp-check.sh's. */
@Tag("any-processor")
@Timeout(180)
class StreamTest {
    private static final int FRAMES = 12;
    private static final String LOGIN = "viewer:p@ss/w:rd";

    @TempDir
    private static Path folder;
    private static Path clip;

    @BeforeAll
    static void writeClip() throws InterruptedException {
        clip = Clips.write(folder.resolve("clip.mp4"), 160, 96, FRAMES);
    }

    private static SourceOptions.Builder quick() {
        return SourceOptions.builder().credentials("viewer", "p@ss/w:rd").openTimeout(Duration.ofSeconds(20))
                .stallTimeout(Duration.ofSeconds(20));
    }

    /** A source whose states are told. */
    private static LinkedBlockingQueue<SourceState> listen(FrameSource source) {
        LinkedBlockingQueue<SourceState> states = new LinkedBlockingQueue<>();
        source.listen(states::add);
        return states;
    }

    private static Thread read(FrameSource source) {
        return Thread.ofPlatform().start(() -> {
            try {
                for (Optional<Frame> next = source.next(); next.isPresent(); next = source.next()) {
                    // on it goes
                }
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
    }

    private static SourceState next(LinkedBlockingQueue<SourceState> states, Phase phase) throws InterruptedException {
        while (true) {
            SourceState state = states.poll(100, TimeUnit.SECONDS);
            assertTrue(state != null, "never " + phase);
            assertFalse(state.toString().contains("p@ss") || state.toString().contains("p%40ss"), state.toString());
            if (state.phase() == phase) {
                return state;
            }
        }
    }

    @Test
    void framesComeAsTheyAreDecodedNewestAndInOrder() throws Exception {
        try (RtspServer server = new RtspServer(clip, 50, LOGIN);
                FrameSource source = Sources.open(server.uri().replace("//", "//viewer:p@ss%2Fw:rd@"),
                        quick().camera("gate").credentials("", "").build())) {
            assertEquals(server.uri(), source.name());
            long last = 0;
            for (int i = 0; i < 2 * FRAMES; i++) {
                Frame frame = source.next().orElseThrow();
                assertEquals(PixelFormat.I420, frame.format());
                assertEquals("160x96 gate", frame.width() + "x" + frame.height() + " " + frame.camera());
                assertEquals(i, frame.sequence());
                assertTrue(frame.capturedNanos() > last && frame.capturedNanos() <= System.nanoTime());
                last = frame.capturedNanos();
            }
            assertEquals(new SourceState(Phase.RUNNING, "", 2 * FRAMES, 0), source.state());
        }
    }

    @Test
    void clockOfTheSenderCountsUnlessItIsWrong() throws Exception {
        for (long offset : new long[] {-2, -1000, 50}) {
            try (RtspServer server = new RtspServer(clip, 50, LOGIN)) {
                server.reportsClock = true;
                server.clockOffsetSeconds = offset;
                try (FrameSource source = Sources.open(server.uri(), quick().build())) {
                    Frame frame = source.next().orElseThrow();
                    double age = (System.nanoTime() - frame.capturedNanos()) / 1e9;
                    assertEquals(offset == -2, age >= 1.99, offset + ": " + age);
                }
            }
        }
    }

    @Test
    void wrongPasswordIsToldAndTriedAgainWithoutHaste() throws Exception {
        try (RtspServer server = new RtspServer(clip, 50, LOGIN);
                FrameSource source = Sources.open(server.uri(), quick().credentials("viewer", "secret").build())) {
            var states = listen(source);
            Thread reader = read(source);
            assertEquals("user or password is refused", next(states, Phase.CONNECTING).reason());
            source.close();
            reader.join();
        }
        try (RtspServer server = new RtspServer(clip, 50, LOGIN); FrameSource source = Sources.open(server.uri())) {
            var states = listen(source);
            Thread reader = read(source);
            assertEquals("it asks for a user and a password", next(states, Phase.CONNECTING).reason());
            source.close();
            reader.join();
        }
        try (RtspServer server = new RtspServer(clip, 50, LOGIN);
                FrameSource source = Sources.open(server.uri().replace("live", "none"), quick().build())) {
            var states = listen(source);
            Thread reader = read(source);
            assertEquals("the server has no such stream", next(states, Phase.CONNECTING).reason());
            source.close();
            reader.join();
        }
    }

    @Test
    void frozenServerIsNoticedAndItsReturnToo() throws Exception {
        SourceOptions options = quick().stallTimeout(Duration.ofSeconds(2)).openTimeout(Duration.ofSeconds(1)).build();
        try (RtspServer server = new RtspServer(clip, 50, LOGIN);
                FrameSource source = Sources.open(server.uri(), options)) {
            var states = listen(source);
            Thread reader = read(source);
            next(states, Phase.RUNNING);
            server.freeze();
            assertEquals("no frame for 2 s: frozen, or out of reach", next(states, Phase.LOST).reason());
            Thread.sleep(3_000);
            server.thaw();
            assertEquals(1, next(states, Phase.RUNNING).reconnects());
            source.close();
            reader.join();
        }
    }

    @Test
    void deadServerIsNoticedAndItsReturnToo() throws Exception {
        try (RtspServer server = new RtspServer(clip, 50, LOGIN);
                FrameSource source = Sources.open(server.uri(), quick().build())) {
            var states = listen(source);
            Thread reader = read(source);
            next(states, Phase.RUNNING);
            server.kill();
            next(states, Phase.LOST);
            Thread.sleep(1_500);
            assertTrue(source.state().reason().contains("cannot be reached"), source.state().reason());
            server.restart();
            assertEquals(1, next(states, Phase.RUNNING).reconnects());
            source.close();
            reader.join();
        }
    }

    @Test
    void interruptLeavesTheSourceUsable() throws Exception {
        try (RtspServer server = new RtspServer(clip, 50, LOGIN);
                FrameSource source = Sources.open(server.uri(), quick().build())) {
            source.next().orElseThrow();
            server.freeze();
            Thread.currentThread().interrupt();
            assertThrows(InterruptedException.class, () -> {
                while (true) {
                    source.next();
                }
            });
            server.thaw();
            assertTrue(source.next().isPresent());
        }
    }

    @Test
    void closeEndsAWaitForAServerThatDoesNotAnswer() throws Exception {
        try (RtspServer server = new RtspServer(clip, 50, LOGIN);
                FrameSource source = Sources.open(server.uri(), quick().openTimeout(Duration.ofHours(1)).build())) {
            server.freeze();
            Thread reader = read(source);
            Thread.sleep(300);
            source.close();
            reader.join();
        }
    }

    @Test
    void hundredReconnectsLeaveNothingBehind() throws Exception {
        int rounds = Integer.getInteger("shrike.reconnects", 100);
        try (RtspServer server = new RtspServer(clip, 200, LOGIN)) {
            StreamAddress address = StreamAddress.parse("rtsp", server.uri().substring("rtsp://".length()));
            BackOff hasty = new BackOff(Duration.ofMillis(1), Duration.ofMillis(20), new Random(1));
            try (FrameSource source = new ReconnectingSource(address.name(), new StreamLink(address, quick().build()),
                    hasty)) {
                long descriptors = 0;
                long threads = 0;
                long kilobytes = 0;
                for (int i = 0; i < rounds; i++) {
                    source.next().orElseThrow();
                    server.drop();
                    while (source.state().reconnects() == i) {
                        source.next().orElseThrow();
                    }
                    if (i == rounds / 2) {
                        descriptors = descriptors();
                        threads = Thread.getAllStackTraces().size();
                        kilobytes = residentKilobytes();
                    }
                }
                long more = residentKilobytes() - kilobytes;
                System.out.println(rounds / 2 + " reconnects: " + more + " kB, " + (descriptors() - descriptors)
                        + " descriptors, " + (Thread.getAllStackTraces().size() - threads) + " threads more");
                assertTrue(descriptors() <= descriptors + 4, descriptors + " descriptors, now " + descriptors());
                assertTrue(Thread.getAllStackTraces().size() <= threads + 4);
                assertTrue(more < 100_000, more + " kB more");
            }
        }
    }

    private static long descriptors() throws IOException {
        try (var all = Files.list(Path.of("/proc/self/fd"))) {
            return all.count();
        }
    }

    private static long residentKilobytes() throws IOException {
        System.gc();
        return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("VmRSS"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", ""))).findFirst().orElseThrow();
    }
}
