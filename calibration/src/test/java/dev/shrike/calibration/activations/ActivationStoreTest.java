package dev.shrike.calibration.activations;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.DeviceException;
import dev.shrike.graph.Quantization;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ActivationStoreTest {
    private static final int IMAGES = 3;
    private static final int COUNT = 1000;
    private static final Quantization FOUR_BITS = Quantization.perTensor(0.25f, 5, 4, false);

    @TempDir
    private Path folder;

    private static float[] floats(int image) {
        Random random = new Random(image);
        float[] elements = new float[COUNT];
        for (int i = 0; i < COUNT; i++) {
            elements[i] = (float) random.nextGaussian();
        }
        return elements;
    }

    private static float[] coded(int image) {
        float[] elements = new float[COUNT];
        for (int i = 0; i < COUNT; i++) {
            elements[i] = 0.25f * ((image + i) % 16 - 5);
        }
        return elements;
    }

    private static void fill(ActivationStore store) {
        // Neither in order nor value by value.
        for (int image : new int[] {2, 0, 1}) {
            store.put("real", image, floats(image), COUNT, null);
            store.put("coded", image, coded(image), COUNT, FOUR_BITS);
        }
    }

    private static void check(ActivationStore store) {
        float[] to = new float[COUNT];
        for (int image = 0; image < IMAGES; image++) {
            store.get("real", image, to);
            assertArrayEquals(floats(image), to);
            store.get("coded", image, to);
            assertArrayEquals(coded(image), to);
        }
    }

    private List<Path> left() throws IOException {
        try (var files = Files.list(folder)) {
            return files.toList();
        }
    }

    /** Floats take 12000 bytes, codes 3000. */
    @ParameterizedTest
    @CsvSource({"15000, 0", "14999, 3000", "3000, 12000", "2999, 15000", "0, 15000"})
    void whatIsBeyondTheLimitIsInFilesAndTheSame(long limit, long onDisk) throws IOException {
        ActivationMemory memory = new ActivationMemory(limit, folder);
        try (ActivationStore store = new ActivationStore(IMAGES, memory)) {
            fill(store);
            check(store);
            assertEquals(onDisk, memory.mostOnDisk());
            assertEquals(15000, memory.most());
            assertEquals(List.of(), left());
        }
        assertEquals(List.of(), left());
    }

    @Test
    void whatIsFreedGivesRoomToOthers() {
        ActivationMemory memory = new ActivationMemory(12000, folder);
        try (ActivationStore one = new ActivationStore(IMAGES, memory);
                ActivationStore other = new ActivationStore(IMAGES, memory)) {
            one.put("real", 0, floats(0), COUNT, null);
            other.put("real", 0, floats(0), COUNT, null);
            assertEquals(12000, memory.mostOnDisk());
            one.free("real");
            assertFalse(one.holds("real"));
            one.put("again", 0, floats(0), COUNT, null);
            one.put("coded", 0, coded(0), COUNT, FOUR_BITS);
            assertEquals(15000, memory.mostOnDisk());
            assertEquals(27000, memory.most());
        }
    }

    @Test
    void aFullDiskIsNamed() {
        ActivationMemory memory = new ActivationMemory(0, "/some/folder",
                () -> FileChannel.open(Path.of("/dev/full"), StandardOpenOption.READ, StandardOpenOption.WRITE));
        try (ActivationStore store = new ActivationStore(IMAGES, memory)) {
            DeviceException e =
                    assertThrows(DeviceException.class, () -> store.put("real", 0, floats(0), COUNT, null));
            assertEquals(
                    "cannot write value 'real' on 3 images (12000 bytes) in /some/folder: No space left on device"
                            + "; free some space there, or use more memory, fewer images or a smaller crop",
                    e.getMessage());
        }
    }

    @Test
    void aFolderThatIsGoneIsNamed() {
        Path gone = folder.resolve("gone");
        try (ActivationStore store = new ActivationStore(IMAGES, new ActivationMemory(0, gone))) {
            DeviceException e =
                    assertThrows(DeviceException.class, () -> store.put("real", 0, floats(0), COUNT, null));
            assertTrue(e.getMessage().startsWith("cannot write value 'real' on 3 images (12000 bytes) in " + gone),
                    e.getMessage());
        }
    }

    /** Fills a store that has no memory below the folder of its argument, says so and waits to be ended. */
    static final class Spiller {
        public static void main(String[] args) throws InterruptedException {
            try (ActivationStore store =
                    new ActivationStore(IMAGES, new ActivationMemory(0, Path.of(args[0])))) {
                fill(store);
                System.out.println("filled");
                Thread.sleep(60_000);
                check(store);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"INT", "TERM", "KILL"})
    void nothingIsLeftOfAProcessThatIsEnded(String signal) throws Exception {
        // What runs in the background of a script ignores INT, and so do its children.
        Process process = new ProcessBuilder("env", "--default-signal=INT",
                Path.of(System.getProperty("java.home"), "bin/java").toString(), "-cp",
                System.getProperty("java.class.path"), Spiller.class.getName(), folder.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        try (BufferedReader reader = process.inputReader()) {
            assertEquals("filled", reader.readLine());
            // Two files are open, and neither has a name.
            try (var open = Files.list(Path.of("/proc/" + process.pid() + "/fd"))) {
                assertEquals(2, open.filter(file -> isBelow(folder, file)).count());
            }
            assertEquals(List.of(), left());
            assertEquals(0, new ProcessBuilder("kill", "-" + signal, Long.toString(process.pid())).start().waitFor());
            assertTrue(process.waitFor(30, TimeUnit.SECONDS));
            assertEquals(List.of(), left());
        } finally {
            process.destroyForcibly();
        }
    }

    private static boolean isBelow(Path folder, Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).startsWith(folder.toRealPath());
        } catch (IOException e) {
            return false;
        }
    }
}
