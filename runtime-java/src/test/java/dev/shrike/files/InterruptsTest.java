package dev.shrike.files;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.BlockYolo;
import dev.shrike.Frame;
import dev.shrike.OperationInterruptedException;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.vision.Images;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

class InterruptsTest {
    @TempDir
    private Path folder;

    @AfterEach
    void clear() {
        Thread.interrupted();
    }

    @Test
    void readingSaysSoAndWorksAfterwards() {
        Path image = folder.resolve("a.png");
        Path model = folder.resolve("a.onnx");
        Images.write(Frame.allocate(8, 8), image);
        OnnxModels.write(BlockYolo.graph(), model);
        interrupted("a.png", () -> Frame.read(image));
        interrupted("a.onnx", () -> OnnxModels.read(model));
        assertEquals(8, Frame.read(image).width());
        assertEquals("blocks", OnnxModels.read(model).name());
    }

    @Test
    void writingSaysSoAndLeavesWhatWasThere() throws IOException {
        Path file = folder.resolve("a.bin");
        FileReplacement.write(file, stream -> stream.write(1));
        interrupted("a.bin", () -> FileReplacement.write(file, stream -> stream.write(new byte[1 << 20])));
        assertArrayEquals(new byte[] {1}, Files.readAllBytes(file));
        try (var files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
    }

    @Test
    void shieldedWorkIsNotReached() {
        Thread.currentThread().interrupt();
        assertEquals(false, Interrupts.shield(() -> Thread.currentThread().isInterrupted()));
        assertTrue(Thread.currentThread().isInterrupted());
        assertThrows(UnsatisfiedLinkError.class, () -> Interrupts.shield(() -> {
            throw new UnsatisfiedLinkError("missing");
        }));
        assertThrows(IllegalArgumentException.class, () -> Interrupts.shield(() -> {
            throw new IllegalArgumentException("broken");
        }));
        assertTrue(Thread.interrupted());
    }

    private static void interrupted(String name, Executable work) {
        Thread.currentThread().interrupt();
        var error = assertThrows(OperationInterruptedException.class, work);
        assertTrue(Thread.interrupted(), "the interrupt was lost");
        assertTrue(error.getMessage().contains(name) && error.getMessage().contains("was interrupted"),
                error.getMessage());
    }
}
