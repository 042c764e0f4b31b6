package dev.shrike.jetson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.jetson.engine.NetworkSource;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** One cache, several processes, and builds that end too early. */
@Timeout(300)
class EngineCacheProcessesTest {
    private static final int SIGKILL = 128 + 9;
    private static final int SIGTERM = 128 + 15;
    private static final String WAITS = "built by another process";

    @TempDir
    private Path cache;

    private List<String> kept(String ending) throws IOException {
        try (Stream<Path> files = Files.list(cache)) {
            return files.map(file -> file.getFileName().toString()).filter(name -> name.endsWith(ending)).toList();
        }
    }

    private String buildToTheEnd() throws Exception {
        try (BuildingProcess process = BuildingProcess.start(cache)) {
            process.await("building");
            process.proceed();
            String done = process.await("done ");
            assertEquals(0, process.exitCode());
            return done;
        }
    }

    @Test
    void ofTwoProcessesOneBuildsAndTheOtherWaits() throws Exception {
        try (BuildingProcess first = BuildingProcess.start(cache)) {
            first.await("building");
            try (BuildingProcess second = BuildingProcess.start(cache)) {
                second.await(WAITS);
                first.proceed();
                String built = first.await("done ");
                assertTrue(built.startsWith("done 1 "), built);
                assertEquals(built.replace("done 1", "done 0"), second.await("done "));
                assertEquals(0, first.exitCode());
                assertEquals(0, second.exitCode());
            }
        }
        assertEquals(1, kept(".engine").size());
        assertEquals(List.of(), kept(".tmp"));
    }

    @Test
    void whoWaitsForAKilledProcessBuildsItself() throws Exception {
        try (BuildingProcess first = BuildingProcess.start(cache)) {
            first.await("building");
            try (BuildingProcess second = BuildingProcess.start(cache)) {
                second.await(WAITS);
                assertEquals(SIGKILL, first.end(true));
                second.await("building");
                assertEquals(List.of(), kept(".engine"));
                second.proceed();
                assertTrue(second.await("done ").startsWith("done 1 "));
                assertEquals(0, second.exitCode());
            }
        }
        assertEquals(1, kept(".engine").size());
    }

    @Test
    void aBuildThatWasToldToEndDoesSoAndLeavesNothing() throws Exception {
        try (BuildingProcess process = BuildingProcess.start(cache)) {
            process.await("building");
            assertEquals(SIGTERM, process.end(false));
        }
        assertEquals(List.of(), kept(".engine"));
        assertEquals(List.of(), kept(".tmp"));
        assertTrue(buildToTheEnd().startsWith("done 1 "));
    }

    @Test
    void leftoversOfKilledProcessesAreRemoved() throws Exception {
        HostGpu gpu = new HostGpu();
        NetworkSource network = NetworkSource.of(SmallDetector.make(1), Map.of());
        TensorRtEngines engines =
                new TensorRtEngines(gpu, new FakeTensorRt(gpu), BuildingProcess.options(cache));
        String key = engines.engine(network).record().key();
        Files.delete(cache.resolve(key + ".engine"));
        // As FileReplacement calls what it writes.
        Path own = Files.writeString(cache.resolve("." + key + ".engine.6f1c.tmp"), "half");
        Path others = Files.writeString(cache.resolve(".timings-12.bin.6f1d.tmp"), "being written");
        Path old = Files.writeString(cache.resolve(".calibration-12.cache.6f1e.tmp"), "half");
        Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofDays(2))));
        engines.engine(network);
        assertFalse(Files.exists(own), "whoever holds the lock writes it");
        assertFalse(Files.exists(old));
        assertTrue(Files.exists(others), "another process may be writing it");
    }
}
