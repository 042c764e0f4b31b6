package dev.shrike.jetson;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The Markdown of the GPU suite, on the standard output while it grows, and what failed so far. */
final class SuiteReport {
    private final List<String> lines = new ArrayList<>();
    private final List<String> failures = new ArrayList<>();

    /** A part of the suite. */
    @FunctionalInterface
    interface Step {
        void run() throws IOException, InterruptedException;
    }

    void say(String line) {
        System.out.println(line);
        lines.add(line);
    }

    void fail(String what) {
        failures.add(what);
        say("* FAILED: " + what);
    }

    void require(boolean holds, String what) {
        if (!holds) {
            fail(what);
        }
    }

    /** Runs a step; one that fails does not keep the next one from running. */
    void step(String title, Step step) {
        say("");
        say("## " + title);
        say("");
        try {
            step.run();
        } catch (IOException | RuntimeException e) {
            fail(title + ": " + e);
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts the suite", e);
        }
    }

    /** Says what failed and writes the file; whether nothing failed. */
    boolean end(Path file) throws IOException {
        say("");
        say(failures.isEmpty() ? "All steps passed." : "Failed: " + String.join("; ", failures));
        Files.write(file, lines);
        return failures.isEmpty();
    }
}
