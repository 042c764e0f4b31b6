package dev.shrike.files;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ShrikeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class FileReplacementTest {
    @TempDir
    private Path folder;

    @Test
    void replacesWhatIsThereAndLeavesNothingElse() throws IOException {
        Path file = folder.resolve("a.txt");
        FileReplacement.write(file, stream -> stream.write('1'));
        assertEquals("1", Files.readString(file));
        FileReplacement.replace(file, stream -> stream.write("22".getBytes()));
        assertEquals("22", Files.readString(file));
        Path written = FileReplacement.temporary(file);
        Files.writeString(written, "333");
        FileReplacement.rename(written, file);
        assertEquals("333", Files.readString(file));
        assertEquals(List.of(file), entries());
    }

    @Test
    void whatFailsLeavesTheOldFile() throws IOException {
        Path file = folder.resolve("a.txt");
        Files.writeString(file, "old");
        FileReplacement.Content failing = stream -> {
            stream.write(new byte[1 << 17]);
            throw new IOException("no space left");
        };
        String message = assertThrows(ShrikeException.class, () -> FileReplacement.write(file, failing)).getMessage();
        assertTrue(message.contains("a.txt: cannot be written") && message.contains("no space left"), message);
        assertThrows(IOException.class, () -> FileReplacement.replace(file, failing));
        assertEquals("old", Files.readString(file));
        assertEquals(List.of(file), entries());
    }

    @Test
    void namesMayBeAsLongAsTheFileSystemTakes() throws IOException {
        for (String name : List.of("n".repeat(255), "n".repeat(201), "n".repeat(200))) {
            Path file = folder.resolve(name);
            FileReplacement.replace(file, stream -> stream.write('1'));
            assertEquals(1, Files.size(file), name);
        }
    }

    private List<Path> entries() throws IOException {
        try (Stream<Path> all = Files.list(folder)) {
            return all.toList();
        }
    }
}
