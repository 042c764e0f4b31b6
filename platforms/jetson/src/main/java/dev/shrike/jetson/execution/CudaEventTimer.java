package dev.shrike.jetson.execution;

import dev.shrike.jetson.binding.CloseStack;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.spi.StepTime;
import java.util.ArrayList;
import java.util.List;

/**
 * Events around the stages of a run. There are two sets, so that the times of the last run stay readable while a frame
 * for the next one is on its way: an event that was recorded again has no time until the stream has come to it.
 */
final class CudaEventTimer implements AutoCloseable {
    private static final String[] STAGES = {"input", "network", "output"};

    private final CloseStack opened = new CloseStack();
    private final Gpu.Event[][] sets = new Gpu.Event[2][STAGES.length + 1];
    private int next;
    private boolean any;

    /** Events for one stream. */
    CudaEventTimer(Gpu gpu) {
        try {
            for (Gpu.Event[] set : sets) {
                for (int i = 0; i < set.length; i++) {
                    set[i] = opened.add(gpu.event());
                }
            }
        } catch (RuntimeException | Error e) {
            opened.close();
            throw e;
        }
    }

    /** Submits the mark before a stage, or behind the last one. */
    void before(int stage, Gpu.Stream stream) {
        stream.record(sets[next][stage]);
    }

    /** All marks of a run were submitted and waited for. */
    void done() {
        next = 1 - next;
        any = true;
    }

    /**
     * Times of the last run that was waited for; empty if there was none.
     *
     * @param kernels what did the work of each stage
     */
    List<StepTime> times(String... kernels) {
        List<StepTime> times = new ArrayList<>();
        Gpu.Event[] set = sets[1 - next];
        for (int i = 0; any && i < STAGES.length; i++) {
            long nanos = (long) (set[i + 1].millisecondsSince(set[i]) * 1e6);
            times.add(new StepTime(STAGES[i], kernels[i], nanos, 0));
        }
        return times;
    }

    @Override
    public void close() {
        opened.close();
    }
}
