package dev.shrike.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The packaged program as a process of its own: launcher, module path, native library, streams and signals. */
class LaunchedIT {
    private static final Path PROGRAM = Path.of(System.getProperty("shrike.app"), "shrike");

    @TempDir
    private static Path models;

    private static Path model;

    @TempDir
    private Path folder;

    private record Outcome(int exit, String out, String err) {}

    @BeforeAll
    static void makeModel() {
        model = ToyModel.write(models.resolve("toy model.onnx"));
    }

    private Process start(List<String> args) throws IOException {
        // What runs in the background of a script ignores INT, and so do its children.
        List<String> command = new ArrayList<>(List.of("env", "--default-signal=INT", PROGRAM.toString()));
        command.addAll(args);
        return new ProcessBuilder(command).directory(folder.toFile()).start();
    }

    private Outcome run(String... args) throws Exception {
        Process process = start(List.of(args));
        String out = new String(process.getInputStream().readAllBytes());
        String err = new String(process.getErrorStream().readAllBytes());
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        return new Outcome(process.exitValue(), out, err);
    }

    /** Detects in the same image so many times that the process is still at it when the test acts. */
    private Process startLong() throws IOException {
        ToyModel.redAndBlue(folder.resolve("blocks.png"));
        List<String> args = new ArrayList<>(List.of("detect", "--weights", model.toString(), "--threads", "1"));
        args.addAll(Collections.nCopies(20_000, "blocks.png"));
        return start(args);
    }

    @Test
    void itRunsOnTheModulePathWithoutAWordFromTheJvm() throws Exception {
        Outcome outcome = run("--version");
        assertEquals(0, outcome.exit());
        assertEquals("", outcome.err());
        assertTrue(outcome.out().startsWith("shrike "), outcome.out());
    }

    @Test
    void itFindsBlocksInAImageWithAnUnusualName() throws Exception {
        ToyModel.redAndBlue(folder.resolve("zwei Blöcke – 二.png"));
        Outcome outcome = run("detect", "--weights", model.toString(), "--threads", "1", "*.png");
        assertEquals("", outcome.err());
        assertEquals(0, outcome.exit());
        assertTrue(
                outcome.out().startsWith("image 1/1 zwei Blöcke – 二.png: 64x64 1 red block, 1 blue block, "),
                outcome.out());
        assertTrue(Files.exists(folder.resolve("runs/detect/exp/zwei Blöcke – 二.png")));
    }

    @Test
    void itRunsFromAStartCacheAndWithABrokenOne() throws Exception {
        assertEquals(new Outcome(0, "", ""), run("--make-start-cache"));
        Path cache;
        try (var files = Files.list(PROGRAM.resolveSibling(""))) {
            cache = files.filter(file -> file.toString().endsWith(".aot")).findFirst().orElseThrow();
        }
        try {
            itRunsOnTheModulePathWithoutAWordFromTheJvm();
            itFindsBlocksInAImageWithAnUnusualName();
            failuresAndUsageErrorsAreExitCodes();
            byte[] bytes = Files.readAllBytes(cache);
            Files.write(cache, Arrays.copyOf(bytes, bytes.length / 2));
            itRunsOnTheModulePathWithoutAWordFromTheJvm();
            Files.write(cache, new byte[] {1, 2, 3});
            itRunsOnTheModulePathWithoutAWordFromTheJvm();
        } finally {
            Files.delete(cache);
        }
    }

    @Test
    void failuresAndUsageErrorsAreExitCodes() throws Exception {
        Outcome missing = run("detect", "--weights", model.toString(), "none.png");
        assertEquals(new Outcome(1, "", "shrike: none.png: no such file or folder\n"), missing);
        assertEquals(2, run("detect", "--max-det", "0").exit());
    }

    @Test
    void aReaderThatGoesAwayEndsItQuietly() throws Exception {
        Process process = startLong();
        try (BufferedReader reader = process.inputReader()) {
            assertTrue(reader.readLine().startsWith("image 1/20000 "));
        }
        assertTrue(process.waitFor(60, TimeUnit.SECONDS), "still running without a reader");
        assertEquals("", new String(process.getErrorStream().readAllBytes()));
        assertEquals(0, process.exitValue());
    }

    @Test
    void interruptedItLeavesWholeFilesOnly() throws Exception {
        Process process = startLong();
        try (BufferedReader reader = process.inputReader()) {
            for (int i = 0; i < 5; i++) {
                assertTrue(reader.readLine().startsWith("image "));
            }
            assertEquals(
                    0,
                    new ProcessBuilder("kill", "-INT", Long.toString(process.pid()))
                            .start()
                            .waitFor());
            while (reader.readLine() != null) {
                // what it printed before it ended
            }
        }
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(130, process.exitValue());
        try (var files = Files.list(folder.resolve("runs/detect/exp"))) {
            List<Path> written = files.toList();
            assertTrue(written.size() >= 5, written.toString());
            for (Path file : written) {
                assertFalse(file.getFileName().toString().startsWith("."), file + " was left");
                assertEquals(ToyModel.SIDE, Frame.read(file).width());
            }
        }
    }

    @Test
    void aFullOutputIsAFailure() throws Exception {
        ToyModel.redAndBlue(folder.resolve("blocks.png"));
        Process process = new ProcessBuilder(
                PROGRAM.toString(), "detect", "--weights", model.toString(), "--nosave", "blocks.png")
                .directory(folder.toFile())
                .redirectOutput(Path.of("/dev/full").toFile())
                .start();
        String err = new String(process.getErrorStream().readAllBytes());
        assertTrue(process.waitFor(60, TimeUnit.SECONDS));
        assertEquals(1, process.exitValue());
        assertEquals("shrike: cannot write the standard output: No space left on device\n", err);
    }
}
