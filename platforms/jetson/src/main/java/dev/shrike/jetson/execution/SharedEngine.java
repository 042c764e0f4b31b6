package dev.shrike.jetson.execution;

import dev.shrike.jetson.binding.TensorRt;
import dev.shrike.jetson.engine.Digests;
import dev.shrike.jetson.engine.EngineFile;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Engines in device memory, one for all detectors of a process that run the same one: weights are there once, each
 * detector has only its own context and buffers.
 */
final class SharedEngine implements AutoCloseable {
    private static final Map<String, SharedEngine> LOADED = new HashMap<>();

    /** An engine of an open batch has room for one context, so each detector loads its own. */
    private static final AtomicLong ALONE = new AtomicLong();

    private final String key;
    private final TensorRt.Engine engine;
    private int users;

    private SharedEngine(String key, TensorRt.Engine engine) {
        this.key = key;
        this.engine = engine;
    }

    /** The engine of a file, loaded unless somebody has it; each caller closes what it got once. */
    static SharedEngine of(TensorRt tensorRt, EngineFile file) {
        // Not the record alone: a rebuilt engine of the same record has other kernels.
        String key = System.identityHashCode(tensorRt) + " " + Digests.of(file.plan()) + " " + file.record().dlaCore()
                + (file.record().batches() == null ? "" : " " + ALONE.getAndIncrement());
        synchronized (LOADED) {
            SharedEngine shared = LOADED.get(key);
            if (shared == null) {
                shared = new SharedEngine(key, tensorRt.load(file.plan(), file.record().dlaCore()));
                LOADED.put(key, shared);
            }
            shared.users++;
            return shared;
        }
    }

    TensorRt.Engine engine() {
        return engine;
    }

    @Override
    public void close() {
        synchronized (LOADED) {
            if (--users == 0) {
                LOADED.remove(key);
                engine.close();
            }
        }
    }
}
