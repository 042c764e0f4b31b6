package dev.shrike.app.start;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RehearsalTest {
    @TempDir
    private Path folder;

    @Test
    void everyCommandSucceeds() {
        assertEquals(0, Rehearsal.perform(folder));
        assertTrue(Files.exists(folder.resolve("runs/exp/labels/image.txt")));
        assertTrue(Files.exists(folder.resolve("w2a2.shrike")));
    }
}
