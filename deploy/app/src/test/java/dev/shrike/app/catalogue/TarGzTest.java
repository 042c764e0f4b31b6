package dev.shrike.app.catalogue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ShrikeException;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class TarGzTest {
    private static final byte[] TEXT = "what is wanted".getBytes(StandardCharsets.UTF_8);

    @TempDir
    private Path folder;

    @Test
    void takesOnlyWhatIsWanted() throws IOException {
        byte[] large = new byte[200_001];
        new Random(1).nextBytes(large);
        Path archive = new TarBuilder()
                .file("package/other", new byte[700])
                .entry("package/folder/", '5', 0, new byte[0])
                .file("package/a", TEXT)
                .entry("package/link", '2', 0, new byte[0])
                .file("package/large", large)
                .write(folder.resolve("a.tgz"));
        TarGz.extract(archive, Map.of("package/a", folder.resolve("one"), "package/large", folder.resolve("two")));
        assertArrayEquals(TEXT, Files.readAllBytes(folder.resolve("one")));
        assertArrayEquals(large, Files.readAllBytes(folder.resolve("two")));
        assertEquals(3, folder.toFile().list().length);
    }

    @Test
    void readsLongNamesFromExtendedHeaders() throws IOException {
        String name = "package/" + "long/".repeat(40) + "name";
        Path archive = new TarBuilder().pax("path", name).file("package/cut", TEXT).write(folder.resolve("a.tgz"));
        TarGz.extract(archive, Map.of(name, folder.resolve("one")));
        assertArrayEquals(TEXT, Files.readAllBytes(folder.resolve("one")));
    }

    @Test
    void refusesNamesThatClimbOut() throws IOException {
        for (String name : new String[] {"../../etc/passwd", "/etc/passwd", "package/../../x"}) {
            Path archive = new TarBuilder().file(name, TEXT).file("package/a", TEXT).write(folder.resolve("a.tgz"));
            refused(archive, "points out of the package");
        }
        Path archive = new TarBuilder()
                .pax("path", "../../x")
                .file("package/b", TEXT)
                .file("package/a", TEXT)
                .write(folder.resolve("a.tgz"));
        refused(archive, "points out of the package");
    }

    @Test
    void refusesALinkInPlaceOfAFile() throws IOException {
        refused(new TarBuilder().entry("package/a", '2', 0, new byte[0]).write(folder.resolve("a.tgz")),
                "not a regular file");
    }

    @Test
    void refusesAMemberThatIsThereTwice() throws IOException {
        Path archive = new TarBuilder().file("package/a", TEXT).file("package/a", TEXT).write(folder.resolve("a.tgz"));
        refused(archive, "twice");
    }

    @Test
    void namesWhatIsMissing() throws IOException {
        refused(new TarBuilder().file("package/b", TEXT).write(folder.resolve("a.tgz")), "holds no 'package/a'");
    }

    @Test
    void refusesSizesBeyondAllMeasure() throws IOException {
        refused(new TarBuilder().entry("package/a", '0', 0_77777777777L, TEXT).write(folder.resolve("a.tgz")),
                "unpacks to more than");
        refused(new TarBuilder().entry("x", 'x', 1 << 20, TEXT).write(folder.resolve("a.tgz")), "extended header");
    }

    @Test
    void refusesAZipBomb() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        byte[] zeros = new TarBuilder().file("package/zeros", new byte[1 << 20]).gzip();
        byte[] plain;
        try (GZIPInputStream in =
                new GZIPInputStream(new ByteArrayInputStream(zeros))) {
            plain = in.readNBytes(512 + (1 << 20));
        }
        try (GZIPOutputStream zip = new GZIPOutputStream(out)) {
            for (int i = 0; i < 300; i++) {
                zip.write(plain);
            }
        }
        assertTrue(out.size() < 1 << 20, "a bomb is small: " + out.size());
        refused(Files.write(folder.resolve("a.tgz"), out.toByteArray()), "unpacks to more than");
    }

    @Test
    void refusesEveryTruncation() throws IOException {
        byte[] noise = new byte[3000];
        new Random(2).nextBytes(noise);
        byte[] whole = new TarBuilder().file("package/a", noise).gzip();
        // The last 8 bytes are gzip's own trailer, behind the end of the archive.
        for (int length = 0; length < whole.length - 60; length += 97) {
            Files.write(folder.resolve("a.tgz"), Arrays.copyOf(whole, length));
            refused(folder.resolve("a.tgz"), "truncated or not gzip");
        }
    }

    @Test
    void refusesDamagedBytesOrReadsTheRightOnes() throws IOException {
        byte[] whole = new TarBuilder().file("package/a", TEXT).gzip();
        Random random = new Random(3);
        for (int round = 0; round < 500; round++) {
            byte[] damaged = whole.clone();
            damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
            Path archive = Files.write(folder.resolve("a.tgz"), damaged);
            Path target = folder.resolve("one");
            Files.deleteIfExists(target);
            try {
                TarGz.extract(archive, Map.of("package/a", target));
            } catch (ShrikeException e) {
                assertFalse(e.getMessage().isBlank(), "seed 3, round " + round);
            }
        }
    }

    private void refused(Path archive, String reason) throws IOException {
        Path target = folder.resolve("one");
        Files.deleteIfExists(target);
        ShrikeException e =
                assertThrows(ShrikeException.class, () -> TarGz.extract(archive, Map.of("package/a", target)));
        assertTrue(e.getMessage().contains(reason), e.getMessage());
    }
}
