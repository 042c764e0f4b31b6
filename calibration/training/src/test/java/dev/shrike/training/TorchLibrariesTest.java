package dev.shrike.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class TorchLibrariesTest {
    private static final TorchJar JAR = new TorchJar("pytorch", "2", "linux-x86_64", 3, "00");

    @TempDir
    Path folder;

    private static String message(Runnable work) {
        return assertThrows(TrainingException.class, work::run).getMessage();
    }

    @Test
    void machinesWithoutPyTorchAreToldWhereThereIsOne() {
        for (String[] machine : new String[][] {{"Linux", "aarch64"}, {"Windows 11", "amd64"}}) {
            String message = message(() -> TorchLibraries.requireMachine(machine[0], machine[1]));
            assertTrue(message.contains(machine[1]) && message.contains("train on a PC"), message);
        }
        TorchLibraries.requireMachine("Linux", "amd64");
    }

    @Test
    void whatIsMissingIsFetchedOnlyIfAllowed() {
        TorchLibraries libraries = TorchLibraries.of("", folder.toString(), "/nowhere");
        assertFalse(libraries.arePresent());
        assertEquals(folder.resolve("shrike/torch-" + TorchLibraries.VERSION), libraries.folder());
        if (System.getProperty("os.arch").equals("amd64")) {
            String message = message(() -> libraries.require(false, note -> {}));
            assertTrue(message.contains("--fetch") && message.contains("SHRIKE_TORCH"), message);
        }
        assertEquals(Path.of("/home/me/.cache/shrike/torch-" + TorchLibraries.VERSION),
                TorchLibraries.of(null, "relative", "/home/me").folder());
        assertTrue(message(() -> TorchLibraries.of(null, null, "?")).contains("XDG_CACHE_HOME"));
    }

    @Test
    void aFolderOfOnesOwnTakesTheirPlace() throws IOException {
        TorchLibraries own = TorchLibraries.of(folder.toString(), null, "/home/me");
        assertTrue(own.arePresent());
        if (System.getProperty("os.arch").equals("amd64")) {
            assertTrue(message(() -> own.require(false, note -> {})).contains("has no javacpp-"));
            Files.createFile(folder.resolve("javacpp-1.5.13.jar"));
            assertTrue(message(() -> own.require(false, note -> {})).contains("has no openblas-"));
            Files.createFile(folder.resolve("openblas-0.3.31-1.5.13.jar"));
            Files.createFile(folder.resolve("pytorch-2.10.0-linux-x86_64-gpu.jar"));
            assertEquals(3, own.require(false, note -> {}).size());
        }
    }

    @Test
    void theChildHasNoOtherLineOfJavaCpp() {
        List<Path> path = TorchLibraries.classPath(List.of(Path.of("t/javacpp-1.5.13.jar")),
                List.of(Path.of("lib/javacpp-1.5.8.jar"), Path.of("lib/opencv-4.6.0-1.5.8-linux-x86_64.jar"),
                        Path.of("lib/openblas-0.3.21-1.5.8.jar"), Path.of("lib/shrike-training-1.jar"),
                        Path.of("target/classes")));
        assertEquals(List.of(Path.of("t/javacpp-1.5.13.jar"), Path.of("lib/shrike-training-1.jar"),
                Path.of("target/classes")), path);
    }

    private MavenClient script(String body) throws IOException {
        Path script = Files.writeString(folder.resolve("mvn"), "#!/bin/sh\n" + body + "\n");
        Files.setPosixFilePermissions(script, PosixFilePermissions.fromString("rwxr-xr-x"));
        return new MavenClient(script.toString());
    }

    @Test
    void mavenIsAskedForTheJarsAndNothingElse() throws IOException {
        Path target = Files.createDirectory(folder.resolve("target"));
        script("echo \"$@\" > " + folder.resolve("asked") + "; cat pom.xml > " + folder.resolve("pom"))
                .copy(List.of(JAR), target);
        String asked = Files.readString(folder.resolve("asked"));
        assertTrue(asked.contains("-DoutputDirectory=" + target) && asked.contains("excludeTransitive=true"), asked);
        assertFalse(asked.contains("http"), asked);
        String pom = Files.readString(folder.resolve("pom"));
        assertTrue(pom.contains("<artifactId>pytorch</artifactId><version>2</version>"
                + "<classifier>linux-x86_64</classifier>"), pom);
        try (var left = Files.list(target)) {
            assertEquals(0, left.count());
        }
    }

    @Test
    void whatGoesWrongInMavenIsToldWithTheWayOut() throws IOException {
        Path target = Files.createDirectory(folder.resolve("target"));
        MavenClient offline = script("echo '[ERROR] Could not transfer: Unknown host repo'; exit 1");
        String message = message(() -> copy(offline, target));
        assertTrue(message.contains("cannot be reached") && message.contains("SHRIKE_TORCH")
                && message.contains("Unknown host repo"), message);
        MavenClient full = script("echo '[ERROR] No space left on device'; exit 1");
        assertTrue(message(() -> copy(full, target)).contains("disk is full"));
        assertTrue(message(() -> copy(new MavenClient(folder.resolve("none").toString()), target))
                .contains("sudo apt install maven"));
    }

    private static void copy(MavenClient client, Path target) {
        try {
            client.copy(List.of(JAR), target);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
