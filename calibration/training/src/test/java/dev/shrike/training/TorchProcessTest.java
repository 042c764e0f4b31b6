package dev.shrike.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/**
 * The tests of {@code dev.shrike.training.torch}, in a process with the class path of training. They run if PyTorch is
 * in the cache, or with {@code -Dshrike.training.fetch=true}; {@code -Dshrike.training.tests=.*LoopTest} runs some.
 */
@Tag("any-processor")
class TorchProcessTest {
    @TestFactory
    Stream<DynamicTest> torch(@TempDir Path folder) {
        boolean fetch = Boolean.getBoolean("shrike.training.fetch");
        TorchLibraries libraries = TorchLibraries.ofMachine();
        assumeTrue(fetch || libraries.arePresent(), "PyTorch is not in the cache (-Dshrike.training.fetch=true)");
        List<Path> jars = libraries.require(fetch, System.err::println);
        List<Path> own = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator)).map(Path::of)
                .toList();
        List<DynamicTest> results = new ArrayList<>();
        try (ChildProcess child = ChildProcess.start("dev.shrike.training.torch.TorchTestMain",
                TorchLibraries.classPath(jars, own), libraries.natives(),
                List.of(System.getProperty("shrike.training.tests", ".*Test")), folder.resolve("log"), 1, 1024)) {
            for (Optional<JsonNode> next = child.next(); next.isPresent(); next = child.next()) {
                JsonNode result = next.get();
                results.add(DynamicTest.dynamicTest(result.path("test").asText(),
                        () -> {
                            assumeFalse(result.path("status").asText().equals("ABORTED"),
                                    result.path("reason").asText());
                            assertEquals("SUCCESSFUL", result.path("status").asText(), result.path("trace").asText());
                        }));
            }
        }
        assertTrue(!results.isEmpty(), "no test of PyTorch was found");
        return results.stream();
    }
}
