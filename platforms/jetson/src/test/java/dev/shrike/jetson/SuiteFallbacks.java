package dev.shrike.jetson;

import dev.shrike.jetson.execution.EngineRun;
import dev.shrike.jetson.execution.TensorRtExecutor;
import dev.shrike.jetson.kernels.GpuFrames;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Counts what the engine does another way without failing, and in which formats its layers run, by what it logs. */
final class SuiteFallbacks extends Handler {
    private final AtomicInteger graphs = new AtomicInteger();
    private final AtomicInteger letterboxes = new AtomicInteger();
    /** Loggers that nobody holds are collected, with their handlers. */
    private final List<Logger> loggers =
            List.of(Logger.getLogger(EngineRun.class.getName()), Logger.getLogger(GpuFrames.class.getName()),
                    Logger.getLogger(TensorRtExecutor.class.getName()));
    private volatile String formats = "";

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

    /** Layers of that format in the engine that was opened last; 0 if it was not detailed. */
    int layers(String format) {
        Matcher found = Pattern.compile(format + "=(\\d+)").matcher(formats);
        return found.find() ? Integer.parseInt(found.group(1)) : 0;
    }

    @Override
    public void publish(LogRecord record) {
        if (record.getLoggerName().equals(TensorRtExecutor.class.getName())) {
            formats = record.getMessage().startsWith(TensorRtExecutor.FORMATS) ? record.getMessage() : formats;
            return;
        }
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
