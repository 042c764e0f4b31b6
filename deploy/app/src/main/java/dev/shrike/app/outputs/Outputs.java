package dev.shrike.app.outputs;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Several outputs as one: each gets every message, and none can harm another. Any thread may use it.
 */
public final class Outputs implements AutoCloseable {
    private static final long CLOSE_MILLIS = 1000;

    private final List<Output> outputs;
    /** Of each output what its last message threw, which is a defect of ours. */
    private final AtomicReferenceArray<RuntimeException> failures;

    /** Takes the outputs over. */
    public Outputs(List<? extends Output> outputs) {
        this.outputs = List.copyOf(outputs);
        failures = new AtomicReferenceArray<>(outputs.size());
    }

    /** Gives the message to each output; one that throws, which none should, does not keep it from the others. */
    public void send(Message message) {
        for (int i = 0; i < outputs.size(); i++) {
            try {
                outputs.get(i).send(message);
                failures.set(i, null);
            } catch (RuntimeException e) {
                failures.set(i, e);
            }
        }
    }

    /** How each output does, in their order. */
    public List<OutputStatus> statuses() {
        List<OutputStatus> statuses = new ArrayList<>();
        for (int i = 0; i < outputs.size(); i++) {
            OutputStatus status = outputs.get(i).status();
            RuntimeException failure = failures.get(i);
            statuses.add(failure == null ? status
                    : new OutputStatus(status.name(), false, "internal error: " + failure, status.sent(),
                            status.waiting(), status.dropped()));
        }
        return List.copyOf(statuses);
    }

    /** Closes all at the same time, so that they need a second together. */
    @Override
    public void close() {
        List<Thread> closing = outputs.stream().map(output -> Thread.ofVirtual().start(output::close)).toList();
        long end = System.nanoTime() + CLOSE_MILLIS * 1_000_000;
        try {
            for (Thread thread : closing) {
                thread.join(Math.max(1, (end - System.nanoTime()) / 1_000_000));
            }
        } catch (InterruptedException e) {
            closing.forEach(Thread::interrupt);
            Thread.currentThread().interrupt();
        }
    }
}
