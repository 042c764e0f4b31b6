package dev.shrike.app;

import dev.shrike.ShrikeException;
import dev.shrike.files.PrintableText;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Objects;

/**
 * Where a command writes: results to the standard output, everything else to the error output. A text is one line
 * there whatever it holds: characters that would do something to a terminal or forge a line are escaped here, once for
 * all commands (see {@link PrintableText}).
 *
 * @param out results, as UTF-8
 * @param err errors, notes and progress
 * @param outTerminal whether results go to a terminal, so to a reader with eyes
 * @param errTerminal whether progress bars can be drawn
 */
public record Console(OutputStream out, PrintStream err, boolean outTerminal, boolean errTerminal) {
    public Console {
        Objects.requireNonNull(out, "out");
        Objects.requireNonNull(err, "err");
    }

    /**
     * Writes one line of results, at once.
     *
     * @throws ClosedOutputException if nobody reads any more, as after {@code | head}
     * @throws ShrikeException if the output cannot be written for another reason, such as a full disk
     */
    public void line(String text) {
        try {
            out.write((PrintableText.of(text) + "\n").getBytes(StandardCharsets.UTF_8));
            out.flush();
        } catch (IOException e) {
            if (isBrokenPipe(e)) {
                throw new ClosedOutputException(e);
            }
            throw new ShrikeException("cannot write the standard output: " + e.getMessage(), e);
        }
        // A PrintStream keeps its errors to itself.
        if (out instanceof PrintStream stream && stream.checkError()) {
            throw new ClosedOutputException(null);
        }
    }

    /** Writes one line for people to the error output. */
    public void note(String text) {
        err.println(PrintableText.of(text));
    }

    /** Writes one error line, {@code shrike: …}. */
    public void error(String text) {
        err.println("shrike: " + PrintableText.of(String.valueOf(text)));
    }

    private static boolean isBrokenPipe(IOException e) {
        // The JDK has no type for EPIPE, only what strerror says; the launcher sets the C.UTF-8 locale.
        String message = String.valueOf(e.getMessage());
        return message.contains("Broken pipe");
    }

    /** Says that the reader of the results has gone, which ends a command quietly. */
    public static final class ClosedOutputException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        ClosedOutputException(Throwable cause) {
            super("the reader of the standard output has gone", cause);
        }
    }
}
