package dev.shrike.app.serve;

import java.lang.reflect.Proxy;
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

    /** By reflection: the compiler warns of each mention of this class, and the JDK has no other for it. */
    private static void handle(String name, Runnable action) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Object proxy = Proxy.newProxyInstance(handler.getClassLoader(), new Class<?>[] {handler},
                    (self, method, arguments) -> switch (method.getName()) {
                        case "handle" -> {
                            action.run();
                            yield null;
                        }
                        case "equals" -> self == arguments[0];
                        case "hashCode" -> System.identityHashCode(self);
                        default -> "handler of SIG" + name;
                    });
            signal.getMethod("handle", signal, handler).invoke(null,
                    signal.getConstructor(String.class).newInstance(name), proxy);
        } catch (ReflectiveOperationException e) {
            // The JVM keeps it for itself (-Xrs): it ends the process then, which is what systemd takes too.
            System.getLogger(ProcessSignals.class.getName()).log(System.Logger.Level.DEBUG, "signal " + name, e);
        }
    }
}
