package dev.shrike.cpu.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import dev.shrike.cpu.CpuBackend;
import dev.shrike.cpu.FloatBench;
import dev.shrike.cpu.RandomGraphs;
import dev.shrike.cpu.RandomQuantization;
import dev.shrike.cpu.SampleGraphs;
import dev.shrike.testing.SharedFolder;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.testing.SharedFolder;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written is what is read, in as few bytes as promised. */
class ShrikeFileTest {
    @TempDir
    private Path folder;

    /** Equality down to the bytes of constants, and of the scales and zero points of quantised values. */
    static void assertSame(Graph expected, Graph actual, String context) {
        assertEquals(expected.name(), actual.name(), context);
        assertEquals(expected.inputs(), actual.inputs(), context);
        assertEquals(expected.outputs(), actual.outputs(), context);
        assertEquals(expected.metadata(), actual.metadata(), context);
        assertEquals(expected.nodes().size(), actual.nodes().size(), context);
        for (int i = 0; i < expected.nodes().size(); i++) {
            Node a = expected.nodes().get(i);
            Node b = actual.nodes().get(i);
            if (a.op() instanceof Op.ConstantOfShape(Tensor value)) {
                assertSame(value, ((Op.ConstantOfShape) b.op()).value(), context);
                assertEquals(a.withOp(new Op.Identity()), b.withOp(new Op.Identity()), context);
            } else {
                assertEquals(a, b, context);
            }
        }
        assertEquals(expected.constants().keySet(), actual.constants().keySet(), context);
        expected.constants()
                .forEach((name, t) -> assertSame(t, actual.constants().get(name), context + ", constant " + name));
        assertEquals(expected.quantization().keySet(), actual.quantization().keySet(), context);
        expected.quantization().forEach((name, q) -> {
            Quantization other = actual.quantization().get(name);
            assertSame(q.scale(), other.scale(), context);
            assertSame(q.zeroPoint(), other.zeroPoint(), context);
            assertEquals(q, new Quantization(q.scale(), q.zeroPoint(), other.bits(), other.signed(), other.narrow(),
                    other.axis(), other.bipolar()), context);
        });
    }

    private static void assertSame(Tensor expected, Tensor actual, String context) {
        assertEquals(expected.type(), actual.type(), context);
        assertEquals(expected.shape(), actual.shape(), context);
        // A pair of four-bit codes may have an unused half, whose bits mean nothing; true is any byte but 0.
        if (expected.type().bits() < 8 || expected.type() == DataType.BOOL) {
            assertArrayEquals(expected.toLongs(), actual.toLongs(), context);
        } else {
            assertEquals(-1, expected.data().mismatch(actual.data()), context);
        }
        assertTrue(actual.data().isReadOnly(), context);
    }

    @Test
    void everyOperationComesBack() {
        Path file = folder.resolve("model.shrike");
        Set<Class<?>> seen = new HashSet<>();
        for (int seed = 0; seed < 60; seed++) {
            Graph graph = SampleGraphs.make(new Random(seed));
            Map<String, String> choices = seed % 2 == 0 ? Map.of() : Map.of("conv 3x3", "bitserial", "é", "");
            new ShrikeFile(graph, choices).write(file);
            ShrikeFile read = ShrikeFile.read(file);
            assertSame(graph, read.graph(), "seed " + seed);
            assertEquals(choices, read.choices());
            graph.nodes().forEach(node -> seen.add(node.op().getClass()));
        }
        assertEquals(Set.of(Op.class.getPermittedSubclasses()), seen);
    }

    @Test
    void randomNetworksRunTheSameFromTheirFiles() {
        Path file = folder.resolve("model.shrike");
        CpuBackend backend = new CpuBackend();
        for (int seed = 0; seed < 15; seed++) {
            Random random = new Random(seed);
            Graph graph = RandomGraphs.make(random, 12);
            Graph ready = GraphPasses.forInference(graph, Map.of());
            backend.build(ready, file);
            assertTrue(backend.reads(file));
            float[] pixels = new float[(int) graph.inputs().getFirst().shape().elements()];
            for (int i = 0; i < pixels.length; i++) {
                pixels[i] = random.nextFloat();
            }
            assertRunsTheSame(backend, graph, file, pixels, "seed " + seed);
        }
    }

    @Test
    void networksRoundedByTheirOwnRangesRunTheSameFromTheirFiles() {
        Path file = folder.resolve("model.shrike");
        CpuBackend backend = new CpuBackend();
        for (int seed = 0; seed < 10; seed++) {
            Random random = new Random(seed);
            Graph graph = RandomQuantization.dynamicNetwork(random);
            float[] pixels = RandomQuantization.input(graph, random);
            backend.build(graph, file);
            assertRunsTheSame(backend, graph, file, pixels, "seed " + seed);
        }
    }

    private static void assertRunsTheSame(CpuBackend backend, Graph graph, Path built, float[] pixels, String which) {
        List<float[]> expected = run(backend, graph, pixels);
        List<float[]> actual = run(backend, backend.load(built), pixels);
        for (int i = 0; i < expected.size(); i++) {
            assertArrayEquals(expected.get(i), actual.get(i), which);
        }
    }

    private static List<float[]> run(CpuBackend backend, Graph graph, float[] pixels) {
        try (GraphExecutor executor = backend.open(graph, ExecutorOptions.DEFAULT.withThreads(1))) {
            FloatBench.fill(executor.inputs().getFirst(), pixels);
            executor.run();
            return executor.outputs().stream().map(FloatBench::read).toList();
        }
    }

    @Test
    void equalModelsGiveEqualBytesAndCodesTakeTheirBits() throws IOException {
        Random random = new Random(1);
        for (int bits = 1; bits <= 8; bits++) {
            long[] codes = new long[80_000];
            for (int i = 0; i < codes.length; i++) {
                codes[i] = random.nextInt(1 << bits) - (1 << (bits - 1));
            }
            byte[] bytes = bytes("w", Tensor.of(DataType.INT8, Shape.of(codes.length), codes));
            assertTrue(bytes.length < 10_000 * bits + 1000, bits + " bits take " + bytes.length);
            assertArrayEquals(bytes, bytes("w", Tensor.of(DataType.INT8, Shape.of(codes.length), codes)));
        }
        float[] cells = new float[25_600];
        for (int i = 0; i < cells.length; i++) {
            cells[i] = i % 80 - 0.5f;
        }
        assertTrue(bytes("cells", Tensor.ofFloats(Shape.of(cells.length), cells)).length < 4000);
    }

    /** Codes of unequal frequency take hardly more than their entropy, those of equal frequency what they are wide. */
    @Test
    void unequalCodesTakeTheirEntropy() throws IOException {
        for (DataType type : List.of(DataType.INT8, DataType.UINT8)) {
            for (double spread : new double[] {0.3, 1, 2.5, 6, 12, 31}) {
                Random random = new Random(7);
                long[] codes = new long[300_000];
                Map<Long, Integer> counts = new HashMap<>();
                for (int i = 0; i < codes.length; i++) {
                    long code = Math.clamp(Math.round(spread * random.nextGaussian()), -127, 127);
                    codes[i] = type == DataType.INT8 ? code : code + 128;
                    counts.merge(code, 1, Integer::sum);
                }
                double entropy = counts.values().stream().mapToDouble(count -> -(double) count / codes.length
                        * Math.log((double) count / codes.length) / Math.log(2)).sum();
                byte[] bytes = bytes("w", Tensor.of(type, Shape.of(codes.length), codes));
                double bits = 8.0 * bytes.length / codes.length;
                // A Huffman code gives each integer a whole number of bits, at least one, and each block its table.
                double most = entropy > 6.4 ? 8.02 : Math.max(1, entropy) + 0.25;
                assertTrue(bits < most, type + ", spread " + spread + ": " + bits + " bits, entropy " + entropy);
            }
        }
    }

    /** Floats of a pruned network take a bit each and those that are not 0 their own bits; a negative zero is kept. */
    @Test
    void zerosOfFloatsTakeOneBit() throws IOException {
        for (DataType type : List.of(DataType.FLOAT32, DataType.FLOAT16, DataType.FLOAT64)) {
            for (int percent : new int[] {10, 30, 50, 75, 97, 100}) {
                Random random = new Random(percent);
                int width = type.bits() / 8;
                int n = 80_003;
                int stored = 0;
                byte[] elements = new byte[n * width];
                for (int i = 0; i < n; i++) {
                    if (random.nextInt(100) >= percent) {
                        stored++;
                        for (int b = 0; b < width; b++) {
                            // No infinity or NaN is in question: only the bits are.
                            elements[i * width + b] = (byte) random.nextInt(1, 255);
                        }
                    }
                }
                byte[] bytes = bytes("w", new Tensor(type, Shape.of(n), MemorySegment.ofArray(elements)));
                long packed = n / 8 + (long) stored * width;
                long most = percent == 10 ? elements.length : packed;
                assertTrue(bytes.length < most + 1000, type + ", " + percent + " % zeros: " + bytes.length + " bytes");
                int version = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(8);
                // Older programs read what they can: only files that need the newer version have it.
                assertEquals(percent >= 30 && percent <= 75 ? 2 : 1, percent == 97 ? 1 : version, percent + " %");
            }
        }
        float[] signed = new float[64];
        Arrays.fill(signed, 0, 40, -0f);
        bytes("signed", Tensor.ofFloats(Shape.of(64), signed));
    }

    private byte[] bytes(String name, Tensor tensor) throws IOException {
        Path file = folder.resolve("one.shrike");
        Map<String, Tensor> constants = new HashMap<>(Map.of("other", Tensor.scalar(1)));
        constants.put(name, tensor);
        Graph graph = new Graph("one", List.of(), List.of(), List.of(), constants, Map.of(), Map.of("a", "1", "b", ""));
        new ShrikeFile(graph, Map.of()).write(file);
        assertSame(graph, ShrikeFile.read(file).graph(), name);
        return Files.readAllBytes(file);
    }

    @Test
    void bigConstantsAreAlignedInTheFileAndReadIntoMemory() throws IOException {
        Path file = folder.resolve("model.shrike");
        Random random = new Random(3);
        float[] values = new float[5000];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat();
        }
        Map<String, Tensor> constants = Map.of("a", Tensor.scalar(1), "b", Tensor.ofFloats(Shape.of(5000), values));
        new ShrikeFile(new Graph("", List.of(), List.of(), List.of(), constants, Map.of(), Map.of()), Map.of())
                .write(file);
        Tensor read = ShrikeFile.read(file).graph().constants().get("b");
        assertFalse(read.data().isMapped());
        assertArrayEquals(values, read.toFloats());
        byte[] all = Files.readAllBytes(file);
        byte[] bytes = read.data().toArray(ValueLayout.JAVA_BYTE);
        long at = 0;
        while (at < all.length && !Arrays.equals(all, (int) at, (int) Math.min(all.length, at + bytes.length), bytes, 0,
                bytes.length)) {
            at += 64;
        }
        assertTrue(at < all.length, "not at a multiple of 64");
    }

    @Test
    void aFileThatCannotBeWrittenLeavesTheOldOne() throws IOException {
        Graph graph = SampleGraphs.make(new Random(1));
        Path missing = folder.resolve("none/model.shrike");
        assertTrue(assertThrows(ShrikeException.class, () -> new ShrikeFile(graph, Map.of()).write(missing))
                .getMessage().startsWith(missing + ": cannot be written"));
        assertThrows(ShrikeException.class, () -> new ShrikeFile(graph, Map.of()).write(folder));
        try (var left = Files.list(folder)) {
            assertEquals(List.of(), left.toList());
        }
    }

    @Test
    void otherFilesAreNotTakenForOurs() throws IOException {
        Path text = Files.writeString(folder.resolve("a.shrike"), "text");
        Path empty = Files.createFile(folder.resolve("b.shrike"));
        for (Path file : List.of(text, empty, folder, folder.resolve("none"))) {
            assertFalse(ShrikeFile.isOne(file), file.toString());
            ModelException e = assertThrows(ModelException.class, () -> ShrikeFile.read(file));
            assertTrue(e.getMessage().startsWith(file + ": "), e.getMessage());
        }
    }

    /** The real network: no larger than its ONNX file, and no other after a round trip. */
    @Test
    void aRealNetworkComesBack() throws IOException {
        Path onnx = SharedFolder.file("models/yolov5n-640.onnx");
        Graph graph = GraphPasses.forInference(OnnxModels.read(onnx), Map.of());
        Path file = folder.resolve("yolov5n.shrike");
        new ShrikeFile(graph, Map.of()).write(file);
        assertSame(graph, ShrikeFile.read(file).graph(), "yolov5n");
        assertTrue(Files.size(file) < Files.size(onnx), Files.size(file) + " bytes");
        long step = Files.size(file) / 150;
        for (long at = 0; at < Files.size(file); at += step) {
            flip(file, at);
            String context = "byte " + at;
            ModelException e = assertThrows(ModelException.class, () -> ShrikeFile.read(file), context);
            assertTrue(e.getMessage().startsWith(file + ": "), context + ": " + e.getMessage());
            flip(file, at);
        }
        assertSame(graph, ShrikeFile.read(file).graph(), "every byte flipped back");
    }

    /** Changes one bit of a file in place. */
    private static void flip(Path file, long at) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            ByteBuffer one = ByteBuffer.allocate(1);
            channel.read(one, at);
            one.put(0, (byte) (one.get(0) ^ 1 << at % 8)).flip();
            channel.write(one, at);
        }
    }
}
