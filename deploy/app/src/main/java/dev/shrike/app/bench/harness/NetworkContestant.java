package dev.shrike.app.bench.harness;

import dev.shrike.StageTimes;
import dev.shrike.spi.Binding;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.spi.StepTime;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.SplittableRandom;

/** A network on one of Shrike's engines, without what stands before and behind it: for models that do not detect. */
public final class NetworkContestant implements Contestant {
    private final GraphExecutor executor;

    /** Takes the executor over, and fills its inputs with noise of 0 to 1. */
    public NetworkContestant(GraphExecutor executor) {
        this.executor = executor;
        SplittableRandom random = new SplittableRandom(1);
        for (Binding input : executor.inputs()) {
            MemorySegment memory = input.memory();
            for (long i = 0; i < memory.byteSize() / Float.BYTES; i++) {
                memory.setAtIndex(ValueLayout.JAVA_FLOAT, i, random.nextInt(256) / 255f);
            }
        }
    }

    /** Times of the steps of the last run. */
    public List<StepTime> steps() {
        return executor.times();
    }

    /** Bytes of native memory that the network holds. */
    public long nativeBytes() {
        return executor.nativeBytes();
    }

    @Override
    public String description() {
        return executor.description();
    }

    @Override
    public void run() {
        executor.run();
    }

    @Override
    public StageTimes stages() {
        return null;
    }

    @Override
    public void close() {
        executor.close();
    }
}
