package dev.shrike.jetson.binding;

import dev.shrike.DeviceException;
import java.util.Optional;
import java.util.Set;

/**
 * Errors of CUDA calls, and whether one of them has ended the context of the process: after a fault of a kernel every
 * further call fails, in every detector, until the process is started again.
 */
public final class CudaErrors {
    /**
     * The "sticky" errors: ECC and NVLink errors that cannot be corrected, illegal address, launch timeout, destroyed
     * context, assertion, and 714 to 719: stack error, illegal instruction, misaligned address, address space, program
     * counter, launch failure.
     */
    private static final Set<Integer> STICKY = Set.of(214, 220, 700, 702, 709, 710, 714, 715, 716, 717, 718, 719);

    private static final int OUT_OF_MEMORY = 2;

    private volatile String lost;

    /** The exception of a call that failed. */
    public DeviceException failure(String call, int error, String text) {
        String said = call + " failed with CUDA error " + error + ": " + text;
        if (STICKY.contains(error) && lost == null) {
            lost = said;
        }
        if (lost != null) {
            return new DeviceException(said + "; no detector of this process can use the GPU any more: restart the"
                    + " process" + (lost.equals(said) ? "" : " (the first error was: " + lost + ")"));
        }
        return new DeviceException(said
                + (error == OUT_OF_MEMORY ? "; close other programs, or use a smaller input, batch or workspace" : ""));
    }

    /** The error that ended the context, or empty. */
    public Optional<String> lost() {
        return Optional.ofNullable(lost);
    }
}
