package dev.shrike.jetson;

import dev.shrike.BackendUnavailableException;
import dev.shrike.DeviceException;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.kernels.KernelArguments;
import dev.shrike.spi.Availability;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Steps of the CUDA suite about errors: those that pass, and those after which the process has to end.
 *
 * @param gpu the device
 * @param say takes lines for the report
 */
record CudaErrorSteps(Gpu gpu, Consumer<String> say) {
    /** A kernel that writes where there is no memory. */
    static final String FAULT = "fault";

    private static final String RESTART = "restart the process";

    static String faultSource() throws IOException {
        try (InputStream in = CudaErrorSteps.class.getResourceAsStream(FAULT + ".cu")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static void require(boolean holds, String what) throws IOException {
        if (!holds) {
            throw new IOException(what);
        }
    }

    /** Asking for more than there is fails, says what helps, and leaves the device as it was. */
    void outOfMemory() throws IOException {
        long before = gpu.freeBytes();
        long wanted = 8 * gpu.device().totalBytes();
        String said = "it was given";
        try (Gpu.DeviceMemory _ = gpu.allocate(wanted)) {
            say.accept("More memory than there is was given.");
        } catch (DeviceException e) {
            said = e.getMessage();
        }
        require(said.contains("cudaMalloc of " + wanted + " bytes failed with CUDA error 2")
                && said.contains("smaller input"), "asking for " + wanted + " bytes was answered by: " + said);
        require(gpu.lost().isEmpty(), "the GPU counts as lost after that: " + gpu.lost());
        new CudaMemorySteps(gpu, _ -> {}).copies();
        long lost = before - gpu.freeBytes();
        require(lost < 1L << 26, lost + " bytes are not free any more");
        say.accept("Asking for more memory than there is says so and leaves the device usable.");
    }

    /**
     * What is no kernel is refused, and the device stays as it was.
     *
     * @param loading loads it
     */
    void brokenKernel(Supplier<Gpu.Kernel> loading) throws IOException {
        String said = "it was loaded";
        try (Gpu.Kernel _ = loading.get()) {
            say.accept("A file that is no kernel was loaded.");
        } catch (DeviceException e) {
            said = e.getMessage();
        }
        require(said.contains("failed"), "a file that is no kernel was answered by: " + said);
        require(gpu.lost().isEmpty(), "the GPU counts as lost after that: " + gpu.lost());
        new CudaMemorySteps(gpu, _ -> {}).copies();
        say.accept("A file that is no kernel is refused: " + said);
    }

    /** Runs a kernel that writes to an illegal address, and waits for it. */
    void fault() throws IOException {
        try (Gpu.Kernel kernel = gpu.compile(faultSource(), FAULT);
                Gpu.Stream stream = gpu.stream();
                KernelArguments arguments = new KernelArguments(1)) {
            arguments.address(0, 8);
            kernel.launch(stream, 1, 1, 1, 1, arguments.segments());
            stream.synchronize();
        }
    }

    /** A piece of work on the GPU. */
    @FunctionalInterface
    interface Work {
        void run() throws IOException;
    }

    /**
     * After an illegal address every call says that the process has to be started again, and the engine is unavailable.
     *
     * @param fault makes the error
     */
    void sticky(Work fault) throws IOException {
        Gpu.DeviceMemory open = gpu.allocate(1 << 20);
        String said = failure(fault);
        require(said.contains("CUDA error 7") && said.contains(RESTART), "an illegal address became: " + said);
        require(gpu.lost().isPresent(), "the GPU does not count as lost");
        String next = failure(() -> gpu.allocate(16).close());
        require(next.contains(RESTART), "the next call said: " + next);
        next = failure(() -> gpu.stream().close());
        require(next.contains(RESTART), "the call after it said: " + next);
        try {
            TensorRtEngines.requireAlive(gpu);
            throw new IOException("engines open on a GPU that is lost");
        } catch (BackendUnavailableException e) {
            require(e.getMessage().contains(RESTART), e.getMessage());
        }
        next = failure(open::close);
        require(next.isEmpty() || next.contains(RESTART), "closing what was open said: " + next);
        open.close();
        say.accept("An illegal address: " + said);
    }

    /** The engine of this process, which has had that error, cannot be used. */
    void requireUnavailable() throws IOException {
        switch (new JetsonBackend().probe()) {
            case Availability.Available found -> throw new IOException("the engine counts as available: "
                    + found.description());
            case Availability.Missing missing -> {
                require(missing.reason().contains(RESTART), "the engine is unavailable because of: "
                        + missing.reason());
                say.accept("The engine: " + missing.reason());
            }
        }
    }

    private static String failure(Work work) throws IOException {
        try {
            work.run();
            return "";
        } catch (DeviceException e) {
            return e.getMessage();
        }
    }
}
