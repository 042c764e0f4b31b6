package dev.shrike.app.quantize;

import com.sun.management.OperatingSystemMXBean;
import dev.shrike.ShrikeException;
import dev.shrike.calibration.activations.ActivationMemory;
import dev.shrike.calibration.quantize.MemoryNeed;
import dev.shrike.graph.Graph;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Locale;

/** How much memory a run may take, and what of it is for the values of images. */
public final class MemoryBudget {
    private static final double USUAL = 3;
    /** Of a small machine, so that something is left for others. */
    private static final double SHARE = 0.75;

    private MemoryBudget() {}

    /** Gigabytes that the machine, or the container, has. */
    public static double machine() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getTotalMemorySize() / 1e9;
    }

    /** Gigabytes to take where nothing is said. */
    public static double usual() {
        return Math.min(USUAL, SHARE * machine());
    }

    /**
     * Memory for the values of images when a network is quantised.
     *
     * @param gigabytes of the whole process
     * @param folder where what is too much goes
     * @throws ShrikeException if the network needs more without any values; says how much
     */
    public static ActivationMemory forActivations(double gigabytes, Graph model, Path folder) {
        long own = MemoryNeed.besidesActivations(model);
        long left = (long) (gigabytes * 1e9) - own;
        if (left < 0) {
            throw new ShrikeException(String.format(Locale.ROOT,
                    "a run on this network needs up to %.2f GB whatever the images, more than --memory %.2f",
                    Math.ceil(own / 1e7) / 100, gigabytes));
        }
        return new ActivationMemory(left, folder);
    }
}
