package dev.shrike.cpu.lowering;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.cpu.RandomQuantization;
import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import dev.shrike.graph.kernels.LookupTable;
import dev.shrike.graph.quantization.IntegerWeights;
import dev.shrike.graph.quantization.QuantParams;
import dev.shrike.graph.quantization.QuantizedAdd;
import dev.shrike.graph.quantization.Requantization;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What lowered networks may hold, and what lowering makes of graphs. */
@Tag("any-processor")
class LoweredNetworkTest {
    private static final int NETWORKS = 300;
    private static final Quantization CODES = Quantization.perTensor(0.1f, 3, 8, false);
    private static final Quantization OTHER_CODES = Quantization.perTensor(0.05f, 7, 8, false);
    private static final Shape IMAGE = Shape.of(1, 2, 4, 4);
    private static final Op RELU = Op.Unary.of(Op.Unary.Kind.RELU);
    private static final Op.Conv CONV = new Op.Conv(Window.square(3, 1, 1), 1, Activation.NONE);

    // --- what a network may hold -------------------------------------------------------------------------------------

    private static LoweredTensor tensor(String name, LoweredTensor.Format format) {
        return new LoweredTensor(name, DataType.FLOAT32, IMAGE, format);
    }

    private static QuantizedConv conv(boolean dynamic, boolean toCodes) {
        IntegerWeights weights =
                new IntegerWeights(2, 2, new byte[4], new double[] {1, 1}, new int[2], 8, false);
        Requantization requantization = new Requantization(new float[] {1, 1}, new float[2], 0, 255);
        return new QuantizedConv(new ConvGeometry.Images(Window.square(1, 1, 0), 1), QuantParams.of(CODES), dynamic,
                weights, toCodes ? new Epilogue.Codes(requantization)
                        : new Epilogue.Floats(requantization, Activation.NONE));
    }

    /** A network of one node that reads floats "f", codes "c", dynamic codes "d" or a constant "k" and writes "y". */
    private static LoweredNetwork network(LoweredOp op, List<String> inputs, LoweredTensor.Format format) {
        LoweredTensor.Format floats = new LoweredTensor.Format.Floats();
        LoweredTensor.Format codes = new LoweredTensor.Format.Codes(QuantParams.of(CODES));
        Map<String, LoweredTensor> tensors = new HashMap<>();
        tensors.put("f", tensor("f", floats));
        tensors.put("c", tensor("c", codes));
        tensors.put("d", tensor("d", new LoweredTensor.Format.DynamicCodes()));
        tensors.put("y", tensor("y", format));
        List<LoweredNode> nodes = List.of(
                new LoweredNode("round", new CodesOp.Quantize(QuantParams.of(CODES)), List.of("f"), List.of("c")),
                new LoweredNode("round by range", new CodesOp.QuantizeDynamic(), List.of("f"), List.of("d")),
                new LoweredNode("node", op, inputs, List.of("y")));
        return new LoweredNetwork("one node", List.of("f"), List.of("y"), nodes, tensors,
                Map.of("k", Tensor.ofFloats(IMAGE, new float[32])));
    }

    /** An operation with what it reads and writes, a letter each as in {@link #network}. */
    private record Case(LoweredOp op, List<String> right, List<String> wrong) {
        LoweredNetwork network(String letters) {
            LoweredTensor.Format format = switch (letters.charAt(letters.length() - 1)) {
                case 'f' -> new LoweredTensor.Format.Floats();
                case 'c' -> new LoweredTensor.Format.Codes(QuantParams.of(OTHER_CODES));
                default -> new LoweredTensor.Format.DynamicCodes();
            };
            return LoweredNetworkTest.network(op,
                    letters.chars().limit(letters.length() - 1).mapToObj(Character::toString).toList(), format);
        }

        @Override
        public String toString() {
            return op.getClass().getSimpleName() + " " + right;
        }
    }

    static List<Case> cases() {
        QuantParams codes = QuantParams.of(CODES);
        return List.of(
                new Case(new LoweredOp.FloatOp(RELU), List.of("ff", "kf"), List.of("cf", "fc", "df", "kc")),
                new Case(new LoweredOp.Concat(1), List.of("fff", "ccc", "fkf"), List.of("fcc", "cfc", "ccf", "ckc")),
                new Case(new ViewOp.Reshape(), List.of("ff", "cc", "kf"), List.of("fc", "cf", "kc")),
                new Case(new ViewOp.Split(1, List.of(0L)), List.of("ff", "cc"), List.of("fc", "cf")),
                new Case(conv(false, false), List.of("cf", "cff", "ckf"), List.of("ff", "cc", "df", "ccf", "kf")),
                new Case(conv(false, true), List.of("cc", "ccc"), List.of("cf", "cfc", "fc", "dc", "ckc")),
                new Case(conv(true, false), List.of("df", "dff"), List.of("cf", "ff", "dcf", "dc")),
                new Case(new CodesOp.Lut(LookupTable.requantize(CODES, OTHER_CODES)), List.of("cc"),
                        List.of("fc", "cf", "kc")),
                new Case(new CodesOp.AddCodes(QuantizedAdd.of(CODES, CODES, CODES)), List.of("ccc"),
                        List.of("cfc", "fcc", "ccf", "ckc")),
                new Case(new CodesOp.MaxPoolCodes(Window.square(2, 2, 0)), List.of("cc"), List.of("fc", "cf", "ff")),
                new Case(new CodesOp.DepthToSpaceCodes(new Op.DepthToSpace(2, true)), List.of("cc"),
                        List.of("fc", "cf")),
                new Case(new CodesOp.ResizeCodes(new Op.Resize(Op.Resize.Mode.NEAREST,
                        Op.Resize.Coordinates.ASYMMETRIC, Op.Resize.Nearest.FLOOR), 2, 2), List.of("cc"),
                        List.of("fc", "cf")),
                new Case(new CodesOp.Quantize(codes), List.of("fc", "kc"), List.of("cc", "ff")),
                new Case(new CodesOp.Dequantize(codes), List.of("cf"), List.of("ff", "cc", "df")),
                new Case(new CodesOp.QuantizeDynamic(), List.of("fd", "kd"), List.of("fc", "ff", "cd")),
                new Case(new CodesOp.DequantizeDynamic(), List.of("df"), List.of("cf", "ff", "dc")));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void operationsReadAndWriteCodesOrFloatsAsTheyMust(Case tried) {
        for (String right : tried.right()) {
            assertDoesNotThrow(() -> tried.network(right), right);
        }
        for (String wrong : tried.wrong()) {
            String message =
                    assertThrows(IllegalArgumentException.class, () -> tried.network(wrong), wrong).getMessage();
            assertTrue(message.contains("node 'node'"), message);
        }
    }

    @Test
    void valuesAreWrittenOnceAndBeforeTheyAreRead() {
        LoweredOp relu = new LoweredOp.FloatOp(RELU);
        LoweredNetwork sound = network(relu, List.of("f"), new LoweredTensor.Format.Floats());
        List<LoweredNode> nodes = sound.nodes();
        for (LoweredNode wrong : List.of(new LoweredNode("late", relu, List.of("z"), List.of("y")),
                new LoweredNode("again", relu, List.of("f"), List.of("c")),
                new LoweredNode("untyped", relu, List.of("f"), List.of("z")),
                new LoweredNode("itself", relu, List.of("y"), List.of("y")))) {
            assertThrows(IllegalArgumentException.class, () -> new LoweredNetwork("wrong", sound.inputs(),
                    sound.outputs(), List.of(nodes.get(0), nodes.get(1), wrong), sound.tensors(), sound.constants()),
                    wrong.name());
        }
        assertThrows(IllegalArgumentException.class, () -> new LoweredNetwork("no output", sound.inputs(),
                List.of("z"), nodes, sound.tensors(), sound.constants()));
        assertThrows(IllegalArgumentException.class, () -> new LoweredNetwork("no node", sound.inputs(),
                List.of("y"), nodes.subList(0, 2), sound.tensors(), sound.constants()));
        assertThrows(IllegalArgumentException.class, () -> new LoweredNetwork("no tensor", List.of("f", "z"),
                sound.outputs(), nodes, sound.tensors(), sound.constants()));
    }

    @Test
    void convolutionsHaveAResultForEveryRow() {
        QuantizedConv sound = conv(false, true);
        Requantization one = new Requantization(new float[] {1}, new float[1], 0, 255);
        assertThrows(IllegalArgumentException.class, () -> new QuantizedConv(sound.geometry(), sound.from(), false,
                sound.weights(), new Epilogue.Codes(one)));
        assertThrows(IllegalArgumentException.class, () -> conv(true, true));
    }

    // --- what lowering makes -----------------------------------------------------------------------------------------

    @Test
    void randomNetworksHaveEveryKindOfOperation() {
        long first = Long.getLong("shrike.seed", System.nanoTime() & 0xffffff);
        Set<String> seen = new TreeSet<>();
        for (long seed = first; seed < first + NETWORKS; seed++) {
            Random random = new Random(seed);
            Graph graph = seed % 3 > 0 ? RandomQuantization.network(random)
                    : RandomQuantization.dynamicNetwork(random);
            LoweredNetwork network = assertDoesNotThrow(() -> QuantizedLowering.lower(graph), "shrike.seed " + seed);
            for (LoweredNode node : network.nodes()) {
                seen.add(node.op().getClass().getSimpleName());
                if (node.op() instanceof QuantizedConv conv) {
                    seen.add(conv.epilogue().getClass().getSimpleName());
                }
            }
        }
        assertTrue(seen.containsAll(Set.of("FloatOp", "Concat", "Split", "Lut", "AddCodes", "MaxPoolCodes",
                "ResizeCodes", "Quantize", "Dequantize", "QuantizeDynamic", "QuantizedConv", "Floats",
                "Codes", "Activated")), () -> "only " + seen);
    }

    private static Graph graph(List<Node> nodes, List<String> outputs, Map<String, Quantization> quantization) {
        Map<String, Quantization> all = new HashMap<>(quantization);
        all.put("w", Quantization.perTensor(0.1f, 0, 8, true));
        long[] weights = new Random(1).longs(36, -128, 128).toArray();
        return new Graph("small", List.of(new ValueInfo("x", DataType.FLOAT32, IMAGE)),
                outputs.stream().map(name -> new ValueInfo(name, DataType.FLOAT32, IMAGE)).toList(), nodes,
                Map.of("w", Tensor.of(DataType.INT8, Shape.of(2, 2, 3, 3), weights)), all, Map.of());
    }

    private static List<String> kinds(LoweredNetwork network) {
        return network.nodes().stream().map(node -> node.op().getClass().getSimpleName()).toList();
    }

    @Test
    void convolutionsTakeInTheFunctionAndTheSumBehindThem() {
        List<Node> nodes = List.of(new Node("a", CONV, List.of("x", "w"), List.of("a")),
                new Node("b", Op.Unary.of(Op.Unary.Kind.TANH), List.of("a"), List.of("b")),
                new Node("c", new Op.Binary(Op.Binary.Kind.ADD), List.of("b", "x"), List.of("c")));
        LoweredNetwork network = QuantizedLowering.lower(graph(nodes, List.of("c"),
                Map.of("x", CODES, "a", OTHER_CODES, "b", CODES, "c", OTHER_CODES)));
        assertEquals(List.of("Quantize", "QuantizedConv", "Dequantize"), kinds(network));
        LoweredNode node = network.nodes().get(1);
        assertEquals(List.of("x/codes", "x/codes"), node.inputs());
        Epilogue.Codes epilogue = (Epilogue.Codes) ((QuantizedConv) node.op()).epilogue();
        assertEquals(QuantizedAdd.of(CODES, CODES, OTHER_CODES), epilogue.sum());
        assertEquals(LookupTable.of((Op.Unary) nodes.get(1).op(), OTHER_CODES, CODES).get(200),
                epilogue.table().get(200));
        assertEquals(new LoweredTensor.Format.Codes(QuantParams.of(OTHER_CODES)),
                network.tensors().get(node.output()).format());
        assertEquals(Set.of(), network.constants().keySet());
    }

    /** Codes of an output that an operator on floats reads, too, become floats by one step for both. */
    @Test
    void floatsOfCodesAreMadeOnce() {
        List<Node> nodes = List.of(new Node("a", CONV, List.of("x", "w"), List.of("a")),
                new Node("s", new Op.Softmax(1), List.of("a"), List.of("s")),
                new Node("t", new Op.Softmax(2), List.of("a"), List.of("t")));
        LoweredNetwork network = QuantizedLowering.lower(graph(nodes, List.of("a", "s", "t"),
                Map.of("x", CODES, "a", OTHER_CODES)));
        assertEquals(List.of("Quantize", "QuantizedConv", "Dequantize", "FloatOp", "FloatOp"), kinds(network));
        assertEquals(List.of("a"), network.nodes().get(3).inputs());
    }

    /** The same floats rounded by their range twice have the same codes. */
    @Test
    void floatsAreRoundedByTheirRangeOnce() {
        List<Node> nodes = List.of(new Node("r", new Op.DynamicQuant(), List.of("x"), List.of("r")),
                new Node("s", new Op.DynamicQuant(), List.of("x"), List.of("s")),
                new Node("a", CONV, List.of("r", "w"), List.of("a")),
                new Node("b", CONV, List.of("s", "w"), List.of("b")),
                new Node("c", new Op.Softmax(1), List.of("s"), List.of("c")));
        LoweredNetwork network = QuantizedLowering.lower(graph(nodes, List.of("a", "b", "c"), Map.of()));
        assertEquals(List.of("QuantizeDynamic", "QuantizedConv", "QuantizedConv", "DequantizeDynamic", "FloatOp"),
                kinds(network));
        assertEquals(network.nodes().get(1).inputs(), network.nodes().get(2).inputs());
    }

    @Test
    void boundsOfViewsArePartOfThem() {
        Map<String, Tensor> constants = Map.of("starts", Tensor.vector(-1, 5), "ends", Tensor.vector(-9, 9),
                "axes", Tensor.vector(2, -1), "steps", Tensor.vector(-1, 1), "sizes", Tensor.vector(1, 1));
        Graph graph = new Graph("views", List.of(new ValueInfo("x", DataType.FLOAT32, Shape.of(1, 2, 4, 8))),
                List.of(new ValueInfo("z", DataType.FLOAT32, Shape.of(3, 4, 1, 1))),
                List.of(new Node("cut", new Op.Slice(), List.of("x", "starts", "ends", "axes", "steps"), List.of("y")),
                        new Node("parts", new Op.Split(-3), List.of("y", "sizes"), List.of("", "p")),
                        new Node("turn", new Op.Transpose(List.of()), List.of("p"), List.of("z"))),
                constants, Map.of(), Map.of());
        LoweredNetwork network = QuantizedLowering.lower(graph);
        assertEquals(List.of(
                new ViewOp.Slice(List.of(new ViewOp.Cut(2, 3, -1), new ViewOp.Cut(3, 5, 1))),
                new ViewOp.Split(1, List.of(0L, 1L)),
                new ViewOp.Transpose(List.of(3, 2, 1, 0))),
                network.nodes().stream().map(LoweredNode::op).toList());
        assertTrue(network.constants().isEmpty(), network.constants().toString());
        assertEquals(Set.of("x", "y", "p", "z"), network.tensors().keySet());
    }
}
