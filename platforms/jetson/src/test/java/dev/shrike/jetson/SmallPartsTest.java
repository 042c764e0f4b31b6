package dev.shrike.jetson;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.DeviceException;
import dev.shrike.ModelException;
import dev.shrike.jetson.TensorRt.Layer;
import dev.shrike.spi.BatchProfile;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SmallPartsTest {
    @TempDir
    private Path folder;

    private static Layer layer(int index, String type, List<String> inputs, String output) {
        return new Layer(index, "l" + index, type, inputs, List.of(output), !type.equals("SHAPE"));
    }

    @Test
    void theTailReachesBackToTheLastConvolutions() {
        List<Layer> layers = List.of(layer(0, "CONVOLUTION", List.of("in"), "a"),
                layer(1, "ACTIVATION", List.of("a"), "b"), layer(2, "CONVOLUTION", List.of("b"), "c"),
                layer(3, "CONVOLUTION", List.of("b"), "d"), layer(4, "ACTIVATION", List.of("c"), "e"),
                layer(5, "CONSTANT", List.of(), "k"), layer(6, "ELEMENTWISE", List.of("e", "k"), "f"),
                layer(7, "SHAPE", List.of("f"), "s"), layer(8, "SHUFFLE", List.of("f", "s"), "g"),
                layer(9, "CONCATENATION", List.of("g", "d"), "out"));
        assertEquals(List.of(2, 3, 4, 6, 8, 9), NetworkTail.of(layers, List.of("out")));
    }

    @Test
    void whatConstantsFeedIsNotOfTheTail() {
        List<Layer> layers = List.of(layer(0, "CONVOLUTION", List.of("in"), "a"),
                layer(1, "CONSTANT", List.of(), "k"), layer(2, "SHUFFLE", List.of("k"), "l"),
                layer(3, "SHUFFLE", List.of("l"), "m"), layer(4, "ELEMENTWISE", List.of("a", "m"), "out"));
        assertEquals(List.of(0, 4), NetworkTail.of(layers, List.of("out")));
    }

    /** 8.5 and 8.6 have layers and types that the binding of 8.4 makes constants without a name of. */
    @Test
    void valuesNewerThanTheBindingHaveNoName() {
        assertEquals("CONVOLUTION", BindingEnums.name("kCONVOLUTION", 0));
        assertEquals("UNKNOWN_40", BindingEnums.name(null, 40));
        assertEquals(List.of(4, 2, 1, 4, 1, 1, 1), IntStream.range(0, 7).map(BindingEnums::bytes).boxed().toList());
        Layer newer = new Layer(0, "n", BindingEnums.name(null, 41), List.of("in"), List.of("out"), true);
        assertEquals(List.of(0), NetworkTail.of(List.of(newer), List.of("out")));
    }

    @Test
    void nothingThrownGetsIntoCpp() {
        Upcalls upcalls = new Upcalls();
        assertEquals(1, upcalls.attempt(() -> 1, 2));
        upcalls.rethrow();
        OutOfMemoryError error = new OutOfMemoryError("heap");
        assertEquals(2, upcalls.attempt(() -> {
            throw error;
        }, 2));
        assertEquals(3, upcalls.attempt(() -> 1, 3), "not called again");
        assertSame(error, assertThrows(OutOfMemoryError.class, upcalls::rethrow));
        Upcalls other = new Upcalls();
        other.attempt(() -> {
            throw new IllegalStateException("image 7");
        }, 0);
        assertEquals("image 7", assertThrows(IllegalStateException.class, other::rethrow).getMessage());
    }

    @Test
    void messagesAreOfTheirOperation() {
        MessageLog log = new MessageLog();
        List<String> told = new ArrayList<>();
        log.tell(line -> told.add(line.text()));
        log.run(() -> {
            log.message(2, "a warning of the parser\n");
            return 0;
        });
        log.run(() -> {
            log.message(4, "a detail");
            log.message(1, "no implementation");
            return 0;
        });
        assertEquals("building failed: no implementation", log.failure("building").getMessage());
        assertEquals("building failed: TensorRT gives no reason", log.failure("building").getMessage());
        assertEquals(3, told.size());
        log.tell(_ -> {
            throw new OutOfMemoryError("heap");
        });
        assertThrows(OutOfMemoryError.class, () -> log.run(() -> {
            log.message(3, "into a full heap");
            return 0;
        }));
        log.run(() -> 0);
    }

    /** C++ keeps a logger whatever Java forgot. */
    @Test
    void whatCppMayCallIsNeverCollected() {
        ReusedObjects<Object> objects = new ReusedObjects<>(Object::new);
        WeakReference<Object> forgotten = new WeakReference<>(objects.take());
        Object second = objects.take();
        objects.giveBack(second);
        assertSame(second, objects.take());
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        assertTrue(forgotten.get() != null);
        assertEquals(2, objects.count());
    }

    /** An object of C++ is a pointer to its virtual table, whose second entry deletes it. */
    @Test
    void deletesThroughTheVirtualTable() throws Exception {
        List<Long> deleted = new ArrayList<>();
        MethodHandle add = MethodHandles.lookup().findVirtual(List.class, "add",
                MethodType.methodType(boolean.class, Object.class)).bindTo(deleted)
                .asType(MethodType.methodType(void.class, long.class));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment destructor = Linker.nativeLinker().upcallStub(add,
                    FunctionDescriptor.ofVoid(ValueLayout.JAVA_LONG), arena);
            MemorySegment table = arena.allocate(ValueLayout.ADDRESS, 2);
            table.setAtIndex(ValueLayout.ADDRESS, 1, destructor);
            MemorySegment object = arena.allocate(ValueLayout.ADDRESS);
            object.set(ValueLayout.ADDRESS, 0, table);
            CppDestructor.delete(object.address());
            assertEquals(List.of(object.address()), deleted);
        }
    }

    /** As 8.5 writes it, with and without details. */
    @Test
    void layersAreCountedByFormat() {
        assertEquals(Map.of("INT8", 2, "FP16", 1, "FP32", 1, "OTHER", 1), LayerFormats
                .count("""
                        {"Layers": [
                        {"Name": "a", "Outputs": [{"Format/Datatype": "Thirty-two wide channel vectorized \
                        row major Int8 format"}]},
                        {"Name": "b", "Outputs": [{"Name": "y", "Format/Datatype": "Row major Int8 format"}]},
                        {"Name": "c", "Outputs": [{"Name": "z", "Format/Datatype": "Row major linear FP16 format"}]},
                        {"Name": "d", "Outputs": [{"Name": "w", "Format/Datatype": "Row major linear FP32"}]},
                        {"Name": "e", "Outputs": []}], "Bindings": ["x"]}"""));
        assertEquals(Map.of("OTHER", 2), LayerFormats.count("{\"Layers\": [\"a\", \"b\"]}"));
        assertTrue(assertThrows(DeviceException.class, () -> LayerFormats.count("none")).getMessage()
                .contains("no JSON"));
    }

    @Test
    void onlyStickyErrorsLast() {
        CudaErrors errors = new CudaErrors();
        assertTrue(errors.failure("cudaMalloc", 2, "out of memory").getMessage().endsWith("workspace"));
        assertTrue(errors.failure("cudaEventQuery", 600, "not ready").getMessage().endsWith("not ready"));
        assertEquals(Optional.empty(), errors.lost());
        String message = errors.failure("cudaStreamSynchronize", 719, "launch failure").getMessage();
        assertTrue(message.endsWith("restart the process"), message);
        assertTrue(errors.lost().orElseThrow().contains("719"));
        message = errors.failure("cudaFree", 2, "out of memory").getMessage();
        assertTrue(message.contains("restart the process") && message.contains("719"), message);
    }

    @Test
    void namesThePackageOfAMissingLibrary() {
        Map<String, String> libraries = Map.of("libnvinfer.so.8: cannot open shared object file", "libnvinfer8",
                "libjninvinfer.so: libcudnn.so.8: cannot open", "libcudnn8", "libcuda.so.1: cannot", "nvidia-l4t-cuda",
                "libnvonnxparser.so.8: no", "libnvonnxparsers8", "libnvinfer_plugin.so.8: no", "libnvinfer-plugin8",
                "libnvrtc.so.11.2: no", "cuda-nvrtc-11-4", "libcublasLt.so.11: no", "libcublas-11-4",
                "no jnicudart in java.library.path", "org.bytedeco:cuda:11.8-8.6-1.5.8",
                "something else", "nvidia-jetpack");
        libraries.forEach((message, advice) -> {
            String text = MissingLibraries.advice(message);
            assertTrue(text.contains(advice), message + " -> " + text);
        });
        for (int error : new int[] {0, 35, 100, 800, 803, 999}) {
            assertTrue(MissingLibraries.driverAdvice(error).length() > 30);
        }
        String text = MissingLibraries.explain("TensorRT", new UnsatisfiedLinkError("libnvinfer.so.8: cannot open"))
                .getMessage();
        assertTrue(text.startsWith("TensorRT does not load: libnvinfer.so.8"), text);
    }

    @Test
    void whatTheSystemWouldGiveBackCountsAsFree() throws Exception {
        Path meminfo = folder.resolve("meminfo");
        assertEquals(5, AvailableMemory.bytes(5, meminfo), "no such file");
        Files.writeString(meminfo, "MemTotal:        7000000 kB\nMemFree:  100 kB\nMemAvailable:    3000000 kB\n");
        assertEquals(3_000_000L << 10, AvailableMemory.bytes(5, meminfo));
        assertEquals(4L << 30, AvailableMemory.bytes(4L << 30, meminfo), "what CUDA counts is more");
        Files.writeString(meminfo, "MemAvailable: 99999999999999999999 kB\nMemTotal: 1 kB");
        assertEquals(5, AvailableMemory.bytes(5, meminfo));
        assertEquals(5, AvailableMemory.bytes(5, folder), "a folder");
    }

    @Test
    void looksForTheDriverBeforeItLoadsAnything() throws Exception {
        assertTrue(!DeviceNodes.areBelow(folder));
        Files.createDirectories(folder.resolve("dev"));
        Files.createFile(folder.resolve("dev/nvhost-gpu"));
        assertTrue(DeviceNodes.areBelow(folder));
    }

    @Test
    void optionsComeFromProperties() {
        Map<String, String> set = Map.of("shrike.tensorrt.precision", "int8", "shrike.tensorrt.calibration", "minmax",
                "shrike.tensorrt.data", "pictures", "shrike.tensorrt.dla", "1", "shrike.tensorrt.workspace", "512",
                "shrike.tensorrt.decode", "gpu", "shrike.tensorrt.batch", "1,4,8");
        EngineOptions options = EngineOptions.from(set::get, null, "/home/pi");
        assertEquals(EngineOptions.Precision.INT8, options.precision());
        assertEquals(TensorRt.Calibration.MINMAX, options.calibration());
        assertEquals(EngineOptions.Decode.GPU, options.decode());
        assertEquals(EngineOptions.Decode.AUTO, EngineOptions.from(Map.<String, String>of()::get, "/c", "").decode());
        assertEquals(Optional.of(new BatchProfile(1, 4, 8)), options.batches());
        assertEquals(Optional.empty(), EngineOptions.from(Map.<String, String>of()::get, "/c", "").batches());
        assertEquals(512L << 20, options.workspaceBytes());
        assertEquals(Path.of("/home/pi/.cache/shrike/engines"), options.cache());
        assertEquals(Path.of("/c/shrike/engines"), EngineOptions.from(Map.<String, String>of()::get, "/c", "").cache());
        Map<String, String> wrong = Map.of("precision", "int4", "dla", "x", "pictures", "0", "workspace", "-1",
                "calibration", "none", "decode", "dla", "batch", "8,4");
        wrong.forEach((name, value) -> {
            String message = assertThrows(IllegalArgumentException.class, () -> EngineOptions
                    .from(Map.of("shrike.tensorrt." + name, value)::get, null, "")).getMessage();
            assertTrue(message.contains("shrike.tensorrt." + name) && message.contains(value), message);
        });
    }

    @Test
    void theQuickestTimeOfEachWayCounts() {
        long[] clock = new long[1];
        int[] rounds = new int[2];
        // The first way is quick but for its first rounds, as code is that was not compiled yet.
        Runnable first = () -> clock[0] += rounds[0]++ < 5 ? 900 : 100;
        Runnable second = () -> clock[0] += rounds[1]++ == 7 ? 99 : 200;
        AutoTuned tried = AutoTuned.measure(() -> clock[0], first, second);
        assertEquals(new AutoTuned(100, 99), tried);
        assertTrue(tried.secondWins());
        assertEquals(rounds[0], rounds[1]);
        assertTrue(!new AutoTuned(100, 100).secondWins(), "nothing is gained");
        assertEquals("1.40 ms and 0.12 ms", new AutoTuned(1_400_000, 120_000).describe());
    }

    @Test
    void anyFlippedBitOfAnEngineFileIsRefused() throws Exception {
        EngineRecord record = new EngineRecord("m", EngineOptions.Precision.INT8, TensorRt.Calibration.ENTROPY, "d", -1,
                new BatchProfile(1, 4, 8), 0, false, "8.5.2", "Xavier", "7.2", List.of("l (SHUFFLE)"), 12.5);
        Path file = folder.resolve("x.engine");
        new EngineFile(record, MemorySegment.ofArray(new byte[] {1, 2, 3}), new byte[] {4},
                MemorySegment.ofArray(new byte[] {5, 6})).write(file);
        EngineFile read = EngineFile.read(file);
        assertEquals(record, read.record());
        assertArrayEquals(new byte[] {4}, read.calibration());
        assertArrayEquals(new byte[] {5, 6}, read.plan().toArray(ValueLayout.JAVA_BYTE));
        assertEquals(0, read.plan().address() % 64, "TensorRT reads it where it is mapped");
        assertEquals(0, read.onnx().address() % 64);
        byte[] bytes = Files.readAllBytes(file);
        for (int bit = 0; bit < 8 * bytes.length; bit++) {
            byte[] damaged = bytes.clone();
            damaged[bit / 8] ^= (byte) (1 << bit % 8);
            assertThrows(ModelException.class, () -> EngineFile.read(MemorySegment.ofArray(damaged)));
        }
        for (int length = 0; length < bytes.length; length++) {
            byte[] cut = java.util.Arrays.copyOf(bytes, length);
            assertThrows(ModelException.class, () -> EngineFile.read(MemorySegment.ofArray(cut)));
        }
    }

    @Test
    void calibrationResultsNeedTheirKey() throws Exception {
        Path file = folder.resolve("c").resolve("x.cache");
        new CalibrationCache(file, "one").write("TRT".getBytes());
        assertArrayEquals("TRT".getBytes(), new CalibrationCache(file, "one").read());
        assertEquals(0, new CalibrationCache(file, "two").read().length);
        Files.writeString(file, "TRX");
        assertEquals(0, new CalibrationCache(file, "one").read().length, "damaged");
        Files.delete(folder.resolve("c").resolve("x.cache.key"));
        assertEquals(0, new CalibrationCache(file, "one").read().length, "of unknown origin");
    }
}
