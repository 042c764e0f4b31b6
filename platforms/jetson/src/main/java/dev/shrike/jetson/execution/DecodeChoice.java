package dev.shrike.jetson.execution;

import dev.shrike.DeviceException;
import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import dev.shrike.heads.NonMaxSuppression;
import dev.shrike.jetson.engine.EngineOptions.Decode;
import dev.shrike.jetson.kernels.GpuCandidates;
import java.lang.System.Logger;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Where candidates are found: decided once, when a detector opens.
 *
 * @param wanted what the user asked for
 * @param capacity most candidates of an image that the GPU keeps
 * @param clock nanoseconds, to try which way is quicker
 */
public record DecodeChoice(Decode wanted, int capacity, LongSupplier clock) {
    private static final Logger LOG = System.getLogger(DecodeChoice.class.getName());

    /** By the wall clock, with room for all candidates that suppression looks at. */
    public static DecodeChoice of(Decode wanted) {
        return new DecodeChoice(wanted, NonMaxSuppression.MAX_CANDIDATES, System::nanoTime);
    }

    /**
     * Candidates on the GPU, which the caller closes, or null if the processor finds them.
     *
     * @param opening makes them
     * @param onGpu picks candidates from the output as it is
     * @param onHost gets the output as it is and decodes it
     * @throws DeviceException if the user asked for the GPU and it cannot
     */
    GpuCandidates choose(Supplier<GpuCandidates> opening, Try onGpu, Runnable onHost) {
        if (wanted == Decode.CPU) {
            return null;
        }
        GpuCandidates made = null;
        boolean keeps = false;
        try {
            made = opening.get();
            GpuCandidates tried = made;
            keeps = wanted == Decode.GPU || isQuicker(() -> onGpu.with(tried), onHost);
        } catch (ShrikeException e) {
            if (wanted == Decode.GPU) {
                throw new DeviceException("the GPU cannot decode: " + e.getMessage()
                        + "; leave the property shrike.tensorrt.decode out", e);
            }
            LOG.log(Logger.Level.WARNING, "boxes are decoded on the CPU: " + e.getMessage());
        } finally {
            if (made != null && !keeps) {
                made.close();
            }
        }
        return keeps ? made : null;
    }

    /** One attempt with candidates on the GPU. */
    @FunctionalInterface
    interface Try {
        void with(GpuCandidates candidates);
    }

    private boolean isQuicker(Runnable onGpu, Runnable onHost) {
        try {
            AutoTuned tried = AutoTuned.measure(clock, onHost, onGpu);
            LOG.log(Logger.Level.DEBUG, "decoding on the CPU and on the GPU takes " + tried.describe());
            return tried.secondWins();
        } catch (ModelException e) {
            LOG.log(Logger.Level.DEBUG, "there is nothing to compare decoding on: " + e.getMessage());
            return false;
        }
    }
}
