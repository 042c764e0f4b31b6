package dev.shrike.app.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.app.serve.config.CredentialFilter;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class FaultLogTest {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private long now;
    private final FaultLog log = new FaultLog(new PrintStream(bytes, true, StandardCharsets.UTF_8), false, () -> now);

    @Test
    void aRepeatingFaultHasALineAMinute() {
        for (int second = 0; second < 600; second++) {
            now = TimeUnit.SECONDS.toNanos(second);
            log.fault(FaultLog.Level.WARNING, "camera a", "a: lost");
            log.fault(FaultLog.Level.WARNING, "camera a", "a: lost");
            log.tick();
        }
        assertEquals(10, lines().size(), lines().toString());
        assertEquals("a: lost", lines().getFirst());
        assertEquals("a: lost (120 times more, 121 in all)", lines().get(1));
    }

    @Test
    void aFaultThatComesAndGoesEverySecondHasFewLines() {
        for (int second = 0; second < 600; second++) {
            now = TimeUnit.SECONDS.toNanos(second);
            if (second % 2 == 0) {
                log.fault(FaultLog.Level.WARNING, "camera a", "a: lost");
            } else {
                log.over("camera a", "a: back");
            }
            log.tick();
        }
        assertTrue(lines().size() <= 22, lines().toString());
    }

    @Test
    void theEndOfAFaultIsTold() {
        log.over("camera a", "a: back");
        assertEquals(List.of(), lines(), "what was never told is not over");
        log.fault(FaultLog.Level.WARNING, "camera a", "a: lost");
        now = TimeUnit.SECONDS.toNanos(5);
        log.over("camera a", "a: back");
        assertEquals(List.of("a: lost", "a: back"), lines());
        now = TimeUnit.MINUTES.toNanos(5);
        log.tick();
        log.fault(FaultLog.Level.WARNING, "camera a", "a: lost");
        assertEquals(3, lines().size());
    }

    @Test
    void theEndOfAFaultThatWasCountedIsToldWithTheCount() {
        log.fault(FaultLog.Level.WARNING, "broker", "broker: away");
        log.fault(FaultLog.Level.WARNING, "broker", "broker: away");
        now = TimeUnit.SECONDS.toNanos(5);
        log.over("broker", "broker: back");
        log.tick();
        assertEquals(List.of("broker: away"), lines(), "not yet: it may come and go");
        now = TimeUnit.SECONDS.toNanos(61);
        log.tick();
        log.tick();
        assertEquals(List.of("broker: away", "broker: away (1 times more, 2 in all)", "broker: back"), lines());
    }

    @Test
    void secretsAndLineEndsStayOut() {
        log.set(FaultLog.Level.INFO, 60, new CredentialFilter(Set.of("hunter22")));
        log.warning("rtsp://user:other@host/ hunter22\nforged");
        assertEquals(List.of("rtsp://host/ ***\\nforged"), lines());
    }

    @Test
    void linesForTheJournalHaveTheirPriority() {
        FaultLog journal = new FaultLog(new PrintStream(bytes, true, StandardCharsets.UTF_8), true, () -> now);
        journal.error("x");
        journal.info("y");
        assertEquals(List.of("<3>x", "<6>y"), lines());
        journal.set(FaultLog.Level.ERROR, 60, new CredentialFilter(Set.of()));
        journal.warning("z");
        assertFalse(lines().contains("<4>z"));
    }

    private List<String> lines() {
        return bytes.toString(StandardCharsets.UTF_8).lines().toList();
    }
}
