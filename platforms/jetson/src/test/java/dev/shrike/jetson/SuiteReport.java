package dev.shrike.jetson;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The Markdown of the GPU suite, on the standard output while it grows, and what failed so far. Steps that pass are
 * kept in a folder, from which a later run takes them.
 */
final class SuiteReport {
    static final String KEPT = "kept from an earlier run";

    private final List<String> lines = new ArrayList<>();
    private final List<String> failures = new ArrayList<>();
    private final Path kept;
    private final String wanted;

    /**
     * A report that keeps steps in a folder.
     *
     * @param wanted part of the titles of the only steps to run, kept or not; empty for all that are not kept
     */
    SuiteReport(Path kept, String wanted) {
        this.kept = kept;
        this.wanted = wanted;
    }

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
        Path file = kept.resolve(title.replaceAll("[^A-Za-z0-9.-]+", "-") + ".md");
        boolean named = !wanted.isEmpty() && title.contains(wanted);
        try {
            if (!named && Files.exists(file)) {
                Files.readAllLines(file).forEach(this::say);
                say("(" + KEPT + ")");
                return;
            }
            if (!named && !wanted.isEmpty()) {
                say("(not asked for)");
                return;
            }
            Files.deleteIfExists(file);
            int first = lines.size();
            int failed = failures.size();
            step.run();
            if (failures.size() == failed) {
                Files.write(file, lines.subList(first, lines.size()));
            }
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
