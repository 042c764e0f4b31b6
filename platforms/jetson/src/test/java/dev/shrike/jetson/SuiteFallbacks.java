package dev.shrike.jetson;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;

/** Counts what the engine does another way without failing, by what it logs. */
final class SuiteFallbacks extends Handler {
    private final AtomicInteger graphs = new AtomicInteger();
    private final AtomicInteger letterboxes = new AtomicInteger();
    /** Loggers that nobody holds are collected, with their handlers. */
    private final List<Logger> loggers =
            List.of(Logger.getLogger(EngineRun.class.getName()), Logger.getLogger(GpuFrames.class.getName()));

    private SuiteFallbacks() {}

    /** One that counts from now on. */
    static SuiteFallbacks listen() {
        SuiteFallbacks fallbacks = new SuiteFallbacks();
        fallbacks.setLevel(Level.ALL);
        for (Logger logger : fallbacks.loggers) {
            logger.setLevel(Level.ALL);
            logger.addHandler(fallbacks);
        }
        return fallbacks;
    }

    /** Engines that ran without a CUDA graph. */
    int graphs() {
        return graphs.get();
    }

    /** Detectors that resized on the processor. */
    int letterboxes() {
        return letterboxes.get();
    }

    @Override
    public void publish(LogRecord record) {
        (record.getLoggerName().equals(EngineRun.class.getName()) ? graphs : letterboxes).incrementAndGet();
    }

    @Override
    public void flush() {
        // Nothing is kept back.
    }

    @Override
    public void close() {
        loggers.forEach(logger -> logger.removeHandler(this));
    }
}
