package dev.shrike.app;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The launcher's own decisions, on small trees whose JDK and Maven are shell scripts that say what they were asked. The
 * folder has a blank in its name throughout.
 */
@Tag("any-processor")
class LauncherTest {
    private static final List<String> TOOLS = List.of("mvn", "cmake", "gcc", "make");

    @TempDir
    private Path temporary;

    private Path folder;
    private Path jdk;
    private Path tools;

    private record Outcome(int exit, String out, String err) {}

    @BeforeEach
    void makeMachine() throws IOException {
        folder = Files.createDirectories(temporary.resolve("a folder"));
        jdk = makeJdk("jdk", "25.0.1");
        tools = Files.createDirectories(folder.resolve("tools"));
        for (String tool : TOOLS) {
            script(tools.resolve(tool), "exit 0");
        }
        for (String tool : List.of(
                "bash", "env", "readlink", "dirname", "find", "flock", "mkdir", "mv", "rm", "cat", "uname", "sleep")) {
            script(tools.resolve(tool), "exec /usr/bin/" + tool + " \"$@\"");
        }
    }

    private Path makeJdk(String name, String version) throws IOException {
        Path home = Files.createDirectories(folder.resolve(name));
        Files.writeString(home.resolve("release"), "IMPLEMENTOR=\"x\"\nJAVA_VERSION=\"" + version + "\"\n");
        script(home.resolve("bin/java"), "echo \"java of " + name + "\"; printf '<%s>\\n' \"$@\"; exit 7");
        script(home.resolve("bin/javac"), "exit 0");
        return home;
    }

    private static void script(Path file, String body) throws IOException {
        Files.createDirectories(file.getParent());
        Files.writeString(file, "#!/bin/bash\n" + body + "\n");
        assertTrue(file.toFile().setExecutable(true));
    }

    private Path install(Path root) throws IOException {
        Files.createDirectories(root);
        return Files.copy(
                Repository.root().resolve("shrike"), root.resolve("shrike"), StandardCopyOption.COPY_ATTRIBUTES);
    }

    /** A source tree whose Maven takes a moment, counts its calls and makes the folder that the launcher runs. */
    private Path makeSources() throws IOException {
        Path root = folder.resolve("tree");
        Path launcher = install(root);
        Files.writeString(root.resolve("pom.xml"), "<project/>");
        Path source = root.resolve("runtime-java/src/main/java/A.java");
        Files.createDirectories(source.getParent());
        Files.writeString(source, "class A {}");
        Files.createDirectories(root.resolve("deploy/app"));
        script(
                tools.resolve("mvn"),
                "echo call >>calls; echo \"JAVA_HOME=$JAVA_HOME\"; sleep 0.3; mkdir -p deploy/app/target/app/lib");
        return launcher;
    }

    private static long calls(Path launcher) throws IOException {
        return Files.lines(launcher.resolveSibling("calls")).count();
    }

    private Process start(Path launcher, Path workingDirectory, List<String> arguments) throws IOException {
        return start(launcher, workingDirectory, arguments, Map.of());
    }

    private Process start(Path launcher, Path workingDirectory, List<String> arguments, Map<String, String> more)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(launcher.toString()));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command).directory(workingDirectory.toFile());
        Map<String, String> environment = builder.environment();
        environment.clear();
        environment.put("PATH", tools.toString());
        environment.put("JAVA_HOME", jdk.toString());
        environment.putAll(more);
        return builder.start();
    }

    private Outcome run(Path launcher, String... arguments) throws Exception {
        return finish(start(launcher, temporary, List.of(arguments)));
    }

    private static Outcome finish(Process process) throws Exception {
        try {
            String out = new String(process.getInputStream().readAllBytes());
            String err = new String(process.getErrorStream().readAllBytes());
            assertTrue(process.waitFor(30, TimeUnit.SECONDS));
            return new Outcome(process.exitValue(), out, err);
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void anInstalledCopyRunsWhatLiesBesideIt() throws Exception {
        Path launcher = install(folder.resolve("opt"));
        Path lib = Files.createDirectories(folder.resolve("opt/lib"));
        Outcome outcome = run(launcher, "detect", "two words", "", "*");
        assertEquals(7, outcome.exit(), outcome.err());
        assertEquals("", outcome.err());
        assertTrue(outcome.out().contains("<-p>\n<" + lib + ">\n"), outcome.out());
        assertTrue(outcome.out().contains("<-Dshrike.library.path=" + lib + "/linux-"), outcome.out());
        assertTrue(outcome.out().endsWith(
                "<dev.shrike.app/dev.shrike.app.Main>\n<detect>\n<two words>\n<>\n<*>\n"), outcome.out());
    }

    @Test
    void aSymbolicLinkLeadsToTheInstalledCopy() throws Exception {
        install(folder.resolve("opt"));
        Path lib = Files.createDirectories(folder.resolve("opt/lib"));
        Path first = Files.createSymbolicLink(temporary.resolve("first"), Path.of("a folder/opt/shrike"));
        Path second = Files.createSymbolicLink(folder.resolve("second"), first);
        assertTrue(run(second).out().contains("<" + lib + ">"));
    }

    @Test
    void anOldJavaHomeGivesWayToANewerJavaInThePath() throws Exception {
        Path launcher = install(folder.resolve("opt"));
        Files.createDirectories(folder.resolve("opt/lib"));
        Path good = makeJdk("good", "27-ea");
        Files.createSymbolicLink(tools.resolve("java"), good.resolve("bin/java"));
        assertTrue(run(launcher).out().startsWith("java of jdk\n"));
        jdk = makeJdk("old", "17.0.15");
        assertTrue(run(launcher).out().startsWith("java of good\n"));
        jdk = makeJdk("ancient", "1.8.0_402");
        assertTrue(run(launcher).out().startsWith("java of good\n"));
        Files.delete(good.resolve("release"));
        assertFalse(run(launcher).out().startsWith("java of good\n"));
    }

    @Test
    void launchesAtTheSameTimeBuildOnce() throws Exception {
        Path launcher = makeSources();
        List<Process> processes = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            processes.add(start(launcher, temporary, List.of()));
        }
        int builders = 0;
        for (Process process : processes) {
            Outcome outcome = finish(process);
            assertEquals(7, outcome.exit(), outcome.err());
            builders += outcome.err().equals("building Shrike (first time: a few minutes)…\n") ? 1 : 0;
        }
        assertEquals(1, builders);
        assertEquals(1, calls(launcher));
    }

    @Test
    void onlyNewerSourcesOfTheProgramAreBuiltAgain() throws Exception {
        Path launcher = makeSources();
        assertEquals(7, run(launcher).exit());
        assertEquals(new Outcome(7, run(launcher).out(), ""), run(launcher));
        assertEquals(1, calls(launcher));

        FileTime later = FileTime.from(Instant.now().plus(Duration.ofMinutes(1)));
        Path test = launcher.resolveSibling("runtime-java/src/test/java/ATest.java");
        Files.createDirectories(test.getParent());
        Files.setLastModifiedTime(Files.writeString(test, "class ATest {}"), later);
        run(launcher);
        assertEquals(1, calls(launcher));

        Files.setLastModifiedTime(launcher.resolveSibling("runtime-java/src/main/java/A.java"), later);
        assertEquals("building Shrike…\n", run(launcher).err());
        assertEquals(2, calls(launcher));
    }

    @Test
    void aFailedBuildShowsItsLogAndIsTriedAgain() throws Exception {
        Path launcher = makeSources();
        script(tools.resolve("mvn"), "echo call >>calls; echo 'A.java:1: error'; exit 1");
        for (int i = 0; i < 2; i++) {
            Outcome outcome = run(launcher);
            assertEquals(1, outcome.exit());
            assertEquals("", outcome.out());
            assertTrue(outcome.err().contains("A.java:1: error\nshrike: the build failed"), outcome.err());
        }
        assertEquals(2, calls(launcher));
    }

    @Test
    void missingToolsAreNamedWithTheirPackage() throws Exception {
        Path launcher = makeSources();
        Map<String, String> packages =
                Map.of("mvn", "maven", "cmake", "cmake", "gcc", "gcc", "make", "make");
        for (String tool : TOOLS) {
            Path away = tools.resolve(tool + ".away");
            Files.move(tools.resolve(tool), away);
            Outcome outcome = run(launcher);
            Files.move(away, tools.resolve(tool));
            assertEquals(1, outcome.exit());
            assertEquals(
                    "shrike: " + tool + " is missing, which building needs: sudo apt-get install " + packages.get(tool)
                            + "\n",
                    outcome.err());
        }
    }

    @Test
    void aLoneScriptSaysSo() throws Exception {
        Outcome outcome = run(install(folder.resolve("lone")));
        assertEquals(1, outcome.exit());
        assertTrue(outcome.err().contains("neither lib/ nor a source tree"), outcome.err());
    }

    @Test
    void aColonInThePathIsTold() throws Exception {
        Path launcher = install(folder.resolve("a:b"));
        Files.createDirectories(folder.resolve("a:b/lib"));
        Outcome outcome = run(launcher);
        assertEquals(1, outcome.exit());
        assertTrue(outcome.err().contains("no colon"), outcome.err());
    }

    @Test
    void aBuildMakesAStartCacheThatLaterRunsUse() throws Exception {
        Path launcher = makeSources();
        script(
                jdk.resolve("bin/java"),
                "for a; do case $a in -XX:AOTCacheOutput=*) echo x >\"${a#*=}\";; esac; done; printf '<%s>\\n' \"$@\"");
        assertEquals("building Shrike (first time: a few minutes)…\n", run(launcher).err());
        Path cache = launcher.resolveSibling("deploy/app/target/app/start-jdk.aot");
        Outcome outcome = run(launcher);
        assertTrue(outcome.out().startsWith("<-Xlog:disable>\n<-XX:AOTCache=" + cache + ">\n"), outcome.out());
        assertEquals("", outcome.err());
        Files.delete(cache);
        assertFalse(run(launcher).out().contains("AOT"));
    }

    @Test
    void aStartCacheIsMadeOnRequestAndNotUsedWithOptionsOfTheUser() throws Exception {
        Path launcher = install(folder.resolve("opt"));
        Path lib = Files.createDirectories(folder.resolve("opt/lib"));
        script(
                jdk.resolve("bin/java"),
                "for a; do case $a in -XX:AOTCacheOutput=*) echo x >\"${a#*=}\";; esac; done; printf '<%s>\\n' \"$@\"");
        assertEquals(new Outcome(0, "", ""), run(launcher, "--make-start-cache"));
        assertTrue(Files.readString(lib.resolveSibling("start-cache.log")).contains("Rehearsal>"));
        assertTrue(run(launcher).out().contains("<-XX:AOTCache="));
        Outcome outcome = finish(start(launcher, temporary, List.of(), Map.of("SHRIKE_JAVA_OPTIONS", "-Xshare:off")));
        assertFalse(outcome.out().contains("AOT"), outcome.out());
        assertTrue(outcome.out().contains("<-Xshare:off>"), outcome.out());
    }

    @Test
    void withoutAStartCacheItRunsAllTheSame() throws Exception {
        Path launcher = install(folder.resolve("opt"));
        Path lib = Files.createDirectories(folder.resolve("opt/lib"));
        Outcome refused = run(launcher, "--make-start-cache");
        assertEquals(1, refused.exit());
        assertTrue(refused.err().startsWith("shrike: cannot write " + lib.resolveSibling("start-jdk.aot")),
                refused.err());
        Outcome outcome = run(launcher);
        assertFalse(outcome.out().contains("AOT"), outcome.out());
        assertEquals("", outcome.err());
    }

    @Test
    void signalsReachTheProgram() throws Exception {
        Path launcher = install(folder.resolve("opt"));
        Files.createDirectories(folder.resolve("opt/lib"));
        script(jdk.resolve("bin/java"), "trap 'exit 42' TERM; echo ready; while :; do sleep 0.05; done");
        Process process = start(launcher, temporary, List.of());
        assertEquals("ready", process.inputReader().readLine());
        process.destroy();
        assertTrue(process.waitFor(30, TimeUnit.SECONDS));
        assertEquals(42, process.exitValue());
    }
}
