package dev.shrike.jetson;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.graph.Graph;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.binding.TensorRt;
import dev.shrike.jetson.engine.EngineOptions;
import dev.shrike.jetson.engine.Ports;
import dev.shrike.jetson.kernels.GpuLetterbox;
import dev.shrike.jetson.kernels.KernelSource;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.vision.Letterbox;
import dev.shrike.vision.LetterboxTransform;
import dev.shrike.vision.Preprocessing;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The kernel of the GPU, run on the processor, against the letterbox of the processor. */
class GpuLetterboxTest {
    private static final int[][] SIZES = {
            {64, 64}, {128, 128}, {128, 64}, {1, 1}, {1, 200}, {300, 1}, {63, 41}, {640, 480}, {1920, 1080}, {97, 311},
            {65, 64}, {32, 32}, {33, 17}, {1000, 999}};

    @TempDir
    private Path folder;

    @Test
    void givesTheBytesOfTheProcessorsLetterbox() {
        assumeTrue(HostKernel.canCompile(), "no g++ here to compile letterbox.cu with");
        HostGpu gpu = new HostGpu();
        Random random = new Random(5);
        for (int[] input : new int[][] {{64, 64}, {96, 64}, {160, 160}}) {
            long floats = 3L * input[0] * input[1];
            try (Gpu.DeviceMemory target = gpu.allocate(4 * floats); Gpu.Stream stream = gpu.stream();
                    Gpu.Kernel kernel = KernelSource.LETTERBOX.compile(gpu);
                    GpuLetterbox letterbox =
                            new GpuLetterbox(gpu, kernel, target.address(), input[0], input[1]);
                    Arena arena = Arena.ofConfined()) {
                MemorySegment expected = arena.allocate(4 * floats, 64);
                Binding binding = Ports.binding(new TensorRt.Port("images", true,
                        List.of(1, 3, input[1], input[0]), 4, true), expected);
                for (Preprocessing how : Preprocessing.values()) {
                    try (Letterbox reference = new Letterbox(binding, how)) {
                        for (int round = 0; round < 7 * SIZES.length; round++) {
                            int[] size = SIZES[round % SIZES.length];
                            PixelFormat format = PixelFormat.values()[round / SIZES.length];
                            Frame frame = noise(format, size[0], size[1], random.nextInt(7), random);
                            LetterboxTransform transform = round % 3 < 2
                                    ? LetterboxTransform.of(size[0], size[1], input[0], input[1], how)
                                    : region(frame, how, input, random);
                            reference.apply(frame, transform);
                            letterbox.apply(frame, transform.params(how, input[0], input[1]), stream);
                            stream.synchronize();
                            requireSame(expected, HostGpu.segment(target), floats, how,
                                    format + " " + transform + " in " + input[0] + "x" + input[1]);
                        }
                    }
                }
            }
        }
        assertEquals(0, gpu.open());
    }

    private static LetterboxTransform region(Frame frame, Preprocessing how, int[] input, Random random) {
        int width = 1 + random.nextInt(frame.width());
        int height = 1 + random.nextInt(frame.height());
        return LetterboxTransform.of(width, height, input[0], input[1], how)
                .at(random.nextInt(frame.width() - width + 1), random.nextInt(frame.height() - height + 1));
    }

    private static Frame noise(PixelFormat format, int width, int height, int padding, Random random) {
        int stride = Frame.allocate(format, width, height, "").stride() + padding;
        byte[] bytes = new byte[2 * (stride + 1) * (height + 2)];
        random.nextBytes(bytes);
        MemorySegment memory = Arena.ofAuto().allocate(bytes.length);
        MemorySegment.copy(bytes, 0, memory, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return new Frame(format, width, height, stride, memory, "");
    }

    private static Frame noise(int width, int height, Random random) {
        Frame frame = Frame.allocate(width, height);
        byte[] bytes = new byte[3 * width * height];
        random.nextBytes(bytes);
        MemorySegment.copy(bytes, 0, frame.pixels(), ValueLayout.JAVA_BYTE, 0, bytes.length);
        return frame;
    }

    /** Equal bytes; the division by 255 may differ in the last bit of a float. */
    private static void requireSame(MemorySegment expected, MemorySegment actual, long floats, Preprocessing how,
            String what) {
        for (long i = 0; i < floats; i++) {
            float a = expected.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            float b = actual.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            float levels = how == Preprocessing.YOLO ? 255 : 1;
            if (Math.round(levels * a) != Math.round(levels * b) || Math.abs(a - b) > 1.2e-7f) {
                assertEquals(a, b, "element " + i + " of " + what);
            }
        }
    }

    @Test
    void theExecutorTakesFramesItself() {
        assumeTrue(HostKernel.canCompile(), "no g++ here to compile letterbox.cu with");
        HostGpu gpu = new HostGpu();
        Frame frame = noise(50, 70, new Random(9));
        try (GraphExecutor executor = open(gpu); GraphExecutor other = open(gpu);
                Letterbox letterbox = new Letterbox(other.inputs().getFirst())) {
            assertEquals(true, Fitted.accept(executor, frame));
            executor.run();
            letterbox.apply(frame);
            other.run();
            Binding a = executor.outputs().getFirst();
            Binding b = other.outputs().getFirst();
            for (int i = 0; i < a.elements(); i++) {
                assertEquals(b.memory().getAtIndex(ValueLayout.JAVA_FLOAT, i),
                        a.memory().getAtIndex(ValueLayout.JAVA_FLOAT, i), 1e-5f);
            }
        }
        assertEquals(0, gpu.open());
    }

    @Test
    void withoutACompilerTheProcessorResizes() {
        HostGpu gpu = new HostGpu();
        gpu.compilesNothing();
        try (GraphExecutor executor = open(gpu)) {
            assertFalse(Fitted.accept(executor, Frame.allocate(10, 10)));
        }
        assertEquals(0, gpu.open());
    }

    private GraphExecutor open(HostGpu gpu) {
        Graph graph = SmallDetector.make(4);
        EngineOptions options = new EngineOptions(EngineOptions.Precision.FP16, TensorRt.Calibration.ENTROPY,
                Optional.empty(), 1, -1, 0, folder, false, EngineOptions.Decode.AUTO, Optional.empty());
        return new TensorRtEngines(gpu, new FakeTensorRt(gpu), options).open(graph, ExecutorOptions.DEFAULT, null);
    }
}
