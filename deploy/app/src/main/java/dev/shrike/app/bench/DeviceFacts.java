package dev.shrike.app.bench;

import dev.shrike.app.Version;
import dev.shrike.app.bench.report.BenchReport;
import dev.shrike.app.device.Machine;
import dev.shrike.spi.Availability;
import dev.shrike.spi.Backends;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** What a report says of the machine, its Java and its engines. */
final class DeviceFacts {
    private DeviceFacts() {}

    /** The machine whose files are below the root. */
    static BenchReport.Device read(Path root) {
        List<BenchReport.Fact> facts = new ArrayList<>();
        String board = "";
        String processor = "";
        for (Machine.Line line : new Machine(root).lines()) {
            facts.add(new BenchReport.Fact(line.name(), line.value()));
            board = line.name().equals("board") ? line.value() : board;
            processor = line.name().equals("processor") ? line.value() : processor;
        }
        facts.add(new BenchReport.Fact("Java", Runtime.version() + ", " + System.getProperty("java.vm.name")
                + ", heap of at most " + (Runtime.getRuntime().maxMemory() >> 20) + " MiB"));
        facts.add(new BenchReport.Fact("JVM options",
                String.join(" ", ManagementFactory.getRuntimeMXBean().getInputArguments())));
        Backends.installed().forEach(engine -> facts.add(new BenchReport.Fact("engine " + engine.name(),
                switch (engine.probe()) {
                    case Availability.Available available -> available.description();
                    case Availability.Missing missing -> "not here: " + missing.reason();
                })));
        String name = board.isEmpty() ? processor : processor.isEmpty() ? board : board + ", " + processor;
        return new BenchReport.Device(name.isEmpty() ? "unknown machine" : name, facts);
    }

    /** The version of Shrike. */
    static String version() {
        try {
            return new Version().getVersion()[0];
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
