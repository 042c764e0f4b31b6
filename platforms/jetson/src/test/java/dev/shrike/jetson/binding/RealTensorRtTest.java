package dev.shrike.jetson.binding;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.shrike.DeviceException;
import dev.shrike.jetson.JetsonBackend;
import dev.shrike.jetson.binding.TensorRt.Calibration;
import dev.shrike.jetson.kernels.KernelSource;
import dev.shrike.spi.Availability;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.tensorrt.nvinfer.Dims32;
import org.bytedeco.tensorrt.nvinfer.IInt8Calibrator;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Against NVIDIA's own libraries on a machine without their GPU: {@code platforms/jetson/tensorrt-check.sh} fetches
 * them and runs this.
 */
class RealTensorRtTest {
    @BeforeEach
    void requireLibraries() {
        assumeTrue(Boolean.getBoolean("shrike.tensorrt.real"),
                "NVIDIA's libraries are not here; platforms/jetson/tensorrt-check.sh fetches them and runs this");
    }

    /** Hands out three addresses, and notes what it is told. */
    private static final class NotingFeed implements TensorRt.CalibrationFeed {
        private final List<String> asked = new ArrayList<>();
        private byte[] cache = new byte[0];
        private RuntimeException toThrow;

        @Override
        public long next(String input) {
            if (toThrow != null) {
                throw toThrow;
            }
            asked.add(input);
            return asked.size() <= 3 ? 0x1000L * asked.size() : 0;
        }

        @Override
        public byte[] cached() {
            return cache;
        }

        @Override
        public void keep(byte[] bytes) {
            cache = bytes;
        }
    }

    /** The base class, whose methods go through the virtual table of C++. */
    private static IInt8Calibrator throughVtable(IInt8Calibrator calibrator) {
        return new IInt8Calibrator((Pointer) calibrator);
    }

    @Test
    void theVersionIsOneThatTheBindingKnows() {
        assertTrue(TensorRtLibrary.open().version().matches("8\\.[456]\\.\\d+"), TensorRtLibrary.open().version());
    }

    @ParameterizedTest
    @EnumSource(Calibration.class)
    void calibratorsAreCalledThroughTheVirtualTable(Calibration kind) {
        TensorRtLibrary.open();
        NotingFeed feed = new NotingFeed();
        CalibrationCallbacks callbacks = new CalibrationCallbacks(feed);
        try (IInt8Calibrator made = Calibrators.of(kind, callbacks);
                PointerPointer<Pointer> bindings = new PointerPointer<>(1);
                PointerPointer<BytePointer> names = new PointerPointer<>("images")) {
            IInt8Calibrator calibrator = throughVtable(made);
            assertEquals(1, calibrator.getBatchSize());
            for (int batch = 1; batch <= 3; batch++) {
                System.gc();
                assertTrue(calibrator.getBatch(bindings, names, 1));
                assertEquals(0x1000L * batch, bindings.get(0).address());
            }
            assertFalse(calibrator.getBatch(bindings, names, 1));
            assertEquals(List.of("images", "images", "images", "images"), feed.asked);
            assertEquals(kind == Calibration.ENTROPY ? "kENTROPY_CALIBRATION_2" : "kMINMAX_CALIBRATION",
                    calibrator.getAlgorithm().intern().name());
        }
    }

    @ParameterizedTest
    @EnumSource(Calibration.class)
    void calibrationResultsGoBothWays(Calibration kind) {
        TensorRtLibrary.open();
        NotingFeed feed = new NotingFeed();
        try (IInt8Calibrator made = Calibrators.of(kind, new CalibrationCallbacks(feed));
                BytePointer text = new BytePointer("TRT-8403-EntropyCalibration2\nimages: 3c010a14\n");
                LongPointer length = new LongPointer(1)) {
            IInt8Calibrator calibrator = throughVtable(made);
            Pointer none = calibrator.readCalibrationCache(length);
            assertEquals(0, length.get());
            assertTrue(none == null || none.isNull());
            calibrator.writeCalibrationCache(text, text.limit() - 1);
            System.gc();
            Pointer read = calibrator.readCalibrationCache(length);
            assertEquals(text.limit() - 1, length.get());
            byte[] bytes = new byte[(int) length.get()];
            new BytePointer(read).get(bytes);
            assertArrayEquals(feed.cache, bytes);
        }
    }

    @ParameterizedTest
    @EnumSource(Calibration.class)
    void exceptionsOfAFeedDoNotReachCpp(Calibration kind) {
        TensorRtLibrary.open();
        NotingFeed feed = new NotingFeed();
        feed.toThrow = new IllegalStateException("image 7");
        CalibrationCallbacks callbacks = new CalibrationCallbacks(feed);
        try (IInt8Calibrator made = Calibrators.of(kind, callbacks);
                PointerPointer<Pointer> bindings = new PointerPointer<>(1);
                PointerPointer<BytePointer> names = new PointerPointer<>("images")) {
            assertFalse(throughVtable(made).getBatch(bindings, names, 1));
            assertEquals("image 7", callbacks.thrown().getMessage());
        }
    }

    @Test
    void withoutADeviceTheProbeSaysWhy() {
        Availability found = new JetsonBackend().probe();
        if (found instanceof Availability.Missing missing) {
            assertTrue(missing.reason().startsWith("CUDA sees no device"), missing.reason());
        }
    }

    @Test
    void withoutADeviceTheBuilderSaysWhy() {
        assumeTrue(new JetsonBackend().probe() instanceof Availability.Missing, "there is a GPU here");
        List<String> log = new ArrayList<>();
        DeviceException e = assertThrows(DeviceException.class,
                () -> TensorRtLibrary.open().build(line -> log.add(line.text())));
        assertTrue(e.getMessage().contains("CUDA initialization failure"), e.getMessage());
        assertFalse(log.isEmpty(), "TensorRT's log reaches us");
    }

    /** TensorRT keeps the first logger it was given; one that is freed in between would be called all the same. */
    @Test
    void eachBuildHearsItsOwnLog() {
        assumeTrue(new JetsonBackend().probe() instanceof Availability.Missing, "there is a GPU here");
        TensorRt tensorRt = TensorRtLibrary.open();
        for (int build = 0; build < 5; build++) {
            List<String> log = new ArrayList<>();
            String message = assertThrows(DeviceException.class, () -> tensorRt.build(line -> log.add(line.text())))
                    .getMessage();
            System.gc();
            assertTrue(message.contains("CUDA initialization failure"), message);
            assertTrue(log.stream().anyMatch(line -> line.contains("CUDA initialization failure")), "build " + build);
        }
    }

    @Test
    void dimensionsGetTheirBatch() {
        TensorRtLibrary.open();
        try (Dims32 open = new Dims32()) {
            open.nbDims(4).d(0, -1).d(1, 3).d(2, 384).d(3, 640);
            try (Dims32 four = TensorTypes.withBatch(open, 4)) {
                assertEquals(List.of(4, 4, 3, 384, 640), List.of(four.nbDims(), four.d(0), four.d(1), four.d(2),
                        four.d(3)));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(KernelSource.class)
    void kernelsCompile(KernelSource source) {
        for (String architecture : List.of("72", "87", "90")) {
            try (BytePointer ptx = CudaLibrary.toPtx(source.text(), source.kernel(), "compute_" + architecture)) {
                String text = ptx.getString();
                assertTrue(text.contains(".visible .entry " + source.kernel() + "("), text.substring(0, 200));
                assertTrue(text.contains(".target sm_" + architecture), text.substring(0, 200));
            }
        }
    }

    @Test
    void aKernelThatDoesNotCompileSaysWhere() {
        String message = assertThrows(DeviceException.class,
                () -> CudaLibrary.toPtx("extern \"C\" __global__ void k() { nothing }", "k", "compute_72"))
                .getMessage();
        assertTrue(message.contains("k.cu(1)") && message.contains("nothing"), message);
    }
}
