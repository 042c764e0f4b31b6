package dev.shrike.jetson;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.shrike.jetson.binding.TensorRt;
import dev.shrike.jetson.engine.EngineOptions;
import dev.shrike.jetson.engine.EngineRecord;
import dev.shrike.jetson.kernels.KernelSource;
import dev.shrike.spi.BatchProfile;
import java.io.File;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What works on the class path, where tests run, but needs the module's leave in the program as it is launched. */
class ModulePathTest {
    @TempDir
    private Path folder;

    /** Runs in the module. */
    static final class Child {
        private Child() {}

        /** Prints {@code ok} if descriptions of engines and kernels can be read. */
        public static void main(String[] arguments) {
            EngineRecord record = new EngineRecord("m", EngineOptions.Precision.INT8, TensorRt.Calibration.ENTROPY, "d",
                    -1, new BatchProfile(1, 4, 8), 0, false, "8.5.2", "Xavier", "7.2", List.of("l (SHUFFLE)"), 12.5);
            if (!EngineRecord.fromJson(record.toJson()).equals(record)) {
                throw new AssertionError("another record");
            }
            for (KernelSource kernel : KernelSource.values()) {
                if (!kernel.text().contains(kernel.kernel())) {
                    throw new AssertionError(kernel + " is another file");
                }
            }
            System.out.println("ok " + Child.class.getModule().getName());
        }
    }

    @Test
    void engineDescriptionsAreWrittenFromTheModule() throws Exception {
        String module = "dev.shrike.jetson";
        String path = Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !entry.contains("test-classes") && !entry.endsWith("-tests.jar"))
                .filter(entry -> entry.matches(".*(classes|shrike-runtime\\S*|/jackson-\\S*|/javacpp-\\S*|/cuda-\\S*"
                        + "|/tensorrt-\\S*|/opencv-\\S*|/openblas-\\S*|/protobuf-\\S*)"))
                .collect(Collectors.joining(File.pathSeparator));
        // Other tests are of other packages, which a module cannot be patched with.
        String child = Child.class.getName().replace('.', '/') + ".class";
        Path classes = folder.resolve("classes");
        Files.createDirectories(classes.resolve(child).getParent());
        try (InputStream code = Child.class.getClassLoader().getResourceAsStream(child)) {
            Files.copy(code, classes.resolve(child));
        }
        Path said = folder.resolve("said.txt");
        Process process = new ProcessBuilder(ProcessHandle.current().info().command().orElseThrow(),
                "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-p", path, "--patch-module",
                module + "=" + classes, "-m", module + "/" + Child.class.getName())
                .redirectErrorStream(true).redirectOutput(said.toFile()).start();
        int exit = process.waitFor();
        assertEquals("ok " + module, Files.readString(said, StandardCharsets.UTF_8).strip());
        assertEquals(0, exit);
    }
}
