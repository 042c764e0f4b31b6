package dev.shrike.app.outputs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.DeviceException;
import dev.shrike.sources.SourceState;
import dev.shrike.tracking.TrackEvent;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.io.UncheckedIOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class JsonLinesTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path folder;

    @Test
    void streamGetsWhatIsSelected() {
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        try (Output output = JsonLines.stream("stdout", stream, Samples.RUN, Selection.EVENTS, 1 << 20)) {
            output.send(Samples.frame("yard", 1));
            output.send(Samples.event(TrackEvent.Kind.NEW, "yard", 1, 3));
            output.send(Samples.source("yard", SourceState.Phase.RUNNING, ""));
            output.close();
            OutputStatus status = output.status();
            assertEquals(new OutputStatus("stdout", true, "", 2, 0, 0), status);
        }
        List<String> lines = stream.toString(StandardCharsets.UTF_8).lines().toList();
        assertEquals(2, lines.size());
        assertTrue(lines.get(0).contains("\"event\":\"new\""), lines.get(0));
    }

    @Test
    void aStreamThatIsStuckCostsLinesAndNoTime() throws InterruptedException {
        CountDownLatch stuck = new CountDownLatch(1);
        CountDownLatch forever = new CountDownLatch(1);
        OutputStream stream = new OutputStream() {
            @Override
            public void write(int b) {
                throw new AssertionError("by arrays only");
            }

            @Override
            public void write(byte[] bytes, int from, int length) {
                stuck.countDown();
                while (forever.getCount() > 0) {
                    try {
                        forever.await(); // as a pipe: an interrupt does not end it
                    } catch (InterruptedException e) {
                        continue;
                    }
                }
            }
        };
        Output output = JsonLines.stream("stdout", stream, Samples.RUN, Selection.ALL, 10_000);
        output.send(Samples.frame("yard", 0));
        stuck.await();
        for (int i = 1; i <= 1000; i++) {
            output.send(Samples.frame("yard", i));
        }
        OutputStatus status = output.status();
        assertTrue(status.waiting() > 1 && status.waiting() < 30, status.toString());
        assertEquals(1001, status.waiting() + status.dropped());
        output.close();
        assertEquals(1001, output.status().waiting() + output.status().dropped());
        forever.countDown();
    }

    @Test
    void aReaderThatIsGoneIsToldOf() throws Exception {
        PipedInputStream reader = new PipedInputStream();
        PipedOutputStream pipe = new PipedOutputStream(reader);
        try (Output output = JsonLines.stream("stdout", pipe, Samples.RUN, Selection.ALL, 100_000)) {
            reader.close();
            for (int i = 0; i < 100; i++) {
                output.send(Samples.frame("yard", i));
            }
            Samples.await("all are counted", () -> output.status().dropped() == 100);
            assertFalse(output.status().working());
            assertFalse(output.status().reason().isEmpty());
        }
    }

    private static List<String> lines(Path file) throws IOException {
        List<String> lines = Files.readAllLines(file);
        for (String line : lines) {
            assertTrue(JSON.readTree(line).isObject(), line);
        }
        return lines;
    }

    @Test
    void filesAreRotatedWithinTheirBound() throws IOException {
        Path file = folder.resolve("seen.jsonl");
        Files.writeString(folder.resolve("seen.jsonl.9"), "another's");
        long line = new MessageJson(Samples.RUN).line(Samples.frame("yard", 100)).length;
        int count = (int) (10 * 65_536 / line);
        try (Output output = JsonLines.file(file, 65_536, 3, Samples.RUN, Selection.ALL, 64 << 20)) {
            for (int i = 0; i < count; i++) {
                output.send(Samples.frame("yard", i));
            }
        }
        List<String> kept = new ArrayList<>();
        for (String name : List.of("seen.jsonl.3", "seen.jsonl.2", "seen.jsonl.1", "seen.jsonl")) {
            assertTrue(Files.size(folder.resolve(name)) <= 65_536);
            kept.addAll(lines(folder.resolve(name)));
        }
        for (int i = 0; i < kept.size(); i++) {
            assertEquals(count - kept.size() + i, JSON.readTree(kept.get(i)).get("sequence").asLong());
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(5, files.count());
        }
    }

    @Test
    void anUnfinishedLineIsCutOff() throws IOException {
        Path file = folder.resolve("seen.jsonl");
        for (String left : List.of("{\"a\":1}\n{\"b\":", "{\"a\":1}\n{\"b\":" + " ".repeat(50_000), "{\"a\":1}\n")) {
            Files.writeString(file, left);
            try (Output output = JsonLines.file(file, 1 << 20, 0, Samples.RUN, Selection.ALL, 1 << 20)) {
                output.send(Samples.frame("yard", 5));
            }
            List<String> lines = lines(file);
            assertEquals(2, lines.size());
            assertEquals("{\"a\":1}", lines.getFirst());
        }
        Files.writeString(file, "never a line");
        try (Output output = JsonLines.file(file, 1 << 20, 0, Samples.RUN, Selection.ALL, 1 << 20)) {
            output.send(Samples.frame("yard", 5));
        }
        assertEquals(1, lines(file).size());
    }

    @Test
    void aFileThatCannotBeWrittenIsTriedAgain() throws Exception {
        Path file = folder.resolve("gone/seen.jsonl");
        try (Output output = JsonLines.file(file, 1 << 20, 1, Samples.RUN, Selection.ALL, 1 << 20)) {
            output.send(Samples.frame("yard", 1));
            output.send(Samples.frame("yard", 2));
            Samples.await("a reason", () -> !output.status().working());
            assertTrue(output.status().reason().contains("seen.jsonl"), output.status().reason());
            assertEquals(2, output.status().waiting());
            Files.createDirectory(folder.resolve("gone"));
            Samples.await("both lines", () -> output.status().sent() == 2);
            assertTrue(output.status().working());
            assertEquals(2, lines(file).size());
            // As by logrotate.
            Files.move(file, folder.resolve("moved"));
            output.send(Samples.frame("yard", 3));
            Samples.await("the third line", () -> output.status().sent() == 3);
            assertEquals(1, lines(file).size());
        }
    }

    @Test
    void aFullDiskIsToldOfAndLeavesWholeLines() throws Exception {
        assumeTrue(Files.isWritable(Path.of("/dev/full")), "skipped: no /dev/full");
        try (Output output = JsonLines.file(Path.of("/dev/full"), 1 << 20, 0, Samples.RUN, Selection.ALL, 20_000)) {
            for (int i = 0; i < 200; i++) {
                output.send(Samples.frame("yard", i));
            }
            Samples.await("a reason", () -> !output.status().working());
            OutputStatus status = output.status();
            assertTrue(status.reason().contains("No space left"), status.reason());
            assertEquals(200, status.waiting() + status.dropped());
        }
    }

    @Test
    void refusesFilesThatAreTooSmallOrTooMany() {
        assertThrows(IllegalArgumentException.class,
                () -> JsonLines.file(folder.resolve("x"), 1000, 1, Samples.RUN, Selection.ALL, 1 << 20));
        assertThrows(IllegalArgumentException.class,
                () -> JsonLines.file(folder.resolve("x"), 1 << 20, -1, Samples.RUN, Selection.ALL, 1 << 20));
    }

    /** Somebody who connects and reads whatever comes. */
    private static final class Reader implements AutoCloseable {
        private final SocketChannel channel;
        private final List<String> lines = Collections.synchronizedList(new ArrayList<>());
        private final Thread reading;

        Reader(Path socket) throws IOException {
            channel = SocketChannel.open(UnixDomainSocketAddress.of(socket));
            reading = Thread.ofVirtual().start(() -> {
                try (BufferedReader in = new BufferedReader(Channels.newReader(channel, StandardCharsets.UTF_8))) {
                    in.lines().forEach(lines::add);
                } catch (IOException | UncheckedIOException e) {
                    lines.add("broken off");
                }
            });
        }

        long newest() {
            try {
                return lines.isEmpty() ? -1 : JSON.readTree(lines.getLast()).get("sequence").asLong();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }

    @Test
    void everybodyWhoConnectsGetsAllLines() throws Exception {
        Path socket = folder.resolve("s");
        Output output = JsonLines.socket(socket, Samples.RUN, Selection.ALL, 1 << 20);
        assertEquals("rw-rw----", PosixFilePermissions.toString(Files.getPosixFilePermissions(socket)));
        output.send(Samples.frame("yard", 0));
        List<Reader> readers = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            readers.add(new Reader(socket));
        }
        // Whoever has connected is not known at once.
        Samples.await("a line for each", () -> {
            output.send(Samples.frame("yard", 1));
            return readers.stream().allMatch(reader -> reader.newest() == 1);
        });
        for (int i = 2; i <= 100; i++) {
            output.send(Samples.frame("yard", i));
        }
        output.close();
        assertFalse(Files.exists(socket));
        for (Reader reader : readers) {
            reader.reading.join();
            long last = 1;
            for (String line : reader.lines) {
                long sequence = JSON.readTree(line).get("sequence").asLong();
                assertTrue(sequence == last + 1 || sequence == 1, sequence + " after " + last);
                last = sequence;
            }
            assertEquals(100, last);
            reader.close();
        }
        assertFalse(output.status().working());
    }

    @Test
    void aSlowReaderIsCutOffAndHarmsNobody() throws Exception {
        Path socket = folder.resolve("s");
        try (Output output = JsonLines.socket(socket, Samples.RUN, Selection.ALL, 200_000);
                SocketChannel slow = SocketChannel.open(UnixDomainSocketAddress.of(socket));
                Reader good = new Reader(socket)) {
            Samples.await("a line", () -> {
                output.send(Samples.frame("yard", 0));
                return good.newest() == 0;
            });
            long sequence = 0;
            while (output.status().dropped() == 0) {
                long next = ++sequence;
                output.send(Samples.frame("yard", next));
                Samples.await("the good one gets all", () -> good.newest() == next);
                assertTrue(sequence < 100_000, "the slow one is never cut");
            }
            long next = ++sequence;
            output.send(Samples.frame("yard", next));
            Samples.await("the good one gets on", () -> good.newest() == next);
            long got = new BufferedReader(Channels.newReader(slow, StandardCharsets.UTF_8)).lines().count();
            assertTrue(got < sequence, got + " of " + sequence);
        }
    }

    @Test
    void aReaderThatTakesNothingIsCutOffInTime() throws Exception {
        Path socket = folder.resolve("s");
        try (Output output = JsonLines.socket(socket, Samples.RUN, Selection.ALL, 1 << 30);
                SocketChannel stalled = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
            Samples.await("it is cut off", () -> {
                output.send(Samples.frame("yard", 0));
                return output.status().dropped() > 0;
            });
            assertEquals(0, output.status().waiting());
            assertTrue(stalled.isOpen());
        }
    }

    @Test
    void aReaderThatTalksOrGoesIsNoTrouble() throws Exception {
        Path socket = folder.resolve("s");
        try (Output output = JsonLines.socket(socket, Samples.RUN, Selection.ALL, 1 << 20)) {
            for (int i = 0; i < 300; i++) {
                try (SocketChannel channel = SocketChannel.open(UnixDomainSocketAddress.of(socket))) {
                    channel.write(ByteBuffer.allocate(4096));
                    output.send(Samples.frame("yard", i));
                } catch (IOException tooMany) {
                    // Cut off while it writes: those before are not all gone yet.
                }
            }
            Samples.await("a line", () -> {
                try (Reader reader = new Reader(socket)) {
                    for (int i = 0; i < 20 && reader.newest() < 0; i++) {
                        output.send(Samples.frame("yard", 5));
                        Thread.sleep(5);
                    }
                    return reader.newest() == 5;
                } catch (IOException | InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
            assertTrue(output.status().working());
        }
    }

    @Test
    void takesTheSocketOfADeadServiceOnly() throws IOException {
        Path socket = folder.resolve("s");
        Output first = JsonLines.socket(socket, Samples.RUN, Selection.ALL, 1 << 20);
        DeviceException used = assertThrows(DeviceException.class,
                () -> JsonLines.socket(socket, Samples.RUN, Selection.ALL, 1 << 20));
        assertTrue(used.getMessage().contains("another program listens"), used.getMessage());
        first.close();
        try (ServerSocketChannel left = ServerSocketChannel.open(StandardProtocolFamily.UNIX)) {
            left.bind(UnixDomainSocketAddress.of(socket));
        }
        assertTrue(Files.exists(socket), "left behind");
        JsonLines.socket(socket, Samples.RUN, Selection.ALL, 1 << 20).close();
        Files.writeString(socket, "a file");
        assertThrows(DeviceException.class, () -> JsonLines.socket(socket, Samples.RUN, Selection.ALL, 1 << 20));
        assertEquals("a file", Files.readString(socket));
        assertThrows(DeviceException.class, () -> JsonLines.socket(folder.resolve("x".repeat(150)), Samples.RUN,
                Selection.ALL, 1 << 20));
        assertThrows(DeviceException.class,
                () -> JsonLines.socket(folder.resolve("no/s"), Samples.RUN, Selection.ALL, 1 << 20));
    }
}
