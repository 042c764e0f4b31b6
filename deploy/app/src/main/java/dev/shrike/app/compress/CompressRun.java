package dev.shrike.app.compress;

import dev.shrike.ShrikeException;
import dev.shrike.app.Console;
import dev.shrike.app.ExitCode;
import dev.shrike.files.FileReplacement;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** One run of {@code shrike compress}: does the steps that are not done, and writes the report. */
final class CompressRun {
    static final String PLAN = "plan.json";
    private static final int MEASUREMENTS = 3;

    private final Console console;
    private final Path folder;
    private final Steps steps;
    private final CompressRequest request;
    private final StepRunner runner;
    private final boolean quiet;

    CompressRun(Console console, CompressRequest request, Path folder,
            Supplier<Optional<String>> obstacle, StepRunner runner, boolean quiet) {
        this.console = console;
        this.request = request;
        this.folder = folder;
        this.steps = new Steps(request, folder, obstacle);
        this.runner = runner;
        this.quiet = quiet;
    }

    /** The exit code: a failure also where no network is as quick as was wanted. */
    int run() {
        CompressPlan plan = begin();
        boolean changed = false;
        for (CompressPlan.Step step : plan.steps()) {
            if (isOver(step) && !changed) {
                note(step.name() + ": done before");
                continue;
            }
            Steps.Decision decision = steps.decide(plan, step);
            CompressPlan.Step after = decision.command() == null ? step.skipped(decision.skipped())
                    : done(plan, step.with(decision.command()));
            if (after.state() == CompressPlan.State.SKIPPED) {
                note(step.name() + ": skipped, " + after.reason());
            }
            // What was skipped and is possible now, as once PyTorch is there, changes what comes behind it.
            changed |= step.state() == CompressPlan.State.SKIPPED && after.state() == CompressPlan.State.DONE;
            plan = plan.with(after);
            plan.write(folder.resolve(PLAN));
        }
        CompressReport report = CompressReport.of(plan, request, steps, folder);
        byte[] text = report.markdown().getBytes(StandardCharsets.UTF_8);
        FileReplacement.write(folder.resolve("report.md"), stream -> stream.write(text));
        report.lines().forEach(console::line);
        Optional<CompressReport.Row> chosen = report.chosen();
        if (chosen.isEmpty()) {
            console.error("no network takes at most " + report.wanted()
                    + report.prunings().stream().reduce((_, last) -> last).map(last -> "; at last " + last).orElse("")
                    + "; " + folder.resolve("report.md") + " has what there is"
                    + (report.disturbed().isEmpty() ? ""
                            : ". Times were disturbed: when the machine is at rest, remove "
                                    + folder.resolve("bench-*.json") + " and give the same command again"));
            return ExitCode.FAILURE;
        }
        console.line("take " + chosen.get().file());
        return ExitCode.OK;
    }

    private CompressPlan begin() {
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new ShrikeException(folder + ": cannot be made: " + e.getMessage(), e);
        }
        Path file = folder.resolve(PLAN);
        if (!Files.exists(file)) {
            CompressPlan plan = steps.plan();
            plan.write(file);
            return plan;
        }
        CompressPlan plan = CompressPlan.read(file);
        List<String> names = steps.plan().steps().stream().map(CompressPlan.Step::name).toList();
        boolean begun = plan.steps().stream().anyMatch(step -> step.state() == CompressPlan.State.DONE);
        if (!begun) {
            // Nothing would be lost, as after a first try with other arguments.
            CompressPlan anew = steps.plan();
            anew.write(file);
            return anew;
        }
        if (!plan.request().equals(request.text())
                || !plan.steps().stream().map(CompressPlan.Step::name).toList().equals(names)) {
            throw new ShrikeException(file + ": is the plan of another request (" + String.join(", ", plan.request())
                    + "); name another folder with -o, or remove this one");
        }
        return plan;
    }

    /** Whether nothing is left to do; a step whose file has gone is done again, and what was skipped is judged anew. */
    private boolean isOver(CompressPlan.Step step) {
        return step.state() == CompressPlan.State.DONE && Files.exists(folder.resolve(step.output()));
    }

    /**
     * Does a step. A bench that decides and was disturbed is run again, since its ratio may be off by a tenth; after
     * the last time what it says counts as it is.
     */
    private CompressPlan.Step done(CompressPlan plan, CompressPlan.Step step) {
        CompressPlan.Step after = once(plan, step);
        for (int times = 1; times < MEASUREMENTS && step.name().startsWith("bench-")
                && Measured.isDisturbed(folder.resolve(step.output())); times++) {
            note(step.name() + ": disturbed, so once more");
            after = once(plan, step);
        }
        return after;
    }

    private CompressPlan.Step once(CompressPlan plan, CompressPlan.Step step) {
        plan.with(step).write(folder.resolve(PLAN));
        note(step.name() + ": shrike " + String.join(" ", step.command()));
        Path printed = folder.resolve(step.name() + ".out");
        long start = System.nanoTime();
        int exit = runner.run(step.command(), printed);
        double seconds = (System.nanoTime() - start) / 1e9;
        if (exit != ExitCode.OK) {
            throw new ShrikeException("the step '" + step.name() + "' failed with exit code " + exit + ": shrike "
                    + String.join(" ", step.command()) + "; the same 'shrike compress' goes on from there");
        }
        Path output = folder.resolve(step.output());
        try {
            if (step.command().getFirst().equals("val")) {
                FileReplacement.rename(printed, output);
            } else {
                Files.deleteIfExists(printed);
            }
        } catch (IOException e) {
            throw new ShrikeException(output + ": cannot be written: " + e.getMessage(), e);
        }
        if (!Files.exists(output)) {
            throw new ShrikeException("the step '" + step.name() + "' left no " + output);
        }
        return step.done(seconds);
    }

    private void note(String text) {
        if (!quiet) {
            console.note(text);
        }
    }
}
