package dev.shrike.app.detect;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ShrikeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class RunFolderTest {
    @TempDir
    private Path project;

    private Path make(String name, boolean reuse) {
        try (RunFolder folder = RunFolder.create(project, name, reuse)) {
            folder.writeText(folder.file("", "kept.txt"), "x");
            return folder.path();
        }
    }

    @Test
    void namesCountUp() {
        assertEquals(project.resolve("exp"), make("exp", false));
        assertEquals(project.resolve("exp2"), make("exp", false));
        assertEquals(project.resolve("exp3"), make("exp", false));
        assertEquals(project.resolve("exp"), make("exp", true));
    }

    @Test
    void runsAtTheSameTimeGetDifferentFolders() throws Exception {
        List<Callable<Path>> runs = java.util.Collections.nCopies(24, () -> make("exp", false));
        Set<Path> folders = new HashSet<>();
        try (var pool = Executors.newFixedThreadPool(8)) {
            for (Future<Path> run : pool.invokeAll(runs)) {
                folders.add(run.get());
            }
        }
        assertEquals(24, folders.size());
    }

    @Test
    void imagesOfTheSameNameGetStemsOfTheirOwn() {
        try (RunFolder folder = RunFolder.create(project, "exp", false)) {
            assertEquals("bus", folder.uniqueStem(Path.of("a/bus.jpg")));
            assertEquals("bus-2", folder.uniqueStem(Path.of("b/bus.jpg")));
            assertEquals("bus-3", folder.uniqueStem(Path.of("b/bus.png")));
            assertEquals("bus-2-2", folder.uniqueStem(Path.of("b/bus-2.png")));
        }
    }

    @Test
    void nothingWrittenLeavesNothing() {
        RunFolder.create(project.resolve("deep"), "exp", false).close();
        assertFalse(Files.exists(project.resolve("deep/exp")));
    }

    @Test
    void textsAreReplacedWhole() throws IOException {
        try (RunFolder folder = RunFolder.create(project, "exp", false)) {
            Path file = folder.file("labels", "a.txt");
            folder.writeText(file, "first\nsecond\n");
            folder.writeText(file, "third\n");
            assertEquals("third\n", Files.readString(file));
            try (var files = Files.list(file.getParent())) {
                assertEquals(List.of(file), files.toList());
            }
        }
    }

    @Test
    void aTextThatCannotBeWrittenLeavesNoPart() throws IOException {
        try (RunFolder folder = RunFolder.create(project, "exp", false)) {
            Path taken = Files.createDirectories(folder.path().resolve("a.txt/full"));
            ShrikeException e = assertThrows(
                    ShrikeException.class, () -> folder.writeText(folder.path().resolve("a.txt"), "x"));
            assertTrue(e.getMessage().contains("a.txt: cannot be written"), e.getMessage());
            try (var files = Files.list(folder.path())) {
                assertEquals(List.of(taken.getParent()), files.toList());
            }
        }
    }

    /** With --exist-ok results go where something is: never over the images that are read, or their labels. */
    @Test
    void theFolderOfTheImagesIsRefused() throws IOException {
        Path images = Files.createDirectories(project.resolve("set/images/val"));
        Path labels = Files.createDirectories(project.resolve("set/labels"));
        Path link = Files.createSymbolicLink(project.resolve("link"), images);
        List<Path> sources = List.of(Files.writeString(images.resolve("a.jpg"), "x"));
        for (Path taken : List.of(images, link, Files.createDirectories(labels.resolve("val")))) {
            ShrikeException e = assertThrows(ShrikeException.class,
                    () -> RunFolder.create(taken.getParent(), taken.getFileName().toString(), true, sources));
            assertTrue(e.getMessage().startsWith(taken + ": has the images that are read"), e.getMessage());
        }
        Path flat = Files.createDirectories(project.resolve("flat/images"));
        List<Path> others = List.of(Files.writeString(flat.resolve("a.jpg"), "x"));
        Files.createDirectories(project.resolve("flat/labels"));
        ShrikeException e =
                assertThrows(ShrikeException.class, () -> RunFolder.create(project, "flat", true, others));
        assertTrue(e.getMessage().startsWith(project.resolve("flat/labels") + ": has "), e.getMessage());
        RunFolder.create(project, "exp", true, sources).close();
        RunFolder.create(project, "set", false, sources).close();
    }

    @Test
    void aFileInTheWayIsNamed() throws IOException {
        Path file = Files.writeString(project.resolve("file"), "x");
        for (Path bad : List.of(file, file.resolve("below"))) {
            ShrikeException e = assertThrows(ShrikeException.class, () -> RunFolder.create(bad, "exp", false));
            assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
        }
        ShrikeException e = assertThrows(ShrikeException.class, () -> RunFolder.create(project, "file", true));
        assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
    }
}
