package dev.shrike.app.catalogue;

import dev.shrike.app.Progress;
import dev.shrike.files.PrintableText;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** Progress of a fetch for a person: the bar of all commands on a terminal, one line a step elsewhere (logs, pipes). */
public final class StderrProgress implements ProgressListener {
    private final PrintStream out;
    private final boolean terminal;
    private final Progress bar;
    private String current = "";

    /** A listener that writes to this stream, with a bar if {@code terminal}. */
    public StderrProgress(PrintStream out, boolean terminal) {
        this.out = out;
        this.terminal = terminal;
        this.bar = new Progress(out, terminal);
    }

    /** A listener that writes to standard error, with a bar if that is a terminal. */
    public static StderrProgress open() {
        return new StderrProgress(System.err, isTerminal());
    }

    /** Linux shows what file descriptor 2 is; Java itself only knows about standard input and output together. */
    private static boolean isTerminal() {
        try {
            String target = Files.readSymbolicLink(Path.of("/proc/self/fd/2")).toString();
            return target.startsWith("/dev/pts/") || target.startsWith("/dev/tty") || target.equals("/dev/console");
        } catch (IOException | UnsupportedOperationException e) {
            return false;
        }
    }

    @Override
    public void note(String line) {
        end();
        out.println(PrintableText.of(line));
    }

    @Override
    public void progress(String what, long done, long total) {
        if (!what.equals(current)) {
            end();
            current = what;
            if (!terminal) {
                out.printf(Locale.ROOT, "%s (%s) ...%n", what, megabytes(total));
            }
        }
        bar.show(what + ", " + megabytes(done) + " of " + megabytes(total), done, total);
    }

    @Override
    public void end() {
        bar.clear();
        current = "";
    }

    static String megabytes(long bytes) {
        return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
    }
}
