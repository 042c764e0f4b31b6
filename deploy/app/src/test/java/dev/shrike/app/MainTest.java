package dev.shrike.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class MainTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final PrintStream errStream = new PrintStream(err, true, StandardCharsets.UTF_8);

    private int run(String... args) {
        return Main.run(args, new PrintStream(out, true, StandardCharsets.UTF_8), errStream);
    }

    private int failure(Throwable thrown) {
        err.reset();
        return new Failures(new Console(out, errStream, false, false)).failure(thrown);
    }

    private static final class Failing extends OutputStream {
        private final String message;

        Failing(String message) {
            this.message = message;
        }

        @Override
        public void write(int b) throws IOException {
            throw new IOException(message);
        }
    }

    @Test
    void theVersionIsThatOfTheBuild() {
        assertEquals(0, run("--version"));
        assertTrue(out.toString().matches("(?s)shrike \\d+\\.\\d+\\.\\d+\\S*\nJava \\d+.*"), out.toString());
    }

    @Test
    void helpListsTheCommandsAndExplainsThem() {
        assertEquals(0, run("help"));
        assertTrue(out.toString().contains("  detect  "), out.toString());
        out.reset();
        assertEquals(0, run("help", "detect"));
        String help = out.toString();
        for (String option : new String[] {
                "--weights", "--source", "--imgsz", "--conf-thres", "--iou-thres", "--max-det", "--classes",
                "--agnostic-nms", "--save-txt", "--save-conf", "--nosave", "--project", "--name", "--exist-ok",
                "--json",
                "--threads", "--engine", "--no-progress", "--quiet"
        }) {
            assertTrue(help.matches("(?s).*" + option + "[=, ].*"), option + " is not in " + help);
        }
        out.reset();
        assertEquals(0, run("detect", "--help"));
        assertEquals(help, out.toString());
        assertEquals("", err.toString());
    }

    @Test
    void helpIsShortAndHelpAllIsNot() {
        for (String command : new String[] {"detect", "val", "build", "calibrate", "quantize"}) {
            out.reset();
            assertEquals(0, run(command, "--help"));
            String brief = out.toString();
            out.reset();
            assertEquals(0, run(command, "--help-all"));
            String all = out.toString();
            assertEquals("", err.toString());
            assertTrue(brief.contains("--help-all") && all.contains("--help-all"), brief);
            for (String option : options(brief)) {
                assertTrue(options(all).contains(option), option);
            }
            assertTrue(options(all).size() > options(brief).size(), command);
        }
        out.reset();
        run("quantize", "--help");
        String brief = out.toString();
        assertTrue(options(brief).size() <= 16, options(brief).toString());
        assertTrue(options(brief).containsAll(List.of("--scheme", "--data", "--output")), brief);
        assertTrue(brief.lines().count() < 50, brief);
        out.reset();
        run("quantize", "--help-all");
        assertTrue(options(out.toString()).containsAll(List.of("--weight-codes", "--plan", "--effort")));
        out.reset();
        run("detect", "--help-all");
        assertTrue(options(out.toString()).containsAll(List.of("--half", "--dnn", "--view-img", "--vid-stride",
                "--update", "--visualize", "--anchors")));
    }

    /** The options that a help explains, each by its last name. */
    private static Set<String> options(String help) {
        return Pattern.compile("(?m)^ +(?:-[a-zA-Z], +)?(--[a-z-]+)").matcher(help).results()
                .map(match -> match.group(1)).collect(Collectors.toSet());
    }

    @Test
    void withoutOrWithAnUnknownCommandItIsAUsageError() {
        assertEquals(2, run());
        assertTrue(err.toString().startsWith("shrike: say what to do"), err.toString());
        err.reset();
        assertEquals(2, run("detec"));
        assertTrue(err.toString().contains("'detec'") && err.toString().contains("shrike detect"), err.toString());
        assertEquals("", out.toString());
    }

    @Test
    void everyFailureIsOneLine() {
        assertEquals(1, failure(new ModelException("a.onnx: broken")));
        assertEquals("shrike: a.onnx: broken\n", err.toString());
        assertEquals(1, failure(new UncheckedIOException(new AccessDeniedException("/x"))));
        assertEquals("shrike: /x: permission denied\n", err.toString());
        assertEquals(1, failure(new NoSuchFileException("/y")));
        assertEquals("shrike: /y: no such file or folder\n", err.toString());
        assertEquals(1, failure(new OutOfMemoryError("Java heap space")));
        assertTrue(err.toString().matches("shrike: out of memory \\(Java heap space\\).*-Xmx.*\n"), err.toString());
        assertEquals(1, failure(new IllegalStateException("odd")));
        assertTrue(err.toString().matches("shrike: unexpected error.*IllegalStateException: odd\n"), err.toString());
        assertEquals(2, failure(new UsageException("no", null)));
    }

    @Test
    void aReaderThatWentAwayIsNoFailureAndAFullDiskIs() {
        Console gone = new Console(new Failing("Broken pipe"), errStream, false, false);
        assertEquals(0, failure(catching(gone)));
        assertEquals("", err.toString());
        Console full = new Console(new Failing("No space left on device"), errStream, false, false);
        assertEquals(1, failure(catching(full)));
        assertEquals("shrike: cannot write the standard output: No space left on device\n", err.toString());
    }

    private static RuntimeException catching(Console console) {
        try {
            console.line("text");
        } catch (ShrikeException | Console.ClosedOutputException e) {
            return e;
        }
        throw new AssertionError("the line was written");
    }

    @Test
    void theBarFillsAndKeepsTheEndOfTheName() {
        assertEquals("█".repeat(12) + "░".repeat(12) + "  50% a.jpg", Progress.render("a.jpg", 5, 10));
        assertTrue(Progress.render("x".repeat(80) + "end", 10, 10).endsWith("xend"));
        assertFalse(Progress.render("x".repeat(80) + "end", 10, 10).contains("x".repeat(60)));
        Console terminal = new Console(out, errStream, false, true);
        Progress shown = new Progress(terminal, true);
        shown.clear();
        assertEquals("", err.toString());
        shown.show("a", 1, 2);
        assertTrue(err.toString().contains("50% a"));
        err.reset();
        new Progress(terminal, false).show("a", 1, 2);
        new Progress(new Console(out, errStream, true, false), true).show("a", 1, 2);
        assertEquals("", err.toString());
    }
}
