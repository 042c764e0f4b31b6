package dev.shrike.app.page;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class SendQueuesTest {
    @Test
    void theKernelsTablesAreRead(@TempDir Path root) throws IOException {
        Files.createDirectories(root.resolve("proc/net"));
        String head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n";
        Files.writeString(root.resolve("proc/net/tcp"), head
                + "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1\n"
                + "   1: 0100007F:1F90 0200007F:C001 01 00001000:00000000 01:00000014 00000000     0        0 2\n"
                + "   2: 0100007F:0050 0200007F:C002 01 00002000:00000000 01:00000014 00000000     0        0 3\n");
        Files.writeString(root.resolve("proc/net/tcp6"), head
                + "   9: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000300007F:C001 01"
                + " 00000FFF:00000000 01:00000014 00000000     0        0 4\n"
                + "  10: 0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF00000300007F:C003 01"
                + " 00000000:00000000 00:00000000 00000000     0        0 5\n");
        assertEquals(Map.of(0, 0L, 0xC001, 0xFFFL, 0xC003, 0L), new SendQueues(root).waiting(8080));
        assertEquals(Map.of(), new SendQueues(root.resolve("nowhere")).waiting(8080));
    }
}
