package dev.shrike;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * The random sequences of {@link DetectorContract} in a process of its own, four times over, and what they leave
 * behind: threads, open files and resident memory after the last round against those after the first. Run by
 * {@code platforms/cpu/stress.sh}, also under the sanitizers.
 */
public final class DetectorStress extends DetectorContract {
    private static final int ROUNDS = 4;
    private static final DetectorOptions OPTIONS = DetectorOptions.DEFAULT.withEngine("cpu").withThreads(2);

    private DetectorStress() {}

    @Override
    protected Detector open() {
        return Detectors.open(BlockYolo.graph(), OPTIONS);
    }

    /** What a process holds. */
    private record Held(long threads, long files, long residentMegabytes) {
        static Held now() throws IOException, InterruptedException {
            // Threads of a pool and the cleaner take a moment to end.
            System.gc();
            Thread.sleep(1000);
            String memory = Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith("VmRSS:")).findFirst().orElseThrow();
            return new Held(count("/proc/self/task"), count("/proc/self/fd"),
                    Long.parseLong(memory.replaceAll("\\D", "")) / 1024);
        }

        private static long count(String folder) throws IOException {
            try (Stream<Path> entries = Files.list(Path.of(folder))) {
                return entries.count();
            }
        }
    }

    /**
     * Runs the rounds; ends with status 1 if something stays behind.
     *
     * @param arguments most megabytes by which resident memory may grow
     */
    public static void main(String[] arguments) throws Exception {
        DetectorStress stress = new DetectorStress();
        stress.isRightAndDiffersByFrame();
        Held first = null;
        for (int round = 0; round < ROUNDS; round++) {
            stress.survivesSequencesOfOpeningDetectingClosingAndInterrupting();
            first = first == null ? Held.now() : first;
        }
        stress.closeWaitsForTheCallThatRuns();
        stress.threadsThatShareOneGetRightResultsOrAreRefused();
        stress.looksAtRegionsOfInterestAlone();
        stress.formatsGiveWhatTheirBgrGives();
        Held last = Held.now();
        System.out.println("after the first round: " + first + ", after the last: " + last);
        // A compiler thread of the JVM may come or go; detectors have had thousands of threads and files.
        boolean leaks = last.threads() > first.threads() + 4 || last.files() > first.files() + 4
                || last.residentMegabytes() > first.residentMegabytes() + Long.parseLong(arguments[0]);
        System.exit(leaks ? 1 : 0);
    }
}
