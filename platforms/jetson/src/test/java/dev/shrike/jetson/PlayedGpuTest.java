package dev.shrike.jetson;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.shrike.DeviceException;
import dev.shrike.Frame;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.binding.TensorRt.Calibration;
import dev.shrike.jetson.engine.EngineOptions;
import dev.shrike.jetson.engine.EngineOptions.Decode;
import dev.shrike.jetson.engine.EngineOptions.Precision;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.spi.StepTime;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Faults that a GPU which does its work at once would hide, on one whose streams work when they are waited for: times
 * of events that are still to come, buffers that go while they are in use, errors in the middle of growing.
 */
class PlayedGpuTest {
    @TempDir
    private Path folder;

    private final HostGpu gpu = new HostGpu();
    private final FakeTensorRt tensorRt = new FakeTensorRt(gpu);

    private GraphExecutor open() {
        EngineOptions options = new EngineOptions(Precision.FP16, Calibration.ENTROPY, Optional.empty(), 1, -1, 0,
                folder.resolve("cache"), false, Decode.CPU, Optional.empty());
        return new TensorRtEngines(gpu, tensorRt, options).open(SmallYolo.v5(1), ExecutorOptions.DEFAULT, null);
    }

    private static Frame grey(int width, int height, int grey) {
        Frame frame = Frame.allocate(width, height);
        frame.pixels().fill((byte) grey);
        return frame;
    }

    private static float[] output(GraphExecutor executor) {
        return executor.outputs().getFirst().memory().asSlice(0, 4L * executor.outputs().getFirst().elements())
                .toArray(ValueLayout.JAVA_FLOAT);
    }

    private static void requireCompiler() {
        assumeTrue(HostKernel.canCompile(), "no g++ here to compile the kernels with");
    }

    /** Accepting the next frame records the first event of the next run, which has no time yet. */
    @Test
    void timesOfTheLastRunStayReadableWhileTheNextIsPrepared() {
        requireCompiler();
        try (GraphExecutor executor = open()) {
            assertEquals(List.of(), executor.times());
            executor.run();
            List<StepTime> before = executor.times();
            assertEquals(3, before.size());
            assertTrue(Fitted.accept(executor, grey(30, 40, 1)));
            assertEquals(before, executor.times());
            executor.run();
            assertEquals(3, executor.times().size());
        }
    }

    /** Events of a closed executor are gone; asking CUDA for their times could end the process. */
    @Test
    void timesAreNotForClosedExecutors() {
        GraphExecutor executor = open();
        executor.run();
        executor.close();
        assertThrows(IllegalStateException.class, executor::times);
        assertEquals(0, gpu.open());
    }

    /** What a caller kept of a closed executor must not lead into memory that is freed. */
    @Test
    void memoryOfAClosedExecutorCannotBeTouched() {
        GraphExecutor executor = open();
        var output = executor.outputs().getFirst().memory();
        assertEquals(0, output.get(ValueLayout.JAVA_FLOAT, 0) * 0);
        executor.close();
        assertThrows(IllegalStateException.class, () -> output.get(ValueLayout.JAVA_FLOAT, 0));
    }

    @Test
    void aFrameThatWasNeverRunDoesNotHinderClosing() {
        requireCompiler();
        GraphExecutor executor = open();
        assertTrue(Fitted.accept(executor, grey(30, 40, 1)));
        executor.close();
        assertEquals(0, gpu.open());
        assertEquals(0, tensorRt.open);
    }

    /** A second frame that needs larger buffers takes the place of the first one, whose copy is still under way. */
    @Test
    void theLastFrameBeforeARunCounts() {
        requireCompiler();
        try (GraphExecutor executor = open(); GraphExecutor other = open()) {
            assertTrue(Fitted.accept(executor, grey(30, 40, 200)));
            assertTrue(Fitted.accept(executor, grey(90, 80, 10)));
            executor.run();
            Fitted.accept(other, grey(90, 80, 10));
            other.run();
            assertArrayEquals(output(other), output(executor));
        }
    }

    /** Memory may be short for one frame and there for the next: whichever allocation fails, nothing is lost. */
    @Test
    void afterAFrameThatDidNotFitTheNextOneMay() {
        requireCompiler();
        Frame frame = grey(70, 50, 90);
        int calls;
        float[] expected;
        try (GraphExecutor executor = open()) {
            gpu.failAt(-1);
            Fitted.accept(executor, frame);
            calls = gpu.calls();
            executor.run();
            expected = output(executor);
        }
        for (int call = 0; call < calls; call++) {
            try (GraphExecutor executor = open()) {
                gpu.failAt(call);
                assertThrows(DeviceException.class, () -> Fitted.accept(executor, frame), "call " + call);
                assertTrue(Fitted.accept(executor, frame), "after call " + call);
                executor.run();
                assertArrayEquals(expected, output(executor), "after call " + call);
            }
            assertEquals(0, gpu.open(), "after call " + call);
        }
    }

    @Test
    void whatCudaForbidsWhileItRecordsFails() {
        try (Gpu.Stream stream = gpu.stream(); Gpu.DeviceMemory memory = gpu.allocate(8);
                Gpu.HostMemory host = gpu.allocateHost(8)) {
            assertThrows(DeviceException.class, () -> stream.record(stream::synchronize));
            assertThrows(DeviceException.class, () -> stream.record(() -> gpu.allocate(8)));
            host.segment().set(ValueLayout.JAVA_LONG, 0, 5);
            try (Gpu.Recording recording = stream.record(() -> stream.copyIn(host, memory, 8))) {
                stream.synchronize();
                assertEquals(0, HostGpu.segment(memory).get(ValueLayout.JAVA_LONG, 0), "recorded, not done");
                stream.submit(recording);
                stream.synchronize();
                assertEquals(5, HostGpu.segment(memory).get(ValueLayout.JAVA_LONG, 0));
            }
        }
        assertEquals(0, gpu.open());
    }
}
