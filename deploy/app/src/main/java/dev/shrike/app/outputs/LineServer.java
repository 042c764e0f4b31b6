package dev.shrike.app.outputs;

import dev.shrike.DeviceException;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Lines of JSON for everybody who connects to a unix socket; see {@link JsonLines#socket}. */
final class LineServer implements Output {
    private static final int MOST_READERS = 64;
    /** sun_path of Linux has 108 bytes, the last of them 0. */
    private static final int LONGEST_PATH = 107;
    private static final long STALLED_NANOS = TimeUnit.SECONDS.toNanos(5);
    private static final long CLOSE_NANOS = TimeUnit.MILLISECONDS.toNanos(700);

    private final Path path;
    private final MessageJson json;
    private final Selection selection;
    private final long bound;
    private final ServerSocketChannel server;
    private final Set<Reader> readers = ConcurrentHashMap.newKeySet();
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong dropped = new AtomicLong();
    private volatile String reason = "";
    private volatile boolean closed;

    private LineServer(Path path, ServiceRun run, Selection selection, long bound, ServerSocketChannel server) {
        this.path = path;
        this.selection = selection;
        this.bound = bound;
        this.server = server;
        json = new MessageJson(run);
        Thread.ofVirtual().name("shrike " + path).start(this::accept);
    }

    static LineServer open(Path path, ServiceRun run, Selection selection, long bound) {
        if (path.toString().getBytes(StandardCharsets.UTF_8).length > LONGEST_PATH) {
            throw new DeviceException("the path of the socket " + path + " is longer than " + LONGEST_PATH
                    + " bytes, which the system does not allow: choose a shorter one, such as /run/shrike/results");
        }
        try {
            removeStale(path);
            ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            try {
                server.bind(UnixDomainSocketAddress.of(path));
                Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-rw----"));
                return new LineServer(path, run, selection, bound, server);
            } catch (IOException | RuntimeException e) {
                server.close();
                throw e;
            }
        } catch (IOException e) {
            throw new DeviceException("cannot make the socket " + path + ": " + e.getMessage()
                    + " (its folder must exist and be writable)", e);
        }
    }

    /** A socket that nobody listens to was left by a service that was killed. Other files stay. */
    private static void removeStale(Path path) throws IOException {
        if (!Files.exists(path, LinkOption.NOFOLLOW_LINKS)) {
            return;
        }
        if (!Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS).isOther()) {
            throw new IOException("there is a file of that name, and it is no socket");
        }
        try (SocketChannel probe = SocketChannel.open(StandardProtocolFamily.UNIX)) {
            probe.connect(UnixDomainSocketAddress.of(path));
        } catch (IOException nobodyListens) {
            Files.delete(path);
            return;
        }
        throw new IOException("another program listens to it");
    }

    private void accept() {
        while (!closed) {
            try {
                SocketChannel channel = server.accept();
                if (readers.size() >= MOST_READERS) {
                    channel.close();
                    continue;
                }
                Reader reader = new Reader(channel);
                readers.add(reader);
                reader.start();
                reason = "";
            } catch (IOException e) {
                if (closed || !server.isOpen()) {
                    return;
                }
                reason = "cannot take readers: " + e.getMessage();
                pause();
            }
        }
    }

    /** As where descriptors have run out. */
    private static void pause() {
        try {
            TimeUnit.SECONDS.sleep(1);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void send(Message message) {
        if (readers.isEmpty() || !selection.takes(message)) {
            return;
        }
        byte[] line = json.line(message);
        for (Reader reader : readers) {
            reader.add(line);
        }
    }

    /** Somebody who connected. */
    private final class Reader {
        private final SocketChannel channel;
        private final Outbox outbox = new Outbox(bound);
        private volatile long writingSince;

        Reader(SocketChannel channel) {
            this.channel = channel;
        }

        void start() {
            Thread.ofVirtual().start(this::write);
            Thread.ofVirtual().start(this::awaitEnd);
        }

        void add(byte[] line) {
            outbox.add(line);
            long since = writingSince;
            if (outbox.dropped() > 0 || since != 0 && System.nanoTime() - since > STALLED_NANOS) {
                end();
            }
        }

        private void write() {
            try {
                byte[] line = outbox.take(Long.MAX_VALUE);
                while (line != null) {
                    writingSince = System.nanoTime() | 1;
                    ByteBuffer rest = ByteBuffer.wrap(line);
                    while (rest.hasRemaining()) {
                        channel.write(rest);
                    }
                    writingSince = 0;
                    sent.incrementAndGet();
                    line = outbox.take(Long.MAX_VALUE);
                }
            } catch (IOException e) {
                dropped.incrementAndGet(); // The line that it was writing; the reader is gone.
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } finally {
                end();
            }
        }

        /** Reads, and forgets, whatever the reader says, so that its end is seen at once. */
        private void awaitEnd() {
            ByteBuffer ignored = ByteBuffer.allocate(256);
            try {
                while (channel.read(ignored) >= 0) {
                    ignored.clear();
                }
            } catch (IOException e) {
                // It is gone.
            }
            end();
        }

        void end() {
            if (readers.remove(this)) {
                outbox.close();
                outbox.clear();
                dropped.addAndGet(outbox.dropped());
                try {
                    channel.close();
                } catch (IOException e) {
                    // It is gone.
                }
            }
        }
    }

    @Override
    public OutputStatus status() {
        long waiting = readers.stream().mapToLong(reader -> reader.outbox.waiting()).sum();
        return new OutputStatus("socket " + path, reason.isEmpty() && !closed,
                closed ? "closed" : reason, sent.get(), waiting, dropped.get());
    }

    @Override
    public void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            server.close();
            Files.deleteIfExists(path);
        } catch (IOException e) {
            reason = String.valueOf(e.getMessage());
        }
        long end = System.nanoTime() + CLOSE_NANOS;
        readers.forEach(reader -> reader.outbox.close());
        try {
            while (!readers.isEmpty() && System.nanoTime() < end) {
                TimeUnit.MILLISECONDS.sleep(5);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        readers.forEach(Reader::end);
    }
}
