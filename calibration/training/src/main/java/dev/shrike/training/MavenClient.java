package dev.shrike.training;

import dev.shrike.OperationInterruptedException;
import dev.shrike.files.FileTree;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The machine's own Maven, used for one thing: copying jars. Repositories, mirrors, proxies and credentials are
 * whatever
 * the user's settings say.
 *
 * @param executable name or path of the mvn command
 */
record MavenClient(String executable) {
    private static final String PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies";
    private static final int MESSAGE_LIMIT = 600;
    private static final long MINUTES = 60;

    /**
     * Copies jars into a folder.
     *
     * @throws TrainingException if Maven is missing or fails; says what it said
     * @throws IOException if the folder cannot be written
     */
    void copy(List<TorchJar> jars, Path folder) throws IOException {
        Path work = Files.createTempDirectory(folder, "fetch-");
        try {
            Files.writeString(work.resolve("pom.xml"), pom(jars));
            Path log = work.resolve("maven.log");
            int status = run(work, folder, log);
            if (status != 0) {
                throw failed(status, Files.readString(log));
            }
        } finally {
            FileTree.delete(work);
        }
    }

    static String pom(List<TorchJar> jars) {
        return jars.stream().map(jar -> "<dependency><groupId>org.bytedeco</groupId><artifactId>" + jar.artifact()
                + "</artifactId><version>" + jar.version() + "</version>"
                + (jar.classifier().isEmpty() ? "" : "<classifier>" + jar.classifier() + "</classifier>")
                + "</dependency>").collect(Collectors.joining("",
                        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><modelVersion>4.0.0</modelVersion>"
                                + "<groupId>dev.shrike</groupId><artifactId>torch-libraries</artifactId>"
                                + "<version>1</version><packaging>pom</packaging><dependencies>",
                        "</dependencies></project>"));
    }

    private int run(Path work, Path folder, Path log) throws IOException {
        List<String> command = List.of(executable, "-B", "-ntp", "-f", work.resolve("pom.xml").toString(), PLUGIN,
                "-DoutputDirectory=" + folder.toAbsolutePath(), "-DexcludeTransitive=true");
        Process process;
        try {
            process = new ProcessBuilder(command).directory(work.toFile())
                    .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectErrorStream(true).redirectOutput(log.toFile()).start();
        } catch (IOException e) {
            throw new TrainingException("cannot run '" + executable + "', which fetches PyTorch: " + e.getMessage()
                    + ". Install it: sudo apt install maven", e);
        }
        try {
            if (!process.waitFor(MINUTES, TimeUnit.MINUTES)) {
                throw new TrainingException("Maven did not finish within " + MINUTES + " minutes and was stopped");
            }
            return process.exitValue();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new OperationInterruptedException("interrupted while Maven fetched PyTorch", e);
        } finally {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly();
        }
    }

    static TrainingException failed(int status, String log) {
        String errors = log.lines().filter(line -> line.startsWith("[ERROR]")).limit(3)
                .map(line -> line.substring(7).strip()).collect(Collectors.joining("; "));
        String said = errors.isEmpty() ? "it gave no reason"
                : errors.substring(0, Math.min(MESSAGE_LIMIT, errors.length()));
        boolean offline = Stream.of("Unknown host", "Connection refused", "Network is unreachable", "timed out",
                "Temporary failure in name resolution", "offline mode").anyMatch(log::contains);
        boolean full = log.contains("No space left");
        String advice = offline ? "the repository cannot be reached: check the network and Maven's settings, or set"
                + " SHRIKE_TORCH to a folder with the jars, copied from a machine that has them: "
                : full ? "the disk is full: free some space: " : "";
        return new TrainingException("Maven could not fetch PyTorch (status " + status + "): " + advice + said);
    }
}
