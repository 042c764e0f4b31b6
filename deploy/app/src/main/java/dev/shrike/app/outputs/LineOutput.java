package dev.shrike.app.outputs;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

/** Writes lines of JSON to a sink, on a thread of its own: a sink that is slow or stuck costs lines, never time. */
final class LineOutput implements Output {
    private static final long RETRY_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long CLOSE_MILLIS = 900;

    private final String name;
    private final MessageJson json;
    private final Selection selection;
    private final LineSink sink;
    private final Outbox outbox;
    private final AtomicLong sent = new AtomicLong();
    private final AtomicLong lost = new AtomicLong();
    private final Thread writer;
    private volatile String reason = "";
    private volatile boolean writing;

    LineOutput(String name, ServiceRun run, Selection selection, long bound, LineSink sink) {
        this.name = name;
        this.selection = selection;
        this.sink = sink;
        json = new MessageJson(run);
        outbox = new Outbox(bound);
        // A thread of the system: writing to a pipe or a disk blocks it.
        writer = Thread.ofPlatform().daemon().name("shrike " + name).start(this::write);
    }

    @Override
    public void send(Message message) {
        if (selection.takes(message)) {
            outbox.add(json.line(message));
        }
    }

    private void write() {
        try {
            while (true) {
                byte[] line = outbox.take(Long.MAX_VALUE);
                if (line == null) {
                    return;
                }
                writing = true;
                write(line);
                writing = false;
            }
        } catch (InterruptedException e) {
            // Closed, and the time for it is over.
        } finally {
            lost.addAndGet(writing ? 1 : 0);
            writing = false;
            outbox.clear();
            closeSink();
        }
    }

    private void write(byte[] line) throws InterruptedException {
        while (true) {
            try {
                sink.write(line);
                sent.incrementAndGet();
                reason = "";
                return;
            } catch (IOException e) {
                reason = e.getMessage() == null ? e.toString() : e.getMessage();
                if (!sink.isWorthRetrying()) {
                    // What comes from now on is dropped at once, and counted.
                    outbox.close();
                    throw new InterruptedException();
                }
                if (outbox.isClosed()) {
                    throw new InterruptedException();
                }
                TimeUnit.NANOSECONDS.sleep(RETRY_NANOS);
            }
        }
    }

    private void closeSink() {
        try {
            sink.close();
        } catch (IOException e) {
            reason = e.getMessage() == null ? e.toString() : e.getMessage();
        }
    }

    @Override
    public OutputStatus status() {
        String why = reason;
        return new OutputStatus(name, why.isEmpty(), why, sent.get(), outbox.waiting() + (writing ? 1 : 0),
                outbox.dropped() + lost.get());
    }

    @Override
    public void close() {
        outbox.close();
        try {
            writer.join(CLOSE_MILLIS);
            if (writer.isAlive()) {
                writer.interrupt();
                writer.join(50);
            }
        } catch (InterruptedException e) {
            writer.interrupt();
            Thread.currentThread().interrupt();
        }
    }
}
