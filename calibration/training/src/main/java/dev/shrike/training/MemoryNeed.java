package dev.shrike.training;

import dev.shrike.DeviceException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;

/** What training takes of memory, so that it is told before the system ends the process. */
final class MemoryNeed {
    /** The JVM, PyTorch's code and its workspaces. */
    private static final long FIXED = 450_000_000L;
    /** Parameter, gradient, momentum (two for AdamW), average. */
    private static final int COPIES = 5;
    private static final Path SYSTEM = Path.of("/proc/meminfo");

    /** Values of a rounded network are kept before and after rounding. */
    private static final int ROUNDED = 2;

    private MemoryNeed() {}

    /** As the other method, for a run with these methods. */
    static long bytes(Graph trunk, int batch, TrainingMethods methods) {
        long plain = bytes(trunk, batch);
        long learned = methods.rounding() == null ? plain : FIXED + ROUNDED * (plain - FIXED);
        // A teacher keeps nothing for a way back.
        return methods.teacher() == null ? learned : learned + (plain - FIXED) / 3;
    }

    /** Bytes for a trunk and a batch of so many images: all values, which the way back reads, and the parameters. */
    static long bytes(Graph trunk, int batch) {
        Map<String, ValueInfo> infos = ShapeInference.infer(trunk);
        long values = 0;
        for (Node node : trunk.nodes()) {
            for (String output : node.outputs()) {
                Shape shape = output.isEmpty() ? Shape.of(0) : infos.get(output).shape();
                values += shape.isKnown() ? shape.elements() : 0;
            }
        }
        long parameters = trunk.constants().values().stream().mapToLong(Tensor::elements).sum();
        return FIXED + Float.BYTES * (values * batch + COPIES * parameters);
    }

    /**
     * Returns if so much is free.
     *
     * @throws DeviceException otherwise; says how much is missing
     */
    static void require(long needed, long free, int batch) {
        if (free > 0 && needed > free) {
            throw new DeviceException(String.format(Locale.ROOT, "training in batches of %d takes about %.1f GB of"
                    + " memory, and %.1f GB are free: give a smaller --batch (%d) or --img", batch, needed / 1e9,
                    free / 1e9, Math.max(1, (int) (batch * Math.max(0.0, (double) (free - FIXED)) / needed))));
        }
    }

    /** Bytes that the system can give; 0 where it does not tell. */
    static long free() {
        try {
            return Files.readAllLines(SYSTEM).stream().filter(line -> line.startsWith("MemAvailable:"))
                    .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024).findFirst().orElse(0);
        } catch (IOException e) {
            // Not every system has it; then nothing is checked.
            return 0;
        }
    }
}
