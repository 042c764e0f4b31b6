package dev.shrike.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ShrikeException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RoundTripTest {
    @TempDir
    Path folder;

    @Test
    void whatIsWrittenReadsBackEqual() {
        Set<Class<?>> seen = new HashSet<>();
        for (long seed = 0; seed < 200; seed++) {
            Graph graph = RandomGraphs.next(new Random(seed), 40);
            graph.nodes().forEach(node -> seen.add(node.op().getClass()));
            Graph back = OnnxModels.read(OnnxModels.toBytes(graph), "seed " + seed, null);
            SameGraph.check(graph, back, "seed " + seed);
        }
        // All kinds of operators but those that have tests of their own: Trunc here, DynamicQuant in DynamicQuantTest,
        // the others in OperatorTest of the CPU engine, which writes and reads each of its graphs.
        Set<Class<?>> elsewhere = Set.of(Op.Trunc.class, Op.DynamicQuant.class, Op.SpaceToDepth.class,
                Op.GatherElements.class, Op.GatherNd.class, Op.ScatterElements.class, Op.ScatterNd.class, Op.TopK.class,
                Op.ArgExtreme.class, Op.Hardmax.class, Op.OneHot.class, Op.Trilu.class, Op.CumSum.class);
        Set<Class<?>> all = new HashSet<>(Set.of(Op.class.getPermittedSubclasses()));
        all.removeAll(elsewhere);
        assertEquals(all, seen);
    }

    @Test
    void truncReadsBackEqual() {
        Graph graph = one(new Op.Trunc("FLOOR"), List.of("x", "s", "z", "i", "o"),
                Map.of("s", Tensor.scalar(0.5f), "z", Tensor.scalar(0), "i", Tensor.scalar(8), "o", Tensor.scalar(4)));
        SameGraph.check(graph, OnnxModels.read(OnnxModels.toBytes(graph), "trunc", null), "trunc");
    }

    @Test
    void fileReplacesAnOlderOneAndLeavesNothingBeside() throws IOException {
        Path file = folder.resolve("model.onnx");
        Graph first = RandomGraphs.next(new Random(1), 20);
        Graph second = RandomGraphs.next(new Random(2), 20);
        OnnxModels.write(first, file);
        Graph mapped = OnnxModels.read(file);
        OnnxModels.write(second, file);
        SameGraph.check(first, mapped, "read before the replacement");
        SameGraph.check(second, OnnxModels.read(file), "read after the replacement");
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(file), files.toList());
        }
    }

    @Test
    void equalGraphsGiveEqualBytes() {
        Graph graph = RandomGraphs.next(new Random(3), 40);
        Graph back = OnnxModels.read(OnnxModels.toBytes(graph), "again", null);
        assertArrayEquals(OnnxModels.toBytes(graph), OnnxModels.toBytes(back));
    }

    @Test
    void usualGraphsAreWrittenWithOpset17AndFourBitTypesWith21() {
        Graph usual = one(new Op.Identity(), List.of("x"), Map.of());
        assertEquals("17", opset(usual));
        Tensor weights = Tensor.of(DataType.INT4, Shape.of(3), 1, -2, 7);
        Graph narrow = one(new Op.DequantizeLinear(0), List.of("w", "s"),
                Map.of("w", weights, "s", Tensor.scalar(0.5f)));
        assertEquals("21", opset(narrow));
    }

    @Test
    void quantisedValuesAreWrittenAsNodes() {
        Graph plain = one(new Op.Identity(), List.of("x"), Map.of());
        for (int bits = 1; bits <= 8; bits++) {
            Map<String, Quantization> quantization = Map.of("y", Quantization.perTensor(0.5f, 0, bits, false));
            Graph graph = plain.withNodes(plain.nodes(), Map.of(), quantization);
            Graph back = OnnxModels.read(OnnxModels.toBytes(graph), "graph", null);
            assertEquals(bits == 4 ? "21" : "17", back.metadata().get(OnnxModels.OPSET));
            assertEquals(bits == 4 || bits == 8, back.nodes().stream()
                    .anyMatch(node -> node.op() instanceof Op.DequantizeLinear && node.output().equals("y")));
        }
    }

    @Test
    void aTargetThatCannotBeWrittenIsNamed() {
        Graph graph = one(new Op.Identity(), List.of("x"), Map.of());
        Path nowhere = folder.resolve("absent/model.onnx");
        ShrikeException e = assertThrows(ShrikeException.class, () -> OnnxModels.write(graph, nowhere));
        assertTrue(e.getMessage().contains("absent"), e.getMessage());
        e = assertThrows(ShrikeException.class, () -> OnnxModels.write(graph, folder));
        assertTrue(e.getMessage().contains("is a folder"), e.getMessage());
    }

    private static String opset(Graph graph) {
        return OnnxModels.read(OnnxModels.toBytes(graph), "graph", null).metadata().get(OnnxModels.OPSET);
    }

    private static Graph one(Op op, List<String> inputs, Map<String, Tensor> constants) {
        ValueInfo x = new ValueInfo("x", DataType.FLOAT32, Shape.of(1, Shape.OPEN));
        ValueInfo y = new ValueInfo("y", DataType.FLOAT32, Shape.of(1, Shape.OPEN));
        return new Graph("one", List.of(x), List.of(y), List.of(new Node("n", op, inputs, List.of("y"))), constants,
                Map.of(), Map.of());
    }
}
