package dev.shrike.jetson.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import dev.shrike.jetson.binding.TensorRt;
import dev.shrike.jetson.binding.TensorRt.Layer;
import dev.shrike.spi.BatchProfile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EnginePartsTest {
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

    /** What the binding has no name for is a layer like others. */
    @Test
    void layersWithoutANameAreOfTheTail() {
        Layer newer = layer(0, "UNKNOWN_41", List.of("in"), "out");
        assertEquals(List.of(0), NetworkTail.of(List.of(newer), List.of("out")));
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
