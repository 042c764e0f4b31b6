package dev.shrike.app.serve;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * The signals of the process: SIGHUP reads the configuration again, SIGTERM and SIGINT end in good order, a second one
 * at once. Only for a command that is a process of its own; a library must leave signals alone.
 */
final class ProcessSignals {
    private static final int TERMINATED = 128 + 15;

    private ProcessSignals() {}

    static void handle(Service service) {
        AtomicBoolean stopping = new AtomicBoolean();
        for (String name : new String[] {"TERM", "INT"}) {
            handle(name, () -> {
                if (stopping.getAndSet(true)) {
                    Runtime.getRuntime().halt(TERMINATED);
                }
                service.tell(new Command.Stop("SIG" + name));
            });
        }
        handle("HUP", () -> service.tell(new Command.Reload()));
    }

    // The JDK has no other way, and asks those who take this one to say so.
    @SuppressWarnings("sunapi")
    private static void handle(String name, Runnable action) {
        try {
            sun.misc.Signal.handle(new sun.misc.Signal(name), _ -> action.run());
        } catch (IllegalArgumentException e) {
            // The JVM keeps it for itself (-Xrs): it ends the process then, which is what systemd takes too.
            System.getLogger(ProcessSignals.class.getName()).log(System.Logger.Level.DEBUG, "signal " + name, e);
        }
    }
}
