package dev.shrike.packaging;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.app.Main;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class CommandFilesTest {
    private static final PrintStream NOWHERE = new PrintStream(OutputStream.nullOutputStream());

    @TempDir
    private Path folder;

    @Test
    void twoBuildsGiveTheSameBytes() throws IOException {
        Map<String, byte[]> first = written("a");
        Map<String, byte[]> second = written("b");
        assertEquals(first.keySet(), second.keySet());
        first.forEach((name, bytes) -> assertArrayEquals(bytes, second.get(name), name));
        assertTrue(first.containsKey("usr/share/man/man1/shrike.1.gz"), () -> first.keySet().toString());
        assertTrue(first.containsKey("usr/share/man/man1/shrike-detect.1.gz"), () -> first.keySet().toString());
        assertTrue(first.containsKey("usr/share/zsh/vendor-completions/_shrike"), () -> first.keySet().toString());
    }

    private Map<String, byte[]> written(String name) throws IOException {
        Path root = folder.resolve(name);
        CommandFiles.write(root, "2026-01-01", "0.1.0-SNAPSHOT");
        Map<String, byte[]> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(root)) {
            for (Path file : all.filter(Files::isRegularFile).toList()) {
                files.put(root.relativize(file).toString(), Files.readAllBytes(file));
            }
        }
        return files;
    }

    @Test
    void bashCompletesCommandsAndTheirOptions() throws Exception {
        Path script = folder.resolve("completion");
        Files.writeString(script, CommandFiles.bashCompletion(Main.commandLine(NOWHERE, NOWHERE)));
        assertEquals("detect", completed(script, "shrike", "det"));
        assertEquals("--conf-thres", completed(script, "shrike", "detect", "--conf-t"));
        assertFalse(Files.readString(script).contains("# Date:"));
    }

    /** What bash puts in place of the last word. */
    private String completed(Path script, String... words) throws Exception {
        // Bash's own compopt complains outside a real completion.
        String line = "source '%s'; COMP_WORDS=(%s); COMP_CWORD=%d; _complete_shrike 2>&-; echo \"${COMPREPLY[*]}\""
                .formatted(script, String.join(" ", words), words.length - 1);
        Process bash = new ProcessBuilder("bash", "--norc", "-c", line).redirectErrorStream(true).start();
        String out = new String(bash.getInputStream().readAllBytes()).strip();
        assertEquals(0, bash.waitFor(), out);
        return out;
    }

    @Test
    void theChangelogHasDebiansForm() {
        assertEquals("""
                shrike (0.1.0~snapshot) unstable; urgency=medium

                  * Version 0.1.0-SNAPSHOT; CHANGELOG.md of the sources tells what is new.

                 -- The Shrike authors <shrike@users.noreply.github.com>  Thu, 01 Jan 2026 00:00:00 +0000
                """, CommandFiles.changelog("2026-01-01", "0.1.0-SNAPSHOT"));
    }
}
