package dev.shrike.jetson;

import dev.shrike.DeviceException;
import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.jetson.binding.CloseStack;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.kernels.GpuLetterbox;
import dev.shrike.jetson.kernels.KernelSource;
import dev.shrike.spi.LetterboxParams;
import dev.shrike.vision.Preprocessing;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * Steps of the CUDA suite about kernels: their bytes, recorded, on several threads, and their times.
 *
 * @param gpu the device
 * @param folder has what the processor gives
 * @param say takes lines for the report
 */
record CudaKernelSteps(Gpu gpu, CudaSuiteFolder folder, Consumer<String> say) {
    private static final int REPLAYS = 50;
    private static final int ROUNDS = 3;

    /** An input on the device, with a letterbox that writes into it and memory to read it. */
    private final class Target implements AutoCloseable {
        private final LetterboxCase each;
        /** The same object each time: another one makes the letterbox write its tables again. */
        private final LetterboxParams how;
        private final CloseStack opened = new CloseStack();
        private final Gpu.DeviceMemory memory;
        private final Gpu.HostMemory host;
        private final Gpu.Stream stream;
        private final GpuLetterbox letterbox;

        Target(LetterboxCase each) {
            this.each = each;
            this.how = each.transform().params(each.how(), each.inputWidth(), each.inputHeight());
            try {
                stream = opened.add(gpu.stream());
                memory = opened.add(gpu.allocate(Float.BYTES * each.floats()));
                host = opened.add(gpu.allocateHost(memory.bytes()));
                Gpu.Kernel kernel = opened.add(KernelSource.LETTERBOX.compile(gpu));
                letterbox = opened.add(
                        new GpuLetterbox(gpu, kernel, memory.address(), each.inputWidth(), each.inputHeight()));
            } catch (RuntimeException | Error e) {
                opened.close();
                throw e;
            }
        }

        /** Submits fitting a frame and copying the input back. */
        void submit(Frame frame) {
            letterbox.apply(frame, how, stream);
            stream.copyOut(memory, host, memory.bytes());
        }

        String digest() {
            return each.digest(host.segment());
        }

        /** So that nothing of an earlier run is taken for a result. */
        void poison() {
            host.segment().fill((byte) 0x7f);
            stream.copyIn(host, memory, memory.bytes());
            stream.synchronize();
        }

        @Override
        public void close() {
            opened.close();
        }
    }

    private static void require(boolean holds, String what) throws IOException {
        if (!holds) {
            throw new IOException(what);
        }
    }

    private String golden(LetterboxCase each) throws IOException {
        String digest = folder.digests().get(each.name());
        require(digest != null, each.name() + " is not among the packed digests: pack again");
        return digest;
    }

    /** The kernel gives the bytes of the processor's letterbox. */
    void letterbox() throws IOException {
        Map<String, String> digests = folder.digests();
        List<String> wrong = new ArrayList<>();
        for (LetterboxCase each : LetterboxCase.all()) {
            try (Target target = new Target(each)) {
                target.poison();
                target.submit(each.frame());
                target.stream.synchronize();
                if (!target.digest().equals(digests.get(each.name()))) {
                    wrong.add(each.name());
                }
            }
        }
        require(wrong.isEmpty(), wrong.size() + " of " + LetterboxCase.all().size()
                + " letterboxes differ from the processor's: " + wrong);
        say.accept(LetterboxCase.all().size() + " letterboxes have the bytes of the processor's.");
    }

    /** The kernel finds what the decoder of the processor finds, bit for bit. */
    void candidates() throws IOException {
        int found = new CandidateComparison(gpu).run();
        require(found > 1000, "only " + found + " candidates were compared");
        say.accept(found + " candidates have the bits of the processor's.");
    }

    /** Recorded work is done again on what lies in its memory by then, and a recording that fails leaves no trace. */
    void graph() throws IOException {
        LetterboxCase each = LetterboxCase.all().getFirst();
        Frame frame = each.frame();
        try (Target target = new Target(each)) {
            // Sizes its buffers, which cannot be done while it is recorded.
            target.submit(frame);
            target.stream.synchronize();
            requireRefusals(target);
            try (Gpu.Recording recording = target.stream.record(() -> target.submit(frame))) {
                requireReplay(target, recording, golden(each));
                target.submit(inverted(frame));
                target.stream.synchronize();
                String other = target.digest();
                require(!other.equals(golden(each)), "another frame gives the same bytes");
                requireReplay(target, recording, other);
            }
            target.poison();
            target.submit(frame);
            target.stream.synchronize();
            require(target.digest().equals(golden(each)), "after a recording the stream gives other bytes");
        }
        say.accept(2 * REPLAYS + " replays of a recorded letterbox have its bytes.");
    }

    private static void requireReplay(Target target, Gpu.Recording recording, String digest) throws IOException {
        target.poison();
        for (int i = 0; i < REPLAYS; i++) {
            target.stream.submit(recording);
        }
        target.stream.synchronize();
        require(target.digest().equals(digest), "what was recorded gives other bytes");
    }

    private static Frame inverted(Frame frame) {
        byte[] bytes = frame.pixels().toArray(ValueLayout.JAVA_BYTE);
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) ~bytes[i];
        }
        MemorySegment memory = Arena.ofAuto().allocate(bytes.length);
        MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return new Frame(frame.format(), frame.width(), frame.height(), frame.stride(), memory, "");
    }

    private void requireRefusals(Target target) throws IOException {
        String said = "";
        try (Gpu.Recording _ = target.stream.record(() -> target.stream.synchronize())) {
            said = "nothing";
        } catch (DeviceException e) {
            said = e.getMessage();
        }
        require(said.contains("cudaStreamSynchronize failed with CUDA error 9"),
                "waiting while work is recorded was answered by: " + said);
        said = "";
        try (Gpu.Recording _ = target.stream.record(() -> {
            throw new IllegalStateException("stopped");
        })) {
            said = "nothing";
        } catch (IllegalStateException e) {
            said = e.getMessage();
        }
        require(said.equals("stopped"), "an exception while work is recorded became: " + said);
        require(gpu.lost().isEmpty(), "the GPU counts as lost: " + gpu.lost());
    }

    /** Two threads with streams of their own do not disturb each other. */
    void threads() throws IOException, InterruptedException {
        List<LetterboxCase> cases = LetterboxCase.all();
        List<Callable<Integer>> work = new ArrayList<>();
        for (int thread = 0; thread < 2; thread++) {
            List<LetterboxCase> own = IntStream.iterate(thread, i -> i < cases.size(), i -> i + 2)
                    .mapToObj(cases::get).filter(each -> each.inputWidth() < 640).toList();
            work.add(() -> run(own));
        }
        int checked = 0;
        try (ExecutorService pool = Executors.newFixedThreadPool(2)) {
            for (Future<Integer> result : pool.invokeAll(work)) {
                checked += result.get();
            }
        } catch (ExecutionException e) {
            throw new IOException("a thread of two failed: " + e.getCause().getMessage(), e);
        }
        say.accept(checked + " letterboxes of two threads have the bytes of the processor's.");
    }

    private int run(List<LetterboxCase> cases) throws IOException {
        int checked = 0;
        for (int round = 0; round < ROUNDS; round++) {
            for (LetterboxCase each : cases) {
                try (Target target = new Target(each)) {
                    target.submit(each.frame());
                    target.stream.synchronize();
                    require(target.digest().equals(golden(each)), each.name() + " differs from the processor's");
                    checked++;
                }
            }
        }
        return checked;
    }

    /** How long a letterbox takes, from the processor's memory and recorded. */
    void times() {
        LetterboxCase camera = new LetterboxCase(PixelFormat.NV12, 1920, 1080, 0, false, Preprocessing.YOLO, 640, 640);
        Frame frame = camera.frame();
        try (Target target = new Target(camera);
                Gpu.Event before = gpu.event();
                Gpu.Event after = gpu.event()) {
            Runnable letterbox = () -> target.letterbox.apply(frame, target.how, target.stream);
            letterbox.run();
            target.stream.synchronize();
            say.accept(String.format(Locale.ROOT, "A frame of 1920x1080 NV12 into 640x640: %.3f ms (median of %d).",
                    median(target.stream, before, after, letterbox), REPLAYS));
            try (Gpu.Recording recording = target.stream.record(letterbox)) {
                say.accept(String.format(Locale.ROOT, "The same, recorded: %.3f ms.",
                        median(target.stream, before, after, () -> target.stream.submit(recording))));
            }
        }
    }

    private static double median(Gpu.Stream stream, Gpu.Event before, Gpu.Event after, Runnable work) {
        float[] times = new float[REPLAYS];
        for (int i = 0; i < REPLAYS; i++) {
            stream.record(before);
            work.run();
            stream.record(after);
            stream.synchronize();
            times[i] = after.millisecondsSince(before);
        }
        Arrays.sort(times);
        return times[REPLAYS / 2];
    }
}
