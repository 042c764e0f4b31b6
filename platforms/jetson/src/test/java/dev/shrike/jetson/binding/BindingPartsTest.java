package dev.shrike.jetson.binding;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

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

class BindingPartsTest {
    @TempDir
    private Path folder;

    /** 8.5 and 8.6 have layers and types that the binding of 8.4 makes constants without a name of. */
    @Test
    void valuesNewerThanTheBindingHaveNoName() {
        assertEquals("CONVOLUTION", BindingEnums.name("kCONVOLUTION", 0));
        assertEquals("UNKNOWN_40", BindingEnums.name(null, 40));
        assertEquals(List.of(4, 2, 1, 4, 1, 1, 1), IntStream.range(0, 7).map(BindingEnums::bytes).boxed().toList());
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
}
