package dev.shrike.app.serve;

import dev.shrike.ShrikeException;
import dev.shrike.app.ExitCode;
import dev.shrike.app.outputs.OutputStatus;
import dev.shrike.app.serve.config.ConfigException;
import dev.shrike.app.serve.config.CredentialFilter;
import dev.shrike.app.serve.config.ServiceConfig;
import dev.shrike.app.serve.systemd.Supervisor;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * The service itself: starts everything, watches that it makes progress, and ends it.
 *
 * <ol>
 * <li>{@link #run} it on a thread of its own; it returns the exit code.
 * <li>{@link #tell} it from any thread to read its configuration again or to end.
 * </ol>
 *
 * <p>The watchdog above is fed only while every camera's loop has finished what it began, or waits for a source that
 * says why it has nothing.
 */
final class Service {
    private static final Duration EXTENSION = Duration.ofSeconds(30);
    private static final long EXTEND_EVERY = TimeUnit.SECONDS.toNanos(10);
    private static final long STATUS_EVERY = TimeUnit.SECONDS.toNanos(5);
    private static final long TICK_MILLIS = 1000;
    private static final long CLOSE_MILLIS = 800;

    private final Supplier<ServiceConfig> configuration;
    private final Openers openers;
    private final FaultLog log;
    private final Supervisor supervisor;
    private final BoardSensors sensors;
    private final Optional<Path> stateFolder;
    private final String version;
    private final BlockingQueue<Command> commands = new LinkedBlockingQueue<>();
    private final RecentEvents events = new RecentEvents();
    private FailureRecord failures;
    private volatile Running running;
    private boolean frozen;
    private long statusAt = System.nanoTime();
    private boolean ready;
    private volatile boolean stopping;

    /**
     * @param configuration reads it; throws {@link ConfigException} if it cannot be used
     * @param stateFolder where the reason of the last failure is kept, unless the configuration names another folder
     */
    Service(Supplier<ServiceConfig> configuration, Openers openers, FaultLog log, Supervisor supervisor,
            BoardSensors sensors, Optional<Path> stateFolder, String version) {
        this.configuration = configuration;
        this.openers = openers;
        this.log = log;
        this.supervisor = supervisor;
        this.sensors = sensors;
        this.stateFolder = stateFolder;
        this.version = version;
    }

    /** Tells the service something; from any thread, a signal's among them. */
    void tell(Command command) {
        if (command instanceof Command.Stop) {
            stopping = true;
        }
        commands.add(command);
    }

    /** Where the page listens, once it does. */
    Optional<InetSocketAddress> page() {
        Running now = running;
        return now == null ? Optional.empty() : now.pageAddress();
    }

    /**
     * Runs until it is told to stop, all sources have ended, or it fails.
     *
     * @return the exit code
     * @throws ShrikeException if it could not start
     */
    int run() throws InterruptedException {
        ServiceConfig config = configuration.get();
        use(config);
        failures = new FailureRecord(config.log().state().or(() -> stateFolder));
        Optional<FailureRecord.Failure> last = failures.read();
        last.ifPresent(failure -> log.warning("the last run failed (" + failure.time() + "): " + failure.reason()));
        try {
            ServiceState state = new ServiceState(sensors, events, log, version, last);
            running = new Running(openers, log, events, state);
            running.openPage(config);
            supervisor.status("opening " + config.engine().weights());
            Engines engines = awaiting("opening " + config.engine().weights(),
                    () -> Engines.open(config, openers, reason -> tell(new Command.Fail(reason))),
                    config.engine().buildSeconds());
            running.start(config, engines);
            supervisor.ready(running.summary());
            ready = true;
            events.add("", "service", "ready");
            log.info("ready: " + running.summary());
            return watch();
        } catch (StoppedException e) {
            return ExitCode.OK;
        } catch (ShrikeException e) {
            keep(e.getMessage());
            throw e;
        } finally {
            supervisor.stopping("ending");
            end();
        }
    }

    private void use(ServiceConfig config) {
        log.set(FaultLog.Level.of(config.log().level()), config.log().repeatSeconds(),
                new CredentialFilter(config.secrets()));
        config.notes().forEach(log::warning);
    }

    private int watch() throws InterruptedException {
        long tick = supervisor.watchdog().map(time -> Math.clamp(time.toMillis() / 4, 10, TICK_MILLIS))
                .orElse(TICK_MILLIS);
        while (true) {
            Command command = commands.poll(tick, TimeUnit.MILLISECONDS);
            switch (command) {
                case null -> {
                    // Time alone has passed.
                }
                case Command.Reload _ -> reload();
                case Command.Stop stop -> {
                    log.info("ends: " + stop.reason());
                    return ExitCode.OK;
                }
                case Command.Fail fail -> {
                    log.error("ends, to be started again: " + fail.reason());
                    keep(fail.reason());
                    return ExitCode.FAILURE;
                }
            }
            tick();
            if (running.allEnded()) {
                Optional<String> failure = running.failure();
                failure.ifPresent(this::keep);
                log.info("ends: no source gives frames any more" + failure.map(why -> ": " + why).orElse(""));
                return failure.isPresent() ? ExitCode.FAILURE : ExitCode.OK;
            }
        }
    }

    /** Looks after everything, and feeds the watchdog if there was progress. */
    private void tick() {
        long now = System.nanoTime();
        running.tick(now);
        Optional<String> why = running.frozen(now);
        if (why.isEmpty()) {
            supervisor.alive();
            if (frozen || now - statusAt > STATUS_EVERY) {
                statusAt = now;
                supervisor.status(running.summary());
            }
            running.healthy();
            frozen = false;
        } else {
            running.ill(why.get());
            supervisor.status("frozen: " + log.clean(why.get()));
            log.fault(FaultLog.Level.ERROR, "frozen", "frozen: " + why.get());
            if (!frozen) {
                // The watchdog's signal leaves no time for it.
                keep("frozen: " + why.get());
                frozen = true;
            }
        }
        for (OutputStatus status : running.outputs()) {
            if (status.working()) {
                log.over("output " + status.name(), status.name() + ": works again");
            } else if (!status.reason().isEmpty()) {
                log.fault(FaultLog.Level.WARNING, "output " + status.name(), status.name() + ": " + status.reason());
            }
        }
        if (!supervisor.trouble().isEmpty()) {
            log.fault(FaultLog.Level.WARNING, "supervisor", supervisor.trouble());
        }
        log.tick();
    }

    private void reload() throws InterruptedException {
        supervisor.reloading();
        try {
            ServiceConfig next = configuration.get();
            Engines engines = running.needsOtherEngines(next)
                    ? awaiting("opening " + next.engine().weights(),
                            () -> Engines.open(next, openers, reason -> tell(new Command.Fail(reason))),
                            next.engine().buildSeconds())
                    : running.engines().forCameras(next);
            running.change(next, engines);
            use(next);
            failures = new FailureRecord(next.log().state().or(() -> stateFolder));
            events.add("", "service", "configuration read again");
            log.info("configuration read again: " + running.summary());
        } catch (StoppedException e) {
            return;
        } catch (ShrikeException e) {
            problems(e).forEach(problem -> log.error("the old configuration stays: " + problem));
            events.add("", "service", "a configuration was refused: " + log.clean(String.valueOf(e.getMessage())));
        }
        supervisor.ready(running.summary());
    }

    private static List<String> problems(ShrikeException e) {
        return e instanceof ConfigException config ? config.problems()
                : List.of(String.valueOf(e.getMessage()));
    }

    private static final class StoppedException extends Exception {
        private static final long serialVersionUID = 1L;
    }

    /** What takes long, on a thread of its own: meanwhile systemd is told, and the watchdog looked after. */
    private <T> T awaiting(String what, Supplier<T> work, int seconds) throws InterruptedException, StoppedException {
        FutureTask<T> task = new FutureTask<>(work::get);
        Thread.ofPlatform().daemon().name("shrike-opening").start(task);
        long begin = System.nanoTime();
        long extended = begin;
        while (true) {
            try {
                return task.get(100, TimeUnit.MILLISECONDS);
            } catch (TimeoutException e) {
                long now = System.nanoTime();
                if (stopping) {
                    throw new StoppedException();
                }
                if (TimeUnit.NANOSECONDS.toSeconds(now - begin) >= seconds) {
                    throw new ShrikeException(what + " has taken " + seconds + " s and is not done;"
                            + " engine.build_timeout allows more", e);
                }
                if (now - extended > EXTEND_EVERY || extended == begin) {
                    extended = now;
                    supervisor.extend(EXTENSION);
                }
                if (ready) {
                    tick();
                }
            } catch (ExecutionException e) {
                switch (e.getCause()) {
                    case RuntimeException cause -> throw cause;
                    case Error cause -> throw cause;
                    default -> throw new IllegalStateException(e.getCause());
                }
            }
        }
    }

    private void keep(String reason) {
        try {
            failures.write(log.clean(reason), Instant.now());
            log.over("state", "the reason of a failure can be kept again");
        } catch (ShrikeException e) {
            log.fault(FaultLog.Level.WARNING, "state", "the reason of this failure cannot be kept: " + e.getMessage());
        }
    }

    /** Closes everything, but waits for nobody for longer than systemd and people like. */
    private void end() throws InterruptedException {
        if (running == null) {
            return;
        }
        Thread closing = Thread.ofPlatform().daemon().name("shrike-closing").start(running::close);
        if (!closing.join(Duration.ofMillis(CLOSE_MILLIS))) {
            log.warning("something did not end in time and is left behind");
        }
    }
}
