package dev.shrike.jetson.binding;

import dev.shrike.BackendUnavailableException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The files through which a driver is reached. Looking for them costs nothing, while loading CUDA's libraries only to
 * hear that there is no device takes the better part of a second on a small machine, at every start.
 */
public final class DeviceNodes {
    /** Jetson (JetPack 5, JetPack 6), a PC, the Windows subsystem for Linux. */
    private static final List<String> NODES = List.of("dev/nvhost-gpu", "dev/nvhost-ctrl-gpu", "dev/nvgpu",
            "dev/nvidiactl", "dev/nvidia0", "dev/dxg");

    private DeviceNodes() {}

    /**
     * Returns if there may be a device; {@code shrike.tensorrt.real=true} goes on without.
     *
     * @throws BackendUnavailableException if there is none
     */
    public static void require() {
        if (!Boolean.getBoolean("shrike.tensorrt.real") && !areBelow(Path.of("/"))) {
            throw new BackendUnavailableException("no NVIDIA GPU is here: there is neither /" + String.join(" nor /",
                    NODES.getFirst(), NODES.get(3)) + "; on a Jetson install JetPack 5, give a container the GPU"
                    + " (--runtime nvidia)", null);
        }
    }

    static boolean areBelow(Path root) {
        return NODES.stream().anyMatch(node -> Files.exists(root.resolve(node)));
    }
}
