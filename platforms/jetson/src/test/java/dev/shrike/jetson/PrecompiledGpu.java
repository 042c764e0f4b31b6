package dev.shrike.jetson;

import dev.shrike.jetson.binding.CudaLibrary;
import dev.shrike.jetson.binding.Gpu;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import org.bytedeco.javacpp.BytePointer;

/**
 * CUDA without its run-time compiler, which takes 60 MB: kernels come from the folder, by their name.
 *
 * @param cuda the device
 * @param folder has the kernels in PTX
 */
record PrecompiledGpu(CudaLibrary cuda, CudaSuiteFolder folder) implements Gpu {
    @Override
    public Device device() {
        return cuda.device();
    }

    @Override
    public Optional<String> lost() {
        return cuda.lost();
    }

    @Override
    public long freeBytes() {
        return cuda.freeBytes();
    }

    @Override
    public DeviceMemory allocate(long bytes) {
        return cuda.allocate(bytes);
    }

    @Override
    public HostMemory allocateHost(long bytes) {
        return cuda.allocateHost(bytes);
    }

    @Override
    public Stream stream() {
        return cuda.stream();
    }

    @Override
    public Event event() {
        return cuda.event();
    }

    @Override
    public Kernel compile(String source, String name) {
        try (BytePointer ptx = new BytePointer(folder.ptx(name, device()))) {
            return cuda.load(ptx, name);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
