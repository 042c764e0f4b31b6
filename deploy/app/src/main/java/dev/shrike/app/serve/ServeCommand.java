package dev.shrike.app.serve;

import dev.shrike.app.Console;
import dev.shrike.app.ExitCode;
import dev.shrike.app.UsageException;
import dev.shrike.app.Version;
import dev.shrike.app.detect.ModelStore;
import dev.shrike.app.serve.config.BoardDefaults;
import dev.shrike.app.serve.config.ConfigException;
import dev.shrike.app.serve.config.ConfigPrinter;
import dev.shrike.app.serve.config.ServiceConfig;
import dev.shrike.app.serve.config.ServiceConfigs;
import dev.shrike.app.page.PageServer;
import dev.shrike.app.serve.systemd.Supervisor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.function.Function;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code shrike serve}: the service of a box, for systemd or by hand. */
@Command(
        name = "serve",
        description = {
                "Detects on cameras until it is stopped, follows objects, and tells what it sees.",
                "Everything is set in a configuration file. SIGHUP reads it again, and keeps the old one if the new one"
                        + " cannot be used; SIGTERM and SIGINT end it.",
                ""
        },
        sortOptions = false,
        mixinStandardHelpOptions = true,
        versionProvider = Version.class,
        footer = {
                "",
                "Exit codes: 0 stopped or all sources ended, 1 failed and may be started again, 2 configuration or"
                        + " command line cannot be used.",
                "Of a setting a --set wins over the environment (SHRIKE_PAGE_PORT), and that over the file."})
public final class ServeCommand implements Callable<Integer> {
    private static final Path STANDARD = Path.of("/etc/shrike/config.yaml");

    /** System property with the file of the board's defaults. */
    private static final String BOARD_PROPERTY = "shrike.serve.defaults";

    private final Console console;
    private final Function<Boolean, ModelStore> stores;

    @Option(names = "--config", paramLabel = "FILE", description = "The configuration (default: "
            + "/etc/shrike/config.yaml).")
    private Path file;

    @Option(names = "--source", paramLabel = "URI", description = "A camera, stream or file; the same as"
            + " --set cameras.camera.source=URI.")
    private String source;

    @Option(names = "--weights", paramLabel = "MODEL", description = "File or name of the model; the same as"
            + " --set model.weights=MODEL.")
    private String weights;

    @Option(names = "--set", paramLabel = "KEY=VALUE", description = "Sets one setting, such as page.port=8081; may be"
            + " repeated.")
    private List<String> settings = new ArrayList<>();

    @Option(names = "--check", arity = "0..1", fallbackValue = "model", paramLabel = "config|model|full",
            description = "Only say whether the configuration can be used: its settings and sources (config); the model"
                    + " as well, which is opened and run once (model, unless another is named); and whether the broker"
                    + " can be reached (full).")
    private String check;

    @Option(names = "--print-config", description = "Only print a configuration with every setting at its default.")
    private boolean print;

    /** The command with these streams and models. */
    public ServeCommand(Console console, Function<Boolean, ModelStore> stores) {
        this.console = console;
        this.stores = stores;
    }

    @Override
    public Integer call() throws InterruptedException, IOException {
        try {
            BoardDefaults board = board();
            if (print) {
                ConfigPrinter.lines(board).forEach(console::line);
                return ExitCode.OK;
            }
            return serveOrCheck(board);
        } catch (ConfigException e) {
            e.problems().forEach(console::error);
            return ExitCode.USAGE;
        }
    }

    /** A package says in which file the defaults of its board are. */
    private static BoardDefaults board() {
        String file = System.getProperty(BOARD_PROPERTY, "");
        return file.isEmpty() ? BoardDefaults.NONE : BoardDefaults.read(Path.of(file));
    }

    private int serveOrCheck(BoardDefaults board) throws InterruptedException, IOException {
        Map<String, String> flags = flags();
        if (source != null) {
            flags.put("cameras.camera.source", source);
        }
        if (weights != null) {
            flags.put("model.weights", weights);
        }
        Supplier<ServiceConfig> configuration = () -> read(flags, board);
        if (check != null) {
            ConfigCheck how = ConfigCheck.of(check);
            ServiceConfig config = configuration.get();
            config.notes().forEach(console::note);
            BoxOpeners openers = new BoxOpeners(console, stores.apply(false), new Version().getVersion()[0]);
            if (!how.passes(config, openers, console)) {
                return ExitCode.USAGE;
            }
            console.line("the configuration can be used: cameras " + String.join(", ",
                    config.cameras().stream().map(ServiceConfig.Camera::id).toList()));
            return ExitCode.OK;
        }
        return serve(configuration);
    }

    /** What {@code --set} says, by path. */
    private Map<String, String> flags() {
        Map<String, String> flags = new LinkedHashMap<>();
        for (String setting : settings) {
            int equals = setting.indexOf('=');
            if (equals < 1) {
                throw new UsageException("--set " + setting + ": is no KEY=VALUE, such as page.port=8081", null);
            }
            flags.put(setting.substring(0, equals), setting.substring(equals + 1));
        }
        return flags;
    }

    private ServiceConfig read(Map<String, String> flags, BoardDefaults board) {
        Map<String, String> environment = System.getenv();
        boolean without = file == null && !flags.isEmpty() && !Files.exists(STANDARD);
        return without ? ServiceConfigs.withoutFile(environment, flags, board)
                : ServiceConfigs.read(file == null ? STANDARD : file, environment, flags, board);
    }

    private int serve(Supplier<ServiceConfig> configuration) throws InterruptedException, IOException {
        // This command is the whole process: the bounds of its HTTP server and its signals are its own.
        PageServer.boundProcess();
        Map<String, String> environment = System.getenv();
        FaultLog log = new FaultLog(console.err(), environment.containsKey("JOURNAL_STREAM"), System::nanoTime);
        Supervisor supervisor = new Supervisor(environment, ProcessHandle.current().pid());
        String version = new Version().getVersion()[0];
        Service service = new Service(configuration, new BoxOpeners(console, stores.apply(false), version), log,
                supervisor, new BoardSensors(Path.of("/")), stateFolder(environment), version);
        ProcessSignals.handle(service);
        return service.run();
    }

    /** systemd names several folders with colons between; the first is ours. */
    private static Optional<Path> stateFolder(Map<String, String> environment) {
        return Optional.ofNullable(environment.get("STATE_DIRECTORY")).map(all -> all.replaceFirst(":.*", ""))
                .filter(first -> !first.isBlank()).map(Path::of);
    }
}
