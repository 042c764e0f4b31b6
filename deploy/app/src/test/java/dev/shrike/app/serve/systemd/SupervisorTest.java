package dev.shrike.app.serve.systemd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class SupervisorTest {
    @TempDir
    private Path folder;

    @Test
    void messagesArriveAtAPath() throws Throwable {
        tellsAll(folder.resolve("notify").toString());
    }

    @Test
    void messagesArriveAtAnAbstractName() throws Throwable {
        tellsAll("@shrike-test-" + ProcessHandle.current().pid() + "-" + System.nanoTime());
    }

    private static void tellsAll(String address) throws Throwable {
        try (DatagramReceiver receiver = new DatagramReceiver(address)) {
            Supervisor supervisor = new Supervisor(Map.of("NOTIFY_SOCKET", address, "WATCHDOG_USEC", "2000000"), 1);
            supervisor.extend(Duration.ofSeconds(30));
            supervisor.ready("all\nis well");
            supervisor.status("all is well");
            supervisor.status("less so");
            supervisor.alive();
            long before = System.nanoTime() / 1000;
            supervisor.reloading();
            supervisor.stopping("bye");
            List<String> received = receiver.received();
            assertEquals("EXTEND_TIMEOUT_USEC=30000000", received.get(0));
            assertEquals("READY=1\nSTATUS=all is well", received.get(1));
            assertEquals("STATUS=less so", received.get(2), "an unchanged status is not told again");
            assertEquals("WATCHDOG=1", received.get(3));
            assertTrue(received.get(4).matches("RELOADING=1\nMONOTONIC_USEC=\\d+"), received.get(4));
            assertTrue(Long.parseLong(received.get(4).replaceAll("(?s).*=", "")) >= before);
            assertEquals("STOPPING=1\nSTATUS=bye", received.get(5));
            assertEquals(6, received.size());
            assertEquals("", supervisor.trouble());
        }
    }

    @Test
    void withoutASocketNothingIsToldAndNothingFails() {
        Supervisor supervisor = new Supervisor(Map.of("WATCHDOG_USEC", "1000"), 1);
        supervisor.ready("x");
        supervisor.alive();
        assertEquals(Optional.empty(), supervisor.watchdog());
        assertEquals("", supervisor.trouble());
    }

    @Test
    void addressesThatNobodyListensAtAreTrouble() {
        for (String address : List.of(folder.resolve("none").toString(), "@nobody-here", "relative", "/", "@",
                "/" + "x".repeat(200))) {
            Supervisor supervisor = new Supervisor(Map.of("NOTIFY_SOCKET", address), 1);
            supervisor.ready("x");
            assertFalse(supervisor.trouble().isEmpty(), address);
        }
    }

    @Test
    void theWatchdogOfAnotherProcessIsNotOurs() {
        Map<String, String> other = Map.of("NOTIFY_SOCKET", "@x", "WATCHDOG_USEC", "5000000", "WATCHDOG_PID", "7");
        assertEquals(Optional.empty(), new Supervisor(other, 8).watchdog());
        assertEquals(Optional.of(Duration.ofSeconds(5)), new Supervisor(other, 7).watchdog());
        assertEquals(Optional.empty(),
                new Supervisor(Map.of("NOTIFY_SOCKET", "@x", "WATCHDOG_USEC", "0"), 1).watchdog());
        assertEquals(Optional.empty(),
                new Supervisor(Map.of("NOTIFY_SOCKET", "@x", "WATCHDOG_USEC", "soon"), 1).watchdog());
    }
}
