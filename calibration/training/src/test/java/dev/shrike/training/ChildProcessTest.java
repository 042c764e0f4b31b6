package dev.shrike.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class ChildProcessTest {
    @TempDir
    Path folder;

    /** What the child does here in place of training. */
    public static final class Main {
        private Main() {}

        /** Does what its argument says. */
        public static void main(String[] arguments) throws IOException {
            System.out.println("{\"event\":\"hello\",\"wait\":\"" + System.getenv("OMP_WAIT_POLICY") + "\",\"pid\":"
                    + ProcessHandle.current().pid() + "}");
            System.out.flush();
            switch (arguments[0]) {
                case "crash" -> {
                    System.err.println("SIGSEGV in the library");
                    Runtime.getRuntime().halt(134);
                }
                case "killed" -> Runtime.getRuntime().halt(137);
                case "babble" -> System.out.println("no event");
                case "listen" -> System.out.println("{\"event\":\"" + new String(System.in.readNBytes(5)).strip()
                        + "\"}");
                default -> {
                    // "end" does nothing more.
                }
            }
        }
    }

    private ChildProcess start(String what) {
        List<Path> own = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator)).map(Path::of)
                .toList();
        return ChildProcess.start(Main.class.getName(), own, folder, List.of(what), folder.resolve("log"), 1, 64);
    }

    private String failure(String what) {
        try (ChildProcess child = start(what)) {
            assertEquals("hello", child.next().orElseThrow().path("event").asText());
            return assertThrows(TrainingException.class, child::next).getMessage();
        }
    }

    @Test
    void eventsComeOneByOneAndOpenMpDoesNotSpin() {
        try (ChildProcess child = start("end")) {
            assertEquals("passive", child.next().orElseThrow().path("wait").asText());
            assertTrue(child.next().isEmpty());
        }
    }

    @Test
    void answersReachTheChild() {
        try (ChildProcess child = start("listen")) {
            child.next();
            child.answer(true);
            assertEquals("next", child.next().orElseThrow().path("event").asText());
        }
    }

    @Test
    void aCrashIsToldWithItsLastWords() {
        String message = failure("crash");
        assertTrue(message.contains("crashed") && message.contains("SIGSEGV in the library")
                && message.contains("--resume"), message);
        assertTrue(failure("killed").contains("memory runs out"));
        assertTrue(failure("babble").contains("no event"));
    }

    @Test
    void closingEndsTheChild() {
        ChildProcess child = start("listen");
        long pid = child.next().orElseThrow().path("pid").asLong();
        child.close();
        assertFalse(ProcessHandle.of(pid).map(ProcessHandle::isAlive).orElse(false));
    }
}
