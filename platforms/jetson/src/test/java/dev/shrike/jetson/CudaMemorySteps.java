package dev.shrike.jetson;

import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.kernels.KernelSource;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.function.Consumer;

/**
 * Steps of the CUDA suite about the device, its memory and its clock.
 *
 * @param gpu the device
 * @param say takes lines for the report
 */
record CudaMemorySteps(Gpu gpu, Consumer<String> say) {
    private static final double MIB = 1 << 20;
    /** What the driver may keep of what was freed. */
    private static final long FLAT = 32L << 20;
    private static final int OPENINGS = 100;

    private static void require(boolean holds, String what) throws IOException {
        if (!holds) {
            throw new IOException(what);
        }
    }

    /** What the device says of itself makes sense. */
    void device() throws IOException {
        Gpu.Device device = gpu.device();
        require(!device.name().isBlank() && device.major() >= 5 && device.multiprocessors() > 0
                && device.totalBytes() > 0, "the device describes itself as " + device);
        require(device.runtime() / 1000 == 11, "the CUDA runtime is " + device.runtime());
        require(device.driver() >= 11_000, "the driver knows CUDA " + device.driver());
        require(gpu.freeBytes() > 0 && gpu.freeBytes() <= device.totalBytes(),
                gpu.freeBytes() + " of " + device.totalBytes() + " bytes are free");
        require(gpu.lost().isEmpty(), "it counts as lost: " + gpu.lost());
        say.accept(String.format(Locale.ROOT, "%s, %s, driver for CUDA %d.%d, %.0f of %.0f MiB free", device.describe(),
                device.model(), device.driver() / 1000, device.driver() % 1000 / 10, gpu.freeBytes() / MIB,
                device.totalBytes() / MIB));
    }

    /** Page-locked memory: zeros, copied whole both ways, and closed to whoever comes too late. */
    void copies() throws IOException {
        Random random = new Random(3);
        for (int bytes : List.of(1, 3, 4097, (16 << 20) + 5)) {
            byte[] noise = new byte[bytes];
            random.nextBytes(noise);
            MemorySegment late;
            try (Gpu.Stream stream = gpu.stream();
                    Gpu.HostMemory there = gpu.allocateHost(bytes);
                    Gpu.HostMemory back = gpu.allocateHost(bytes);
                    Gpu.DeviceMemory device = gpu.allocate(bytes)) {
                late = back.segment();
                require(back.segment().mismatch(MemorySegment.ofArray(new byte[bytes])) < 0,
                        "it is not zeros at first");
                MemorySegment.copy(noise, 0, there.segment(), ValueLayout.JAVA_BYTE, 0, bytes);
                stream.copyIn(there, device, bytes);
                stream.copyOut(device, back, bytes);
                stream.synchronize();
                require(back.segment().mismatch(MemorySegment.ofArray(noise)) < 0,
                        bytes + " bytes changed on their way");
                requireTooLong(stream, there, device, bytes);
            }
            try {
                late.get(ValueLayout.JAVA_BYTE, 0);
                throw new IOException("memory can be read after it was closed");
            } catch (IllegalStateException e) {
                require(!e.getMessage().isEmpty(), "no reason");
            }
        }
        say.accept("Page-locked memory and copies both ways keep every byte.");
    }

    private static void requireTooLong(Gpu.Stream stream, Gpu.HostMemory host, Gpu.DeviceMemory device, long bytes)
            throws IOException {
        try {
            stream.copyIn(host, device, bytes + 1);
            throw new IOException("a copy beyond the end was taken");
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            require(e.getMessage() != null, "no reason");
        }
    }

    /** Marks in a stream have times in their order. */
    void events() throws IOException {
        int bytes = 32 << 20;
        try (Gpu.Stream stream = gpu.stream();
                Gpu.HostMemory host = gpu.allocateHost(bytes);
                Gpu.DeviceMemory device = gpu.allocate(bytes);
                Gpu.Event first = gpu.event();
                Gpu.Event second = gpu.event();
                Gpu.Event third = gpu.event()) {
            for (int round = 0; round < 3; round++) {
                stream.record(first);
                stream.copyIn(host, device, bytes);
                stream.record(second);
                stream.copyOut(device, host, bytes);
                stream.record(third);
                stream.synchronize();
                float there = second.millisecondsSince(first);
                float back = third.millisecondsSince(second);
                float both = third.millisecondsSince(first);
                require(there > 0 && back > 0 && Math.abs(there + back - both) < 0.01f + 0.01f * both,
                        "times of " + there + " and " + back + " ms make " + both);
                if (round == 2) {
                    say.accept(String.format(Locale.ROOT, "Copies of 32 MiB: %.1f GB/s to the device, %.1f GB/s back.",
                            bytes / there / 1e6, bytes / back / 1e6));
                }
            }
        }
    }

    /** What is opened and closed again and again takes no memory. */
    void flat() throws IOException {
        openAll();
        long before = gpu.freeBytes();
        for (int i = 0; i < OPENINGS; i++) {
            openAll();
        }
        long grown = before - gpu.freeBytes();
        require(grown <= FLAT, grown + " bytes are gone after " + OPENINGS + " openings");
        say.accept(String.format(Locale.ROOT, "%d openings took %.1f MiB.", OPENINGS, grown / MIB));
    }

    private void openAll() {
        try (Gpu.Stream stream = gpu.stream();
                Gpu.HostMemory host = gpu.allocateHost(1 << 20);
                Gpu.DeviceMemory device = gpu.allocate(1 << 20);
                Gpu.Kernel _ = KernelSource.LETTERBOX.compile(gpu);
                Gpu.Kernel _ = KernelSource.CANDIDATES.compile(gpu);
                Gpu.Event event = gpu.event();
                Gpu.Recording recording = stream.record(() -> stream.copyIn(host, device, 1 << 20))) {
            stream.submit(recording);
            stream.record(event);
            stream.synchronize();
        }
    }
}
