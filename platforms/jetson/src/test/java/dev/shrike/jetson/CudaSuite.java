package dev.shrike.jetson;

import dev.shrike.BackendUnavailableException;
import dev.shrike.jetson.binding.CudaLibrary;
import dev.shrike.jetson.binding.DeviceNodes;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.kernels.KernelSource;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.bytedeco.javacpp.BytePointer;

/**
 * What the CUDA part of the TensorRT engine does on any NVIDIA GPU, without TensorRT and OpenCV: {@code cuda-suite.sh}
 * packs it and starts it. Each step runs in a JVM of its own, as a crash is one of the possible answers, and some
 * errors end the use of the GPU for a process. The report is Markdown, on the standard output and in
 * {@code results/report.md}.
 */
final class CudaSuite {
    /** Exit code where there is no GPU. */
    static final int NO_GPU = 2;

    /** Name of the GPU that the processor plays. */
    static final String FAKE = "fake";

    private static final int FAILED = 1;
    private static final int SKIPPED = 77;
    private static final Duration MOST = Duration.ofMinutes(3);
    private static final List<String> JVM = List.of("-Xmx1g", "-Dorg.bytedeco.javacpp.cachedir="
            + System.getProperty("org.bytedeco.javacpp.cachedir", ""));

    private CudaSuite() {}

    /** The steps, in order; the titles are what users name. */
    enum Step {
        DEVICE("device"),
        COPIES("page-locked memory and copies"),
        EVENTS("events"),
        LETTERBOX("letterbox kernel"),
        CANDIDATES("candidates kernel"),
        GRAPH("graph capture and replay"),
        THREADS("two threads"),
        FLAT("opened and closed"),
        BROKEN_KERNEL("a file that is no kernel"),
        OUT_OF_MEMORY("out of memory"),
        STICKY("illegal address"),
        AGAIN("device after the illegal address"),
        COMPILER("run-time compiler"),
        TIMES("times");

        private final String title;

        Step(String title) {
            this.title = title;
        }

        String title() {
            return title;
        }
    }

    /** Says that a step has nothing to run on. */
    static final class SkippedException extends RuntimeException {
        private static final long serialVersionUID = 1;

        SkippedException(String why) {
            super(why);
        }
    }

    /**
     * Arguments: the folder, {@code cuda} or {@code fake}, and part of the titles of the steps to run, or ""; or the
     * folder, {@code cuda} or {@code fake}, {@code --step} and its name. Exit code 1 if a step failed, 2 without a GPU.
     */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        CudaSuiteFolder folder = new CudaSuiteFolder(Path.of(arguments[0]).toAbsolutePath());
        boolean fake = arguments[1].equals(FAKE);
        System.exit(arguments.length == 4 ? child(folder, fake, Step.valueOf(arguments[3]))
                : all(folder, arguments[1], arguments[2]));
    }

    private static int all(CudaSuiteFolder folder, String gpu, String wanted) throws IOException, InterruptedException {
        Path logs = folder.results("logs");
        // In a process of its own like every step: a GPU may be set to serve one process at a time.
        SuiteChild probe = start(folder, logs, gpu, Step.DEVICE);
        if (probe.end(MOST) == NO_GPU) {
            System.err.println("cuda-suite: " + probe.lastWords());
            return NO_GPU;
        }
        SuiteReport report = new SuiteReport(folder.results("steps"), wanted);
        report.say("# CUDA suite: " + probe.printed().strip());
        for (Step step : Step.values()) {
            report.step(step.title(), () -> {
                SuiteChild child = start(folder, logs, gpu, step);
                int code = child.end(MOST);
                child.printed().lines().forEach(report::say);
                if (code == SKIPPED) {
                    report.skip(child.lastWords());
                } else {
                    report.require(code == 0, step.title() + ": ended with " + code + ": " + child.lastWords());
                }
            });
        }
        return report.end(folder.results("").resolve("report.md")) ? 0 : FAILED;
    }

    private static SuiteChild start(CudaSuiteFolder folder, Path logs, String gpu, Step step) throws IOException {
        return SuiteChild.start(logs, List.of(), JVM, CudaSuite.class.getName(),
                List.of(folder.root().toString(), gpu, "--step", step.name()));
    }

    private static int child(CudaSuiteFolder folder, boolean fake, Step step) {
        try {
            run(step, open(folder, fake), folder, System.out::println);
            return 0;
        } catch (BackendUnavailableException e) {
            System.err.println(e.getMessage());
            return NO_GPU;
        } catch (SkippedException e) {
            System.err.println(e.getMessage());
            return SKIPPED;
        } catch (IOException | InterruptedException | RuntimeException | LinkageError e) {
            e.printStackTrace();
            System.err.println(e.getMessage() == null ? e.toString() : e.getMessage().replace('\n', ' '));
            return FAILED;
        }
    }

    private static Gpu open(CudaSuiteFolder folder, boolean fake) {
        if (fake) {
            return new HostGpu();
        }
        DeviceNodes.require();
        return new PrecompiledGpu(CudaLibrary.open(), folder);
    }

    /**
     * Runs a step on a device.
     *
     * @throws IOException if it fails, or any other exception
     * @throws SkippedException if the device or the folder has not what it needs
     */
    static void run(Step step, Gpu gpu, CudaSuiteFolder folder, Consumer<String> say)
            throws IOException, InterruptedException {
        CudaMemorySteps memory = new CudaMemorySteps(gpu, say);
        CudaKernelSteps kernels = new CudaKernelSteps(gpu, folder, say);
        CudaErrorSteps errors = new CudaErrorSteps(gpu, say);
        switch (step) {
            case DEVICE, AGAIN -> memory.device();
            case COPIES -> memory.copies();
            case EVENTS -> memory.events();
            case LETTERBOX -> kernels.letterbox();
            case CANDIDATES -> kernels.candidates();
            case GRAPH -> kernels.graph();
            case THREADS -> kernels.threads();
            case FLAT -> memory.flat();
            case BROKEN_KERNEL -> errors.brokenKernel(() -> loadNoKernel(gpu));
            case OUT_OF_MEMORY -> errors.outOfMemory();
            case STICKY -> sticky(gpu, errors);
            case COMPILER -> compiler(gpu, say);
            case TIMES -> kernels.times();
        }
    }

    private static Gpu.Kernel loadNoKernel(Gpu gpu) {
        if (gpu instanceof PrecompiledGpu(CudaLibrary cuda, CudaSuiteFolder _)) {
            try (BytePointer text = new BytePointer("this is no kernel")) {
                return cuda.load(text, "none");
            }
        }
        return gpu.compile("this is no kernel", "none");
    }

    private static void sticky(Gpu gpu, CudaErrorSteps errors) throws IOException {
        if (gpu instanceof HostGpu host) {
            errors.sticky(() -> {
                host.failAt(0, 700);
                host.stream().close();
            });
            return;
        }
        errors.sticky(errors::fault);
        errors.requireUnavailable();
    }

    /** Where CUDA's run-time compiler is installed, it compiles the kernels for this device. */
    private static void compiler(Gpu gpu, Consumer<String> say) {
        if (!(gpu instanceof PrecompiledGpu(CudaLibrary cuda, CudaSuiteFolder _))) {
            throw new SkippedException("a GPU that the processor plays needs none");
        }
        for (KernelSource source : KernelSource.values()) {
            try (Gpu.Kernel _ = source.compile(cuda)) {
                say.accept("It compiles " + source.kernel() + " for " + gpu.device().describe() + ".");
            } catch (BackendUnavailableException e) {
                throw new SkippedException("CUDA's run-time compiler is not installed: " + e.getMessage());
            }
        }
    }
}
