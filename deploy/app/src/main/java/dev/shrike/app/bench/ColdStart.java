package dev.shrike.app.bench;

import dev.shrike.ShrikeException;
import dev.shrike.app.ChildJvm;
import dev.shrike.app.bench.harness.Configuration;
import dev.shrike.app.bench.harness.Contestant;
import dev.shrike.app.bench.report.BenchReport;
import dev.shrike.app.bench.statistics.Quantiles;
import dev.shrike.app.device.ProcessMemory;
import dev.shrike.app.device.SystemFiles;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The first result of a process that begins with nothing: {@link #main} is the process, {@link #measure} starts it and
 * holds the clock. Its memory is that of this model alone.
 */
public final class ColdStart {
    private static final String MARK = "shrike-cold-start";
    private static final Pattern ANSWER =
            Pattern.compile(MARK + " (\\d{1,18}) (\\d{1,18}) (-?\\d{1,18}) (-?\\d{1,18})");
    private static final long MOST_SECONDS = 600;
    private static final int MOST_MESSAGE = 300;

    private ColdStart() {}

    /** Times and memory of such processes. */
    record Measured(BenchReport.Opening opening, Long resident, Long peak) {}

    /** Opens the configuration of the arguments, runs it once, and prints two times and two sizes. */
    public static void main(String[] arguments) {
        long start = System.nanoTime();
        try (Contestant contestant = Contestants.open(Configuration.parse(List.of(arguments)))) {
            long opened = System.nanoTime();
            contestant.run();
            long first = System.nanoTime();
            SystemFiles files = new SystemFiles(Path.of("/"));
            System.out.printf(Locale.ROOT, "%s %d %d %d %d%n", MARK, opened - start, first - opened,
                    ProcessMemory.resident(files).orElse(-1L), ProcessMemory.peak(files).orElse(-1L));
            System.out.flush();
        } catch (ShrikeException e) {
            System.err.println(e.getMessage());
            System.exit(1);
        }
    }

    /**
     * Medians of so many processes, one after another.
     *
     * @throws ShrikeException if one fails; tells what it said
     */
    static Measured measure(Configuration configuration, int processes) {
        double[][] times = new double[4][processes];
        long resident = -1;
        long peak = -1;
        for (int i = 0; i < processes; i++) {
            long start = System.nanoTime();
            Matcher answer = answer(ChildJvm.command(ColdStart.class, configuration.arguments()));
            double cold = (System.nanoTime() - start) / 1e6;
            double load = Long.parseLong(answer.group(1)) / 1e6;
            double first = Long.parseLong(answer.group(2)) / 1e6;
            times[0][i] = cold;
            times[1][i] = Math.max(0, cold - load - first);
            times[2][i] = load;
            times[3][i] = first;
            resident = Math.max(resident, Long.parseLong(answer.group(3)));
            peak = Math.max(peak, Long.parseLong(answer.group(4)));
        }
        BenchReport.Opening opening = new BenchReport.Opening(Quantiles.median(times[0]), Quantiles.median(times[1]),
                Quantiles.median(times[2]), Quantiles.median(times[3]), processes);
        return new Measured(opening, resident < 0 ? null : resident, peak < 0 ? null : peak);
    }

    /** The line of the process; the clock stops when it is there, not when the process has gone. */
    private static Matcher answer(List<String> command) {
        StringBuilder said = new StringBuilder();
        Process process = null;
        try {
            process = new ProcessBuilder(command).redirectErrorStream(true).start();
            process.getOutputStream().close();
            Process watched = process;
            // A process that hangs must not hang the bench.
            watched.onExit().orTimeout(MOST_SECONDS, TimeUnit.SECONDS).exceptionally(_ -> watched.destroyForcibly());
            BufferedReader lines =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                Matcher matcher = ANSWER.matcher(line);
                if (matcher.matches()) {
                    return matcher;
                }
                if (said.length() < MOST_MESSAGE) {
                    said.append(said.isEmpty() ? "" : " ").append(line);
                }
            }
        } catch (IOException e) {
            throw new ShrikeException("a process for the cold start cannot be run: " + e.getMessage(), e);
        } finally {
            if (process != null) {
                end(process);
            }
        }
        throw new ShrikeException("the process for the cold start gave no result: "
                + said.substring(0, Math.min(said.length(), MOST_MESSAGE)));
    }

    private static void end(Process process) {
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
