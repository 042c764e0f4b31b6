package dev.shrike.jetson.kernels;

import dev.shrike.jetson.binding.Gpu;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;

/** The kernels of this module in CUDA C++; each is compiled for the device when it is first needed. */
public enum KernelSource {
    /** Fits a frame into the input. */
    LETTERBOX("letterbox"),
    /** Picks candidates out of the output. */
    CANDIDATES("candidates");

    private final String kernel;

    KernelSource(String kernel) {
        this.kernel = kernel;
    }

    /** Name of the kernel. */
    public String kernel() {
        return kernel;
    }

    /** The text of the file. */
    public String text() {
        try (InputStream in = KernelSource.class.getResourceAsStream(kernel + ".cu")) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException(kernel + ".cu is part of this jar", e);
        }
    }

    /** The kernel for the device; the caller closes it. */
    public Gpu.Kernel compile(Gpu gpu) {
        return gpu.compile(text(), kernel);
    }
}
