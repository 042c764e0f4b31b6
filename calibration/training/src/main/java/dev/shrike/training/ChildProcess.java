package dev.shrike.training;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.shrike.OperationInterruptedException;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A Java process of its own with PyTorch on its class path. It sends events, a line of JSON each; it ends when this
 * process does, and a crash of its libraries ends it alone.
 */
public final class ChildProcess implements AutoCloseable {
    private static final String MAIN = "dev.shrike.training.torch.TrainingMain";
    private static final int TAIL = 12;
    private static final int KILLED = 137;
    private static final int ABORTED = 134;

    private final Process process;
    private final BufferedReader events;
    private final OutputStream answers;
    private final Path log;
    private final Thread atExit;
    private final ObjectMapper json = new ObjectMapper();

    private ChildProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
        this.events = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        this.answers = process.getOutputStream();
        this.atExit = new Thread(process::destroyForcibly, "shrike-training-stopper");
        Runtime.getRuntime().addShutdownHook(atExit);
    }

    /**
     * Starts the training of a job.
     *
     * @param libraries where PyTorch is
     * @param jars as {@link TorchLibraries#require} gives them
     * @param arguments of the child's main method
     * @param log file for what it writes to its error output
     * @param heapMegabytes limit of its heap; tensors are not on it
     */
    static ChildProcess start(TorchLibraries libraries, List<Path> jars, List<String> arguments, Path log, int threads,
            long heapMegabytes) {
        return start(MAIN, TorchLibraries.classPath(jars, ownPath()), libraries.natives(), arguments, log, threads,
                heapMegabytes);
    }

    static ChildProcess start(String main, List<Path> classPath, Path natives, List<String> arguments, Path log,
            int threads, long heapMegabytes) {
        List<String> command =
                new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx" + heapMegabytes + "m", "-XX:+UseSerialGC",
                        // Images come and go; a small nursery keeps them out of the memory that tensors need.
                        "-Xms32m", "-Xmn24m", "-Djava.awt.headless=true",
                        "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
                        "-Dorg.bytedeco.javacpp.maxBytes=0", "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                        "-Dorg.bytedeco.javacpp.cachedir=" + natives, "-cp",
                        classPath.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator)), main));
        command.addAll(arguments);
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(log.toFile());
        // Workers that spin take the processor from each other: steps of .4 s took 4 to 14 on a busy machine.
        builder.environment().put("OMP_WAIT_POLICY", "passive");
        builder.environment().put("GOMP_SPINCOUNT", "0");
        builder.environment().put("OMP_NUM_THREADS", Integer.toString(threads));
        // Options for the JVM of this process are none for that one.
        builder.environment().remove("JAVA_TOOL_OPTIONS");
        builder.environment().remove("JDK_JAVA_OPTIONS");
        try {
            return new ChildProcess(builder.start(), log);
        } catch (IOException e) {
            throw new TrainingException("the process that trains cannot be started: " + e.getMessage(), e);
        }
    }

    /** Jars and folders of the classes of this process. */
    private static List<Path> ownPath() {
        List<Path> found = new ArrayList<>();
        for (String property : List.of("jdk.module.path", "java.class.path")) {
            for (String entry : System.getProperty(property, "").split(File.pathSeparator)) {
                Path path = Path.of(entry);
                if (!entry.isEmpty() && property.equals("jdk.module.path") && holdsJars(path)) {
                    found.addAll(jars(path));
                } else if (!entry.isEmpty()) {
                    found.add(path.toAbsolutePath());
                }
            }
        }
        return found;
    }

    private static boolean holdsJars(Path path) {
        return Files.isDirectory(path) && !Files.exists(path.resolve("module-info.class"));
    }

    private static List<Path> jars(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".jar")).map(Path::toAbsolutePath).sorted().toList();
        } catch (IOException e) {
            throw new TrainingException(folder + ": cannot be listed: " + e, e);
        }
    }

    /**
     * The next event; empty after the last.
     *
     * @throws TrainingException if the process ended without saying why; gives the end of its error output
     */
    Optional<JsonNode> next() {
        String line;
        try {
            line = events.readLine();
        } catch (IOException e) {
            throw new TrainingException("the process that trains cannot be heard: " + e.getMessage(), e);
        }
        if (line == null) {
            int status = status();
            if (status != 0) {
                throw crashed(status);
            }
            return Optional.empty();
        }
        try {
            return Optional.of(json.readTree(line));
        } catch (JsonProcessingException e) {
            throw new TrainingException("the process that trains said something else than an event: " + line, e);
        }
    }

    private int status() {
        try {
            return process.waitFor();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new OperationInterruptedException("interrupted while the process that trains ended", e);
        }
    }

    private TrainingException crashed(int status) {
        String reason = switch (status) {
            case KILLED -> "was killed, as the system does when memory runs out: give a smaller --batch or --img";
            case ABORTED -> "crashed";
            default -> "ended with status " + status;
        };
        return new TrainingException("the process that trains " + reason + "; what was learned up to the last whole"
                + " epoch is kept, --resume goes on from there. Its last words (" + log + "):\n" + tail());
    }

    private String tail() {
        try {
            List<String> lines = Files.readAllLines(log, StandardCharsets.ISO_8859_1);
            return String.join("\n", lines.subList(Math.max(0, lines.size() - TAIL), lines.size()));
        } catch (IOException e) {
            // The words are an addition to the message.
            return "(cannot be read: " + e.getMessage() + ")";
        }
    }

    /** Has the process go on after an epoch, or stop. */
    void answer(boolean goOn) {
        try {
            answers.write((goOn ? "next\n" : "stop\n").getBytes(StandardCharsets.UTF_8));
            answers.flush();
        } catch (IOException e) {
            // It has ended; the next event tells how.
            System.getLogger(ChildProcess.class.getName()).log(System.Logger.Level.DEBUG, "no answer taken", e);
        }
    }

    /** Ends the process if it still runs. */
    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor(10, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        try {
            Runtime.getRuntime().removeShutdownHook(atExit);
        } catch (IllegalStateException e) {
            // This process is ending and the hook runs.
            return;
        }
    }
}
