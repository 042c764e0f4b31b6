package dev.shrike.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class EarlierRunTest {
    @TempDir
    Path root;

    private Path folder;

    @BeforeEach
    void write() throws IOException {
        folder = Files.createDirectories(root.resolve("a-train"));
        Files.writeString(folder.resolve("checkpoint.bin"), "old");
        Files.createDirectories(folder.resolve("below"));
        Files.writeString(folder.resolve("below/x"), "y");
    }

    private void begin() throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("checkpoint.bin"), "new");
    }

    @Test
    void aRunThatCannotStartTakesNothingAway() throws IOException {
        EarlierRun earlier = EarlierRun.setAside(folder);
        assertFalse(Files.exists(folder));
        begin();
        earlier.restore();
        assertEquals("old", Files.readString(folder.resolve("checkpoint.bin")));
        assertEquals("y", Files.readString(folder.resolve("below/x")));
        assertFalse(Files.exists(root.resolve("a-train.before")));
    }

    @Test
    void aRunThatWentOnReplacesIt() throws IOException {
        EarlierRun earlier = EarlierRun.setAside(folder);
        begin();
        earlier.discard();
        assertEquals("new", Files.readString(folder.resolve("checkpoint.bin")));
        assertFalse(Files.exists(root.resolve("a-train.before")));
    }

    @Test
    void aFolderWithoutARunStays() throws IOException {
        Files.delete(folder.resolve("checkpoint.bin"));
        EarlierRun earlier = EarlierRun.setAside(folder);
        earlier.restore();
        earlier.discard();
        assertTrue(Files.exists(folder.resolve("below/x")));
    }
}
