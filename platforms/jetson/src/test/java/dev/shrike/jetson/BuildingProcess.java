package dev.shrike.jetson;

import dev.shrike.jetson.binding.TensorRt.Calibration;
import dev.shrike.jetson.engine.Digests;
import dev.shrike.jetson.engine.EngineFile;
import dev.shrike.jetson.engine.EngineOptions;
import dev.shrike.jetson.engine.EngineOptions.Precision;
import dev.shrike.jetson.engine.NetworkSource;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A process that wants an engine from a cache and builds it with {@link FakeTensorRt} if it is not there. It says
 * {@code building} on stdout in the middle of the build and goes on after a line on stdin; at the end it says
 * {@code done BUILDS DIGEST}.
 */
final class BuildingProcess implements AutoCloseable {
    private final Process process;
    private final BufferedReader output;
    private final List<String> lines = new ArrayList<>();

    private BuildingProcess(Process process) {
        this.process = process;
        this.output = process.inputReader();
    }

    /** Starts a process; what it logs is in its lines too. */
    static BuildingProcess start(Path cache) throws IOException {
        return new BuildingProcess(
                new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx128m", "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"), BuildingProcess.class.getName(), cache.toString())
                        .redirectErrorStream(true).start());
    }

    /** The next line that has the text; fails with all lines if the process ends before. */
    String await(String text) throws IOException {
        for (String line; (line = output.readLine()) != null;) {
            lines.add(line);
            if (line.contains(text)) {
                return line;
            }
        }
        throw new AssertionError("no '" + text + "' in: " + String.join("\n", lines));
    }

    /** Lets the build end. */
    void proceed() throws IOException {
        process.outputWriter().write("\n");
        process.outputWriter().flush();
    }

    /** Ends it by SIGTERM, or by SIGKILL, and gives its exit code. */
    int end(boolean forcibly) throws InterruptedException {
        if (forcibly) {
            process.destroyForcibly();
        } else {
            process.destroy();
        }
        return process.waitFor();
    }

    int exitCode() throws InterruptedException {
        return process.waitFor();
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }

    /** The process itself; the argument is the cache's folder. */
    public static void main(String[] arguments) {
        HostGpu gpu = new HostGpu();
        FakeTensorRt tensorRt = new FakeTensorRt(gpu);
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        tensorRt.duringBuild = () -> {
            System.out.println("building");
            try {
                if (input.readLine() == null) {
                    // The parent closes its end when it signals; the build must not end by that.
                    Thread.sleep(60_000);
                    throw new IllegalStateException("nobody is there to end the build");
                }
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        };
        EngineFile engine = new TensorRtEngines(gpu, tensorRt, options(Path.of(arguments[0])))
                .engine(NetworkSource.of(SmallDetector.make(1), Map.of()));
        System.out.println("done " + tensorRt.builds + " " + Digests.of(engine.plan()));
    }

    static EngineOptions options(Path cache) {
        return new EngineOptions(Precision.FP16, Calibration.ENTROPY, Optional.empty(), 500, -1, 0, cache, false,
                EngineOptions.Decode.AUTO, Optional.empty());
    }
}
