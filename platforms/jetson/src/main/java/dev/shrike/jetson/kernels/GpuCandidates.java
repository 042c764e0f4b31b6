package dev.shrike.jetson.kernels;

import dev.shrike.jetson.binding.CloseStack;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.spi.CandidateQuery;
import dev.shrike.spi.CandidateSink;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Candidates picked by a kernel: for each image of the batch a list in device memory, whose beginning comes to the
 * host with every run and whose rest only where there are that many. Confined to one thread at a time.
 */
public final class GpuCandidates implements AutoCloseable {
    /** What usual images stay below at usual thresholds: 28 KB. */
    private static final int AT_ONCE = 1024;

    private static final int THREADS = 128;
    private static final int HEADER_WORDS = 2;
    private static final int WORDS = 7;

    private final CandidateQuery query;
    private final int capacity;
    private final int atOnce;
    private final CloseStack opened = new CloseStack();
    private final Gpu.Kernel kernel;
    private final Gpu.HostMemory zeros;
    private final List<Image> images = new ArrayList<>();
    /** Keys of box, class and place, for the order of the output. */
    private long[] order = new long[256];

    /** The list of one image, on both sides. */
    private record Image(Gpu.DeviceMemory device, Gpu.HostMemory host, KernelArguments arguments) {}

    /**
     * Lists for an output.
     *
     * @param head the output, float32, batch after batch without gaps
     * @param batch number of images in it
     * @param limit most candidates of an image, at least 1
     * @throws dev.shrike.ShrikeException if the kernel cannot be compiled or there is not enough memory
     */
    public GpuCandidates(Gpu gpu, CandidateQuery query, Gpu.DeviceMemory head, int batch, int limit) {
        this.query = query;
        this.capacity = (int) Math.min(limit, query.mostCandidates());
        this.atOnce = Math.min(capacity, AT_ONCE);
        long imageBytes = (long) Float.BYTES * query.boxes() * query.values();
        if (head.bytes() != batch * imageBytes) {
            throw new IllegalArgumentException(query + " does not fit an output of " + head.bytes() + " bytes for "
                    + batch + " images");
        }
        try {
            kernel = opened.add(KernelSource.CANDIDATES.compile(gpu));
            zeros = opened.add(gpu.allocateHost((long) HEADER_WORDS * Integer.BYTES));
            Gpu.DeviceMemory wanted = opened.add(copyWanted(gpu));
            for (int i = 0; i < batch; i++) {
                Gpu.DeviceMemory device = opened.add(gpu.allocate(bytes(capacity)));
                Gpu.HostMemory host = opened.add(gpu.allocateHost(bytes(capacity)));
                KernelArguments arguments = opened.add(new KernelArguments(11));
                arguments.address(0, head.address() + i * imageBytes).number(1, query.boxes())
                        .number(2, query.classes()).number(3, query.boxStride()).number(4, query.valueStride())
                        .number(5, query.objectness() ? 1 : 0).number(6, query.confidence())
                        .number(7, query.multiLabel() ? 1 : 0).address(8, wanted.address()).number(9, capacity)
                        .address(10, device.address());
                images.add(new Image(device, host, arguments));
            }
        } catch (RuntimeException | Error e) {
            opened.close();
            throw e;
        }
    }

    /** The wanted classes on the device, a bit each. */
    private Gpu.DeviceMemory copyWanted(Gpu gpu) {
        int[] bits = new int[Math.ceilDiv(query.classes(), Integer.SIZE)];
        query.wanted().stream().filter(c -> c < query.classes()).forEach(c -> bits[c / Integer.SIZE] |= 1 << c);
        long size = (long) bits.length * Integer.BYTES;
        Gpu.DeviceMemory device = gpu.allocate(size);
        try (Gpu.HostMemory host = gpu.allocateHost(size); Gpu.Stream stream = gpu.stream()) {
            MemorySegment.copy(bits, 0, host.segment(), ValueLayout.JAVA_INT, 0, bits.length);
            stream.copyIn(host, device, size);
            stream.synchronize();
            return device;
        } catch (RuntimeException | Error e) {
            device.close();
            throw e;
        }
    }

    private static long bytes(int candidates) {
        return (HEADER_WORDS + (long) WORDS * candidates) * Integer.BYTES;
    }

    /** Images of a batch. */
    public int images() {
        return images.size();
    }

    /** Bytes of memory on both sides together. */
    public long bytes() {
        return 2L * images.size() * bytes(capacity);
    }

    /** Submits picking from the output as it then is, for the first so many images. */
    public void submit(Gpu.Stream stream, int count) {
        for (Image image : images.subList(0, count)) {
            stream.copyIn(zeros, image.device(), (long) HEADER_WORDS * Integer.BYTES);
            kernel.launch(stream, Math.ceilDiv(query.boxes(), THREADS), 1, THREADS, 1, image.arguments().segments());
            stream.copyOut(image.device(), image.host(), bytes(atOnce));
        }
    }

    /**
     * Hands out what was picked, by box and then by class, after the stream was waited for.
     *
     * @return false if nothing was handed out: there are more than fit, or a value is not finite
     */
    public boolean read(int index, CandidateSink sink, Gpu.Stream stream) {
        Image image = images.get(index);
        MemorySegment words = image.host().segment();
        int count = word(words, 0);
        if (word(words, 1) != 0 || count < 0 || count > capacity) {
            return false;
        }
        if (count > atOnce) {
            stream.copyOut(image.device(), image.host(), bytes(count));
            stream.synchronize();
        }
        sort(words, count);
        for (int i = 0; i < count; i++) {
            long at = HEADER_WORDS + (long) WORDS * (int) order[i];
            sink.addCentred(real(words, at + 3), real(words, at + 4), real(words, at + 5), real(words, at + 6),
                    real(words, at + 2), word(words, at + 1));
        }
        return true;
    }

    private void sort(MemorySegment words, int count) {
        if (order.length < count) {
            order = new long[Math.max(count, 2 * order.length)];
        }
        for (int i = 0; i < count; i++) {
            long at = HEADER_WORDS + (long) WORDS * i;
            long rank = (long) word(words, at) * query.classes() + word(words, at + 1);
            order[i] = rank << 32 | i;
        }
        Arrays.sort(order, 0, count);
    }

    private static int word(MemorySegment words, long index) {
        return words.getAtIndex(ValueLayout.JAVA_INT, index);
    }

    private static float real(MemorySegment words, long index) {
        return words.getAtIndex(ValueLayout.JAVA_FLOAT, index);
    }

    @Override
    public void close() {
        opened.close();
    }
}
