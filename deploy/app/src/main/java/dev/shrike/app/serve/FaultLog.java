package dev.shrike.app.serve;

import dev.shrike.app.serve.config.CredentialFilter;
import dev.shrike.files.PrintableText;
import java.io.PrintStream;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The log of the service: a line each on the error output, without secrets. A fault that repeats is told once and then
 * counted: at most one line for each in the time that is set, and one when it is over. Use from any thread.
 */
final class FaultLog {
    /** How important a line is. */
    enum Level {
        DEBUG(7),
        INFO(6),
        WARNING(4),
        ERROR(3);

        private final int priority;

        Level(int priority) {
            this.priority = priority;
        }

        static Level of(String name) {
            return valueOf(name.toUpperCase(Locale.ROOT));
        }
    }

    /** More kinds of faults at once share one. */
    private static final int MOST_FAULTS = 200;

    private final PrintStream out;
    private final boolean journal;
    private final LongSupplier nanos;
    private final Map<String, Fault> faults = new HashMap<>();
    private volatile CredentialFilter filter = new CredentialFilter(Set.of());
    private volatile Level least = Level.INFO;
    private volatile long repeatNanos = TimeUnit.SECONDS.toNanos(60);

    /**
     * @param journal whether lines go to systemd's journal, which wants their priority before them
     * @param nanos a clock that never steps
     */
    FaultLog(PrintStream out, boolean journal, LongSupplier nanos) {
        this.out = out;
        this.journal = journal;
        this.nanos = nanos;
    }

    private static final class Fault {
        private Level level;
        private String message;
        private long toldAt;
        private long again;
        private long total;
        private String over = "";
        private boolean overTold;
    }

    /** From here on lines below that level are left out, and these secrets never shown. */
    void set(Level level, int repeatSeconds, CredentialFilter secrets) {
        least = level;
        repeatNanos = TimeUnit.SECONDS.toNanos(repeatSeconds);
        filter = secrets;
    }

    /** The text as it may leave the process. */
    String clean(String text) {
        return PrintableText.of(filter.apply(text));
    }

    void info(String message) {
        line(Level.INFO, message);
    }

    void warning(String message) {
        line(Level.WARNING, message);
    }

    void error(String message) {
        line(Level.ERROR, message);
    }

    /**
     * Tells of a fault that may come again.
     *
     * @param key what it is about: the camera, the output
     */
    synchronized void fault(Level level, String key, String message) {
        Fault fault = faults.get(key);
        if (fault == null) {
            if (faults.size() >= MOST_FAULTS) {
                return;
            }
            fault = new Fault();
            faults.put(key, fault);
            fault.toldAt = nanos.getAsLong();
            line(level, message);
        } else {
            fault.again++;
        }
        fault.level = level;
        fault.message = message;
        fault.over = "";
        fault.overTold = false;
        fault.total++;
        tell(fault);
    }

    /** Tells what was counted and is due. */
    synchronized void tick() {
        List.copyOf(faults.values()).forEach(this::tell);
    }

    private void tell(Fault fault) {
        long now = nanos.getAsLong();
        if (now - fault.toldAt < repeatNanos) {
            return;
        }
        if (fault.again > 0) {
            line(fault.level, fault.message + " (" + fault.again + " times more, " + fault.total + " in all)");
            fault.again = 0;
            fault.toldAt = now;
        }
        if (!fault.over.isEmpty()) {
            tellOver(fault);
            faults.values().remove(fault);
        }
    }

    /**
     * Tells that a fault is over, if it was told. One that comes again soon is still the same fault, so that something
     * that fails and recovers every second has no more lines than something that fails all the time.
     */
    synchronized void over(String key, String message) {
        Fault fault = faults.get(key);
        if (fault != null && fault.over.isEmpty()) {
            fault.over = message;
            if (fault.again == 0) {
                tellOver(fault);
            }
        }
    }

    private void tellOver(Fault fault) {
        if (!fault.overTold) {
            line(Level.INFO, fault.over);
            fault.overTold = true;
        }
    }

    private void line(Level level, String message) {
        if (level.compareTo(least) >= 0) {
            out.println((journal ? "<" + level.priority + ">" : level == Level.ERROR ? "shrike: " : "")
                    + clean(message));
        }
    }
}
