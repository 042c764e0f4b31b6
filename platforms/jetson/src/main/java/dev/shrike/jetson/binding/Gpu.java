package dev.shrike.jetson.binding;

import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * The first CUDA device, as far as a detector needs it. Every call may throw {@link dev.shrike.DeviceException}, which
 * names the CUDA call and its error; whoever makes an object closes it, and closing twice does nothing.
 */
public interface Gpu {
    /**
     * What is built in.
     *
     * @param name as the driver gives it, such as {@code "Xavier"}
     * @param major first number of the compute capability
     * @param minor second number of the compute capability
     * @param totalBytes memory of the device
     * @param integrated whether the device shares the memory of the processor, as on a Jetson
     * @param driver CUDA version that the driver supports: 1000 major + 10 minor
     * @param runtime CUDA version of the runtime library, in the same form
     * @param multiprocessors what differs between devices of one name, such as Xavier NX and AGX Xavier
     */
    record Device(String name, int major, int minor, long totalBytes, boolean integrated, int driver, int runtime,
            int multiprocessors) {
        /** What engines and timings of kernels are made for: {@code "Xavier, 6 multiprocessors"}. */
        public String model() {
            return name + ", " + multiprocessors + " multiprocessors";
        }

        /** For people: {@code "Xavier, sm_72, CUDA 11.4"}. */
        public String describe() {
            return name + ", sm_" + major + minor + ", CUDA " + runtime / 1000 + "." + runtime % 1000 / 10;
        }
    }

    /** What is built in. */
    Device device();

    /** The error after which nobody in this process can use the device any more, or empty. */
    Optional<String> lost();

    /** Bytes of device memory that nobody uses at the moment. */
    long freeBytes();

    /** Device memory, not cleared. */
    DeviceMemory allocate(long bytes);

    /** Page-locked memory of the processor, which the device copies from and to by itself; zeros. */
    HostMemory allocateHost(long bytes);

    /** A queue of work. */
    Stream stream();

    /** A mark in a stream whose time can be read. */
    Event event();

    /**
     * A kernel compiled from CUDA C++ for this device.
     *
     * @param source with {@code extern "C" __global__} before the kernel
     */
    Kernel compile(String source, String name);

    /** Device memory. */
    interface DeviceMemory extends AutoCloseable {
        long address();

        long bytes();

        @Override
        void close();
    }

    /** Page-locked memory. */
    interface HostMemory extends AutoCloseable {
        /** The memory; must not be touched after close. */
        MemorySegment segment();

        @Override
        void close();
    }

    /** A mark in a stream. */
    interface Event extends AutoCloseable {
        /** Milliseconds from an earlier mark to this one, both of them past. */
        float millisecondsSince(Event earlier);

        @Override
        void close();
    }

    /** Work that was recorded once and is submitted in one call. */
    interface Recording extends AutoCloseable {
        @Override
        void close();
    }

    /** A compiled kernel. */
    interface Kernel extends AutoCloseable {
        /**
         * Submits the kernel.
         *
         * @param arguments one native segment an argument, holding its value; must live until the call returns
         */
        void launch(Stream stream, int blocksX, int blocksY, int threadsX, int threadsY, MemorySegment... arguments);

        @Override
        void close();
    }

    /** A queue of work: everything is done in the order of submission. */
    interface Stream extends AutoCloseable {
        /** Submits a copy of the first bytes to the device. */
        void copyIn(HostMemory from, DeviceMemory to, long bytes);

        /** Submits a copy of the first bytes from the device. */
        void copyOut(DeviceMemory from, HostMemory to, long bytes);

        void record(Event event);

        /** Waits until everything is done; errors of earlier work appear here. */
        void synchronize();

        /** What the action submits to this stream, recorded instead of done (a CUDA graph). */
        Recording record(Runnable submissions);

        void submit(Recording recording);

        @Override
        void close();
    }
}
