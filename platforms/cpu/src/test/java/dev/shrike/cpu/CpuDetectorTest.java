package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.BlockYolo;
import dev.shrike.Detector;
import dev.shrike.DetectorContract;
import dev.shrike.DetectorOptions;
import dev.shrike.Detectors;
import dev.shrike.OperationInterruptedException;
import dev.shrike.cpu.file.ShrikeFile;
import dev.shrike.onnx.OnnxModels;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CpuDetectorTest extends DetectorContract {
    private static final DetectorOptions OPTIONS = DetectorOptions.DEFAULT.withEngine("cpu").withThreads(2);

    @TempDir
    private static Path folder;

    private static Path model;

    @BeforeAll
    static void writeTheModels() {
        model = folder.resolve("blocks.onnx");
        OnnxModels.write(BlockYolo.graph(), model);
        new ShrikeFile(BlockYolo.graph(), Map.of()).write(folder.resolve("blocks.shrike"));
    }

    @Override
    protected Detector open() {
        return Detectors.open(model, OPTIONS);
    }

    @Test
    void openingOnAnInterruptedThreadSaysSoAndOpensAfterwards() {
        for (String name : List.of("blocks.onnx", "blocks.shrike")) {
            Path file = folder.resolve(name);
            Thread.currentThread().interrupt();
            var error = assertThrows(OperationInterruptedException.class, () -> Detectors.open(file, OPTIONS));
            assertTrue(Thread.interrupted(), "the interrupt was lost");
            assertTrue(error.getMessage().contains("interrupted") && error.getMessage().contains(name),
                    error.getMessage());
            try (Detector detector = Detectors.open(file, OPTIONS)) {
                assertTrue(detector.detect(frame(1)).size() > 0);
            }
        }
    }

    /** In a process of its own, where OpenCV, oneDNN and libshrike are loaded first by a thread that is interrupted. */
    @Test
    void aShutdownHookWaitsForTheCallThatRuns() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "-cp", System.getProperty("java.class.path"), Exiting.class.getName(), model.toString())
                .redirectErrorStream(true)
                .redirectOutput(folder.resolve("exiting.txt").toFile()).start();
        assertEquals(3, process.waitFor(), () -> text(folder.resolve("exiting.txt").toFile()));
        assertTrue(text(folder.resolve("exiting.txt").toFile()).contains("closed"));
    }

    private static String text(File file) {
        try {
            return java.nio.file.Files.readString(file.toPath());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    /** Ends while a thread detects. */
    static final class Exiting {
        private Exiting() {}

        public static void main(String[] arguments) throws InterruptedException {
            Thread.currentThread().interrupt();
            Detector detector = Detectors.open(BlockYolo.graph(), OPTIONS);
            if (!Thread.interrupted()) {
                throw new IllegalStateException("the interrupt was lost");
            }
            Runtime.getRuntime().addShutdownHook(new Thread(() -> {
                detector.close();
                System.out.println("closed");
            }));
            CountDownLatch running = new CountDownLatch(1);
            Thread.ofPlatform().daemon().start(() -> {
                while (true) {
                    detector.detect(frame(1));
                    running.countDown();
                }
            });
            running.await();
            System.exit(3);
        }
    }
}
