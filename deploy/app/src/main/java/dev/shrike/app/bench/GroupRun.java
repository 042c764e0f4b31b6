package dev.shrike.app.bench;

import dev.shrike.ShrikeException;
import dev.shrike.app.Progress;
import dev.shrike.app.bench.harness.Configuration;
import dev.shrike.app.bench.harness.Contestant;
import dev.shrike.app.bench.harness.EnergyMeter;
import dev.shrike.app.bench.harness.Harness;
import dev.shrike.app.bench.harness.Stopping;
import dev.shrike.app.bench.report.BenchReport;
import dev.shrike.app.bench.rivals.Rival;
import dev.shrike.app.device.CorePeak;
import dev.shrike.app.device.SystemFiles;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Measures engines that run models in one size, with as many threads and images, in turn. */
final class GroupRun {
    private static final double ENERGY_SECONDS = 3;
    private static final String NO_METER = "the board has no power meter that Linux can read";

    private final SystemFiles files;
    private final BenchRequest request;
    private final Progress progress;
    private final List<Entry> entries = new ArrayList<>();
    private final List<BenchReport.Absent> absent = new ArrayList<>();
    private final List<Contestant> open = new ArrayList<>();

    /** A contestant that is open, with what was measured before its rounds. */
    private static final class Entry {
        private final ModelVariants variants;
        private final Configuration configuration;
        private final Contestant contestant;
        private final double loadMs;
        private final double firstMs;
        private final String description;
        private ColdStart.Measured cold = new ColdStart.Measured(null, null, null);
        private BenchReport.Energy energy = new BenchReport.Energy(null, null, null, NO_METER);
        private LayerProfile.Measured layers;

        private Entry(ModelVariants variants, Configuration configuration, Contestant contestant, double loadMs,
                double firstMs) {
            this.variants = variants;
            this.configuration = configuration;
            this.contestant = contestant;
            this.loadMs = loadMs;
            this.firstMs = firstMs;
            this.description = contestant.description();
        }
    }

    /** What came out: results, and what could not be had. */
    record Outcome(List<ResultMaker.Made> made, List<BenchReport.Absent> absent, Harness.Outcome measured) {}

    GroupRun(SystemFiles files, BenchRequest request, Progress progress) {
        this.files = files;
        this.request = request;
        this.progress = progress;
    }

    /** A configuration of a model that is yet to be prepared: making its file may fail. */
    record Wanted(ModelVariants variants, String what, Supplier<Configuration> configuration) {}

    /** Measures them; those that cannot be opened are absent. */
    Outcome measure(List<Wanted> wanted) {
        try {
            for (Wanted one : wanted) {
                open(one);
            }
            if (entries.isEmpty()) {
                return new Outcome(List.of(), absent, null);
            }
            coldStarts();
            Harness harness = new Harness(files, request.how().pace(), stopping());
            Harness.Outcome measured = harness.measure(entries.stream().map(entry -> entry.contestant).toList(),
                    (done, least) -> progress.show("round " + done, done, least));
            progress.clear();
            energy();
            closeAll();
            layers(measured.gigahertz());
            List<ResultMaker.Made> made = new ArrayList<>();
            for (Entry entry : entries) {
                made.add(new ResultMaker.Made(entry.variants, entry.configuration, entry.description, entry.loadMs,
                        entry.firstMs,
                        entry.cold, entry.energy, Optional.ofNullable(entry.layers)));
            }
            return new Outcome(made, absent, measured);
        } finally {
            closeAll();
        }
    }

    /** The time is for each model, so that the medians of several in turn are known as well as those of one. */
    private Stopping stopping() {
        Stopping one = request.how().stopping();
        long models = entries.stream().map(entry -> entry.variants).distinct().count();
        return new Stopping(one.runsPerRound(), one.leastRounds(),
                Math.min(Stopping.MOST_SECONDS, models * one.mostSeconds()), one.precision());
    }

    private void open(Wanted wanted) {
        progress.show("opening " + wanted.what(), entries.size(), entries.size() + 1L);
        try {
            Configuration configuration = wanted.configuration().get();
            long start = System.nanoTime();
            Contestant contestant = Contestants.open(configuration);
            long opened = System.nanoTime();
            open.add(contestant);
            contestant.run();
            entries.add(new Entry(wanted.variants(), configuration, contestant, (opened - start) / 1e6,
                    (System.nanoTime() - opened) / 1e6));
        } catch (ShrikeException e) {
            absent.add(new BenchReport.Absent(wanted.what(), String.valueOf(e.getMessage())));
        }
    }

    private void coldStarts() {
        if (request.how().coldStarts() == 0) {
            return;
        }
        for (int i = 0; i < entries.size(); i++) {
            Entry entry = entries.get(i);
            progress.show("cold start of " + entry.configuration.engine(), i, entries.size());
            try {
                entry.cold = ColdStart.measure(entry.configuration, request.how().coldStarts());
            } catch (ShrikeException e) {
                absent.add(new BenchReport.Absent("cold start of " + entry.configuration.engine() + " "
                        + entry.configuration.precision(), String.valueOf(e.getMessage())));
            }
        }
    }

    private void energy() {
        EnergyMeter meter = new EnergyMeter(files, ENERGY_SECONDS);
        Optional<Double> idle = meter.idle();
        if (idle.isEmpty()) {
            return;
        }
        for (Entry entry : entries) {
            EnergyMeter.Measured loaded = meter.loaded(entry.contestant, idle.get());
            entry.energy = new BenchReport.Energy(idle.get(), loaded.loadedWatts(), loaded.millijoules(),
                    "VDD_IN of the INA3221 over " + ENERGY_SECONDS + " s alone, less what it says when idle");
        }
    }

    private void layers(double gigahertz) {
        if (!request.how().layers()) {
            return;
        }
        CorePeak peak = CorePeak.of(files);
        for (Entry entry : entries) {
            if (Rival.of(entry.configuration.engine()).isEmpty()) {
                try {
                    entry.layers = LayerProfile.measure(entry.configuration, peak, gigahertz);
                } catch (ShrikeException e) {
                    absent.add(new BenchReport.Absent("layers of " + entry.configuration.engine() + " "
                            + entry.configuration.precision(), String.valueOf(e.getMessage())));
                }
            }
        }
    }

    private void closeAll() {
        while (!open.isEmpty()) {
            open.removeLast().close();
        }
    }
}
