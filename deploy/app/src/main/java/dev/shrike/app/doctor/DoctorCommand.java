package dev.shrike.app.doctor;

import dev.shrike.app.Console;
import dev.shrike.app.device.Machine;
import dev.shrike.spi.Availability;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code shrike doctor}: what machine this is, and which engines run on it. */
@Command(
        name = "doctor",
        description = {
                "Tells what this machine is and which engines run on it.",
                "Of an engine that does not run it says what is missing and how to add it. Exit code 1 if none runs.",
                ""
        },
        mixinStandardHelpOptions = true,
        versionProvider = dev.shrike.app.Version.class)
public final class DoctorCommand implements Callable<Integer> {
    private static final int INDENT = 16;

    private final Console console;
    private final Path root;
    private final List<Backend> backends;

    /** The command for this machine. */
    public DoctorCommand(Console console) {
        this(console, Path.of("/"), null);
    }

    /** The command for the machine whose files are below {@code root}; engines are looked for if none are given. */
    DoctorCommand(Console console, Path root, List<Backend> backends) {
        this.console = console;
        this.root = root;
        this.backends = backends;
    }

    @Override
    public Integer call() {
        for (Machine.Line line : new Machine(root).lines()) {
            print(line.name(), line.value());
        }
        print("Java", Runtime.version() + ", " + System.getProperty("java.vm.name") + ", heap of at most "
                + Runtime.getRuntime().maxMemory() / (1 << 20) + " MiB");
        boolean any = false;
        List<Backend> engines = backends == null ? Backends.installed() : backends;
        for (Backend backend : engines.stream().sorted(Comparator.comparing(Backend::name)).toList()) {
            switch (backend.probe()) {
                case Availability.Available available -> {
                    any = true;
                    print("engine " + backend.name(), available.description());
                    backend.details().forEach(line -> print("", line));
                }
                case Availability.Missing missing -> print("engine " + backend.name(), "not here: " + missing.reason());
            }
        }
        return any ? 0 : 1;
    }

    private void print(String name, String value) {
        console.line(name + " ".repeat(Math.max(1, INDENT - name.length())) + value);
    }
}
