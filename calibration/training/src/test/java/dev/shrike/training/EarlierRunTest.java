package dev.shrike.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.files.FileTree;
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
        EarlierRun earlier = EarlierRun.setAside(folder, "checkpoint.bin");
        assertFalse(Files.exists(folder));
        begin();
        earlier.restore(false);
        assertEquals("old", Files.readString(folder.resolve("checkpoint.bin")));
        assertEquals("y", Files.readString(folder.resolve("below/x")));
        assertFalse(Files.exists(root.resolve("a-train.before")));
    }

    @Test
    void aRunThatWentOnReplacesIt() throws IOException {
        EarlierRun earlier = EarlierRun.setAside(folder, "checkpoint.bin");
        begin();
        earlier.discard();
        assertEquals("new", Files.readString(folder.resolve("checkpoint.bin")));
        assertFalse(Files.exists(root.resolve("a-train.before")));
    }

    @Test
    void aFolderWithoutARunStays() throws IOException {
        Files.delete(folder.resolve("checkpoint.bin"));
        EarlierRun earlier = EarlierRun.setAside(folder, "checkpoint.bin");
        earlier.restore(false);
        earlier.discard();
        assertTrue(Files.exists(folder.resolve("below/x")));
    }

    @Test
    void aRunThatCannotStartLeavesNothingBehind() throws IOException {
        FileTree.delete(folder);
        EarlierRun earlier = EarlierRun.setAside(folder, "checkpoint.bin");
        begin();
        Files.writeString(folder.resolve("images.bin"), "pixels");
        earlier.restore(false);
        assertFalse(Files.exists(folder));
    }

    @Test
    void theLogStaysIfPeopleAreToReadIt() throws IOException {
        EarlierRun earlier = EarlierRun.setAside(folder, "checkpoint.bin");
        begin();
        Files.writeString(folder.resolve("train.log"), "what went wrong");
        earlier.restore(true);
        assertEquals("old", Files.readString(folder.resolve("checkpoint.bin")));
        assertEquals("what went wrong", Files.readString(folder.resolve("train.log")));
        // A folder with nothing but a log is one that a run may replace.
        FileTree.delete(folder);
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("train.log"), "what went wrong");
        EarlierRun next = EarlierRun.setAside(folder, "checkpoint.bin");
        begin();
        next.restore(false);
        assertFalse(Files.exists(folder));
    }

    @Test
    void filesOfSomebodyElseStay() throws IOException {
        Files.delete(folder.resolve("checkpoint.bin"));
        EarlierRun earlier = EarlierRun.setAside(folder, "checkpoint.bin");
        Files.writeString(folder.resolve("images.bin"), "pixels");
        earlier.restore(false);
        assertFalse(Files.exists(folder.resolve("images.bin")));
        assertEquals("y", Files.readString(folder.resolve("below/x")));
    }

    /** Killed before its first epoch: nobody could put the earlier run back then, so the next one does. */
    @Test
    void aRunThatWasKilledTakesNothingAway() throws IOException {
        EarlierRun.setAside(folder, "checkpoint.bin");
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("images.bin"), "pixels");
        EarlierRun.recover(folder, "checkpoint.bin");
        assertEquals("old", Files.readString(folder.resolve("checkpoint.bin")));
        assertFalse(Files.exists(root.resolve("a-train.before")));
        EarlierRun.setAside(folder, "checkpoint.bin");
        begin();
        EarlierRun.recover(folder, "checkpoint.bin");
        assertEquals("new", Files.readString(folder.resolve("checkpoint.bin")));
        assertFalse(Files.exists(root.resolve("a-train.before")));
    }
}
