package dev.shrike.jetson;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A JVM of the GPU suite: what it prints goes into files, so that a crash leaves them. */
final class SuiteChild {
    /** A build for INT8 takes a Jetson a quarter of an hour. */
    private static final int HOURS = 2;

    private static int started;

    private final Process process;
    private final Path output;
    private final Path log;

    private SuiteChild(Process process, Path output, Path log) {
        this.process = process;
        this.output = output;
        this.log = log;
    }

    /** Starts the main class; {@code prefix} is a program that the JVM runs under, or empty. */
    static SuiteChild start(Path logs, List<String> prefix, List<String> jvm, String main, List<String> arguments)
            throws IOException {
        List<String> command = new ArrayList<>(prefix);
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow", "-cp",
                System.getProperty("java.class.path"), "-Dshrike.library.path="
                        + System.getProperty("shrike.library.path")));
        command.addAll(jvm);
        command.add(main);
        command.addAll(arguments);
        String name = String.format("%03d", ++started);
        Path output = logs.resolve(name + ".out");
        Path log = logs.resolve(name + ".log");
        Process process = new ProcessBuilder(command).redirectOutput(output.toFile()).redirectError(log.toFile())
                .start();
        return new SuiteChild(process, output, log);
    }

    /** What it printed to the standard output, after it ended well. */
    String result() throws IOException, InterruptedException {
        if (!process.waitFor(HOURS, TimeUnit.HOURS)) {
            process.destroyForcibly();
            throw new IOException("a process did not end within " + HOURS + " hours; its log is " + log);
        }
        if (process.exitValue() != 0) {
            throw new IOException("a process ended with " + process.exitValue() + "; its log is " + log + ": "
                    + lastWords());
        }
        return Files.readString(output);
    }

    /** What it printed to the standard output, which may be only part of it. */
    String printed() throws IOException {
        return Files.readString(output);
    }

    /** The last line of its log. */
    String lastWords() throws IOException {
        return Files.readString(log).strip().lines().reduce("", (_, last) -> last);
    }

    /** Its exit code; who takes longer is ended. */
    int end(Duration most) throws IOException, InterruptedException {
        if (!process.waitFor(most.toMillis(), TimeUnit.MILLISECONDS)) {
            kill();
            throw new IOException("it did not end within " + most.toSeconds() + " s; its log is " + log);
        }
        return process.exitValue();
    }

    /** Waits until its log has the text; false if it ends before. */
    boolean logs(String text) throws IOException, InterruptedException {
        boolean alive;
        do {
            alive = process.isAlive();
            if (Files.readString(log).contains(text)) {
                return true;
            }
            Thread.sleep(20);
        } while (alive);
        return false;
    }

    /** Whether its log, as it is now, has the text. */
    boolean logged(String text) throws IOException {
        return Files.readString(log).contains(text);
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Ends it by SIGKILL. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }
}
