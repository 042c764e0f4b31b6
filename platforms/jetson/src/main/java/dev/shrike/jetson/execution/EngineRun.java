package dev.shrike.jetson.execution;

import dev.shrike.DeviceException;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.binding.TensorRt;
import dev.shrike.spi.BatchProfile;
import java.lang.System.Logger;
import java.util.Optional;

/**
 * A context with the size of its batch, whose launches are recorded as a CUDA graph where that is possible: not with
 * DLA, nor with layers that wait for themselves.
 *
 * <p>A recording holds for one size, and for the context as it was: TensorRT's changes to the context for another size
 * must neither be recorded nor come between recording and launching. So the first run of a size is submitted launch by
 * launch, the second is recorded, and another size ends the recording. An engine of an open batch has one context only
 * (before TensorRT 8.6 two cannot share an optimisation profile), so sizes that take turns are not recorded.
 */
public final class EngineRun implements AutoCloseable {
    private static final Logger LOG = System.getLogger(EngineRun.class.getName());

    private final TensorRt.Context context;
    private final Optional<BatchProfile> batches;
    private final Gpu.DeviceMemory[] memory;
    private final Gpu.Stream stream;
    private Gpu.Recording recording;
    private int images;
    private boolean warm;
    private boolean recordable = true;

    /** Runs of the context, which the caller closes later than this. */
    EngineRun(TensorRt.Context context, Optional<BatchProfile> batches, Gpu.DeviceMemory[] memory, Gpu.Stream stream) {
        this.context = context;
        this.batches = batches;
        this.memory = memory;
        this.stream = stream;
    }

    /** Submits a run for so many images, which an engine of a fixed batch does not look at. */
    void submit(int wanted) {
        batches.ifPresent(sizes -> resize(Math.max(wanted, sizes.least())));
        if (warm) {
            record();
        }
        if (recording != null) {
            stream.submit(recording);
            return;
        }
        // The first run of a context or of a size may allocate and copy, which a recording must not.
        context.enqueue(memory, stream);
        warm = true;
    }

    private void resize(int wanted) {
        if (wanted != images) {
            close();
            warm = false;
            context.batch(wanted);
            images = wanted;
        }
    }

    /** Records the last run for all later ones of its size. To be called when it is done. */
    void record() {
        if (recording != null || !recordable) {
            return;
        }
        try {
            recording = stream.record(() -> context.enqueue(memory, stream));
        } catch (DeviceException e) {
            recordable = false;
            LOG.log(Logger.Level.DEBUG, "the engine runs without a CUDA graph: " + e.getMessage());
        }
    }

    @Override
    public void close() {
        if (recording != null) {
            recording.close();
            recording = null;
        }
    }
}
