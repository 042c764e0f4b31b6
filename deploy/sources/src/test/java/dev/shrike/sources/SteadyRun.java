package dev.shrike.sources;

import dev.shrike.Frame;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Reads a video over and over at full speed and prints what the process holds: {@code SteadyRun CLIP SECONDS}. Run by
 * {@code tools/steady-run.sh}.
 */
final class SteadyRun {
    private SteadyRun() {}

    public static void main(String[] args) throws Exception {
        long end = System.nanoTime() + Long.parseLong(args[1]) * 1_000_000_000L;
        long settled = System.nanoTime() + Long.parseLong(args[1]) * 1_000_000_000L / 5;
        var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
        long frames = 0;
        long bytes = threads.getCurrentThreadAllocatedBytes();
        long told = 0;
        long least = Long.MAX_VALUE;
        long most = 0;
        try (FrameSource source = Sources.open(args[0], SourceOptions.builder().loop(true).build())) {
            for (Optional<Frame> next = source.next(); System.nanoTime() < end; next = source.next()) {
                frames += next.isPresent() ? 1 : 0;
                if (System.nanoTime() - told > 10_000_000_000L) {
                    told = System.nanoTime();
                    System.gc();
                    long resident = resident();
                    if (told > settled) {
                        least = Math.min(least, resident);
                        most = Math.max(most, resident);
                    }
                    System.out.println(frames + " frames, " + resident + " kB resident, "
                            + (threads.getCurrentThreadAllocatedBytes() - bytes) / frames + " bytes allocated a frame, "
                            + ManagementFactory.getThreadMXBean().getThreadCount() + " threads");
                }
            }
        }
        System.out.println("resident after the first fifth: " + least + " to " + most + " kB, " + (most - least)
                + " kB apart");
    }

    static long resident() throws Exception {
        return Files.readAllLines(Path.of("/proc/self/status")).stream().filter(line -> line.startsWith("VmRSS"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", ""))).findFirst().orElseThrow();
    }
}
