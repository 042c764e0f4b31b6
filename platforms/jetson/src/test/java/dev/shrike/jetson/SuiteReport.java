package dev.shrike.jetson;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The Markdown of the GPU suite, on the standard output while it grows, and what failed so far. Steps that pass are
 * kept in a folder, from which a later run takes them.
 */
final class SuiteReport {
    static final String KEPT = "kept from an earlier run";

    private final List<String> lines = new ArrayList<>();
    private final List<String> failures = new ArrayList<>();
    /** What became of each step, by its title. */
    private final Map<String, String> outcomes = new LinkedHashMap<>();
    private boolean skipped;
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

    /** Says that the step cannot run on this machine; a later run tries it again. */
    void skip(String why) {
        skipped = true;
        say("Skipped: " + why);
    }

    /** Runs a step; one that fails does not keep the next one from running. */
    void step(String title, Step step) {
        say("");
        say("## " + title);
        say("");
        int failed = failures.size();
        skipped = false;
        String outcome;
        try {
            outcome = runOrKeep(title, step);
        } catch (IOException | RuntimeException | LinkageError e) {
            fail(title + ": " + e);
            outcome = "";
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts the suite", e);
        }
        outcomes.put(title, failures.size() > failed ? "failed" : outcome);
    }

    private String runOrKeep(String title, Step step) throws IOException, InterruptedException {
        Path file = kept.resolve(title.replaceAll("[^A-Za-z0-9.-]+", "-") + ".md");
        boolean named = !wanted.isEmpty() && title.contains(wanted);
        if (!named && Files.exists(file)) {
            Files.readAllLines(file).forEach(this::say);
            say("(" + KEPT + ")");
            return "ok, " + KEPT;
        }
        if (!named && !wanted.isEmpty()) {
            say("(not asked for)");
            return "not asked for";
        }
        Files.deleteIfExists(file);
        int first = lines.size();
        int failed = failures.size();
        step.run();
        if (skipped) {
            return "skipped";
        }
        if (failures.size() == failed) {
            Files.write(file, lines.subList(first, lines.size()));
        }
        return "ok";
    }

    /** Says what failed and writes the file; whether nothing failed. */
    boolean end(Path file) throws IOException {
        say("");
        say("| step | result |");
        say("|---|---|");
        outcomes.forEach((title, outcome) -> say("| " + title + " | " + outcome + " |"));
        say("");
        say(failures.isEmpty()
                ? (outcomes.containsValue("skipped") ? "No step failed, some were skipped." : "All steps passed.")
                : "Failed: " + String.join("; ", failures));
        Files.write(file, lines);
        return failures.isEmpty();
    }
}
