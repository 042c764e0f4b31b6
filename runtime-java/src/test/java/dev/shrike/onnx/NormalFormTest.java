package dev.shrike.onnx;

import static dev.shrike.onnx.TestModels.floating;
import static dev.shrike.onnx.TestModels.floats;
import static dev.shrike.onnx.TestModels.integer;
import static dev.shrike.onnx.TestModels.integers;
import static dev.shrike.onnx.TestModels.longs;
import static dev.shrike.onnx.TestModels.model;
import static dev.shrike.onnx.TestModels.node;
import static dev.shrike.onnx.TestModels.single;
import static dev.shrike.onnx.TestModels.tensor;
import static dev.shrike.onnx.TestModels.text;
import static dev.shrike.onnx.TestModels.typed;
import static dev.shrike.onnx.TestModels.value;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import dev.shrike.onnx.proto.Onnx.AttributeProto;
import dev.shrike.onnx.proto.Onnx.ModelProto;
import dev.shrike.onnx.proto.Onnx.NodeProto;
import dev.shrike.onnx.proto.Onnx.StringStringEntryProto;
import dev.shrike.onnx.proto.Onnx.TensorProto;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whatever the opset and the encoding, the graph has one form. */
class NormalFormTest {
    @Test
    void axesBecomeAnInput() {
        for (String opType : List.of("Squeeze", "Unsqueeze", "ReduceSum", "ReduceMean")) {
            Graph graph = read(single(11, node(opType, List.of("x"), "y").addAttribute(integers("axes", 2L, 3L))));
            assertArrayEquals(new long[] {2, 3}, constant(graph, 1).toLongs(), opType);
        }
    }

    @Test
    void sizesOfSplitBecomeAnInput() {
        Graph graph = read(single(12, node("Split", List.of("x"), "y", "z")
                .addAttribute(integers("split", 1L, 3L))
                .addAttribute(integer("axis", 1))));
        assertEquals(new Op.Split(1), graph.nodes().getFirst().op());
        assertArrayEquals(new long[] {1, 3}, constant(graph, 1).toLongs());
    }

    @Test
    void attributesOfOpset9BecomeInputs() {
        Graph clip = read(single(9, node("Clip", List.of("x"), "y").addAttribute(floating("max", 6))));
        assertFalse(clip.nodes().getFirst().hasInput(1));
        assertEquals(6, constant(clip, 2).floatAt(0));
        Graph pad = read(single(9, node("Pad", List.of("x"), "y")
                .addAttribute(integers("pads", 0L, 0L, 1L, 1L, 0L, 0L, 2L, 2L))
                .addAttribute(floating("value", 7))));
        assertEquals(8, constant(pad, 1).elements());
        assertEquals(7, constant(pad, 2).floatAt(0));
        Graph slice = read(single(9, node("Slice", List.of("x"), "y")
                .addAttribute(integers("starts", 1L))
                .addAttribute(integers("ends", 3L))
                .addAttribute(integers("axes", 2L))));
        assertEquals(3, constant(slice, 2).longAt(0));
        assertEquals(2, constant(slice, 3).longAt(0));
        Graph up = read(single(9, node("Upsample", List.of("x", "s"), "y"), floats("s", new long[] {4}, 1, 1, 2, 2)));
        assertEquals(new Op.Resize(Op.Resize.Mode.NEAREST, Op.Resize.Coordinates.ASYMMETRIC, Op.Resize.Nearest.FLOOR),
                up.nodes().getFirst().op());
        assertEquals(List.of("x", "", "s"), up.nodes().getFirst().inputs());
    }

    @Test
    void resizeHasNoRegionAndOneOfScalesAndSizes() {
        NodeProto.Builder resize = node("Resize", List.of("x", "none", "none", "sizes"), "y")
                .addAttribute(text("coordinate_transformation_mode", "asymmetric"))
                .addAttribute(text("nearest_mode", "floor"));
        Graph graph = read(single(13, resize, typed("none", 1, 0).build(), longs("sizes", 1L, 4L, 16L, 16L)));
        assertEquals(List.of("x", "", "", "sizes"), graph.nodes().getFirst().inputs());
        NodeProto.Builder axes = node("Resize", List.of("x", "", "s"), "y").addAttribute(integers("axes", 2L, -1L));
        Graph spread = read(single(18, axes, floats("s", new long[] {2}, 2, 3)));
        assertArrayEquals(new float[] {1, 1, 2, 3}, constant(spread, 2).toFloats());
    }

    @Test
    void oldSoftmaxFlattensUnlessItsAxisIsTheLast() {
        assertEquals(List.of(new Op.Softmax(3)),
                ops(read(single(11, node("Softmax", List.of("x"), "y").addAttribute(integer("axis", 3))))));
        assertEquals(List.of(new Op.ShapeOf(0, Integer.MAX_VALUE), new Op.Flatten(1), new Op.Softmax(1),
                new Op.Reshape(true)), ops(read(single(11, node("Softmax", List.of("x"), "y")))));
        assertEquals(List.of(new Op.Softmax(-1)), ops(read(single(13, node("Softmax", List.of("x"), "y")))));
    }

    @Test
    void manyInputsBecomeAChain() {
        Graph graph = read(single(13, node("Max", List.of("x", "x", "x"), "y")));
        Op max = new Op.Binary(Op.Binary.Kind.MAX);
        assertEquals(List.of(max, max), ops(graph));
        assertEquals(List.of(new Op.Identity()), ops(read(single(13, node("Sum", List.of("x"), "y")))));
    }

    @Test
    void dropoutIsTheIdentity() {
        NodeProto.Builder dropout = node("Dropout", List.of("x", "r"), "y", "mask");
        Graph graph = read(single(13, dropout, floats("r", new long[0], 0.5f)));
        assertEquals(List.of(new Op.Identity()), ops(graph));
        assertEquals(List.of("y"), graph.nodes().getFirst().outputs());
        assertEquals(List.of("x"), graph.nodes().getFirst().inputs());
    }

    @Test
    void convolutionTakesItsWindowFromTheWeightsThroughQuantisers() {
        TensorProto weights = typed("w", 3, 2, 4, 3, 5).setRawData(ByteString.copyFrom(new byte[120])).build();
        Graph graph = read(model(13, g -> g
                .addNode(node("DequantizeLinear", List.of("w", "s"), "wf").clearName())
                .addNode(node("Conv", List.of("x", "wf"), "y").clearName()
                        .addAttribute(text("auto_pad", "SAME_UPPER")))
                .addInitializer(weights)
                .addInitializer(floats("s", new long[0], 0.5f))));
        Op.Conv conv = (Op.Conv) graph.nodes().get(1).op();
        assertEquals(3, conv.window().kernelHeight());
        assertEquals(5, conv.window().kernelWidth());
        assertEquals(Window.AutoPad.SAME_UPPER, conv.window().autoPad());
        assertEquals(List.of("DequantizeLinear_0", "Conv_1"), graph.nodes().stream().map(Node::name).toList());
    }

    @Test
    void quantiserTakesItsTypeFromTheZeroPoint() {
        TensorProto zero = typed("z", 22, new long[0]).addInt32Data(3).build();
        NodeProto.Builder quantize = node("QuantizeLinear", List.of("x", "s", "z"), "y");
        Graph graph = read(single(21, quantize, floats("s", new long[0], 0.5f), zero));
        assertEquals(new Op.QuantizeLinear(1, DataType.INT4), graph.nodes().getFirst().op());
        Graph without = read(single(10, node("QuantizeLinear", List.of("x", "s"), "y"),
                floats("s", new long[0], 0.5f)));
        assertEquals(new Op.QuantizeLinear(1, DataType.UINT8), without.nodes().getFirst().op());
    }

    @Test
    void qonnxOperatorsInAllTheirDomains() {
        for (String domain : List.of("onnx.brevitas", "qonnx.custom_op.general", "finn.custom_op.general")) {
            NodeProto.Builder quant = node("Quant", List.of("x", "s", "z", "b"), "y").setDomain(domain)
                    .addAttribute(integer("signed", 0))
                    .addAttribute(integer("narrow", 1))
                    .addAttribute(text("rounding_mode", "FLOOR"));
            Graph graph = read(single(13, quant, floats("s", new long[0], 1), floats("z", new long[0], 0),
                    floats("b", new long[0], 4)));
            assertEquals(new Op.Quant(false, true, "FLOOR"), graph.nodes().getFirst().op(), domain);
        }
    }

    @Test
    void constantNodesBecomeConstants() {
        Graph graph = read(model(13, g -> g
                .addNode(constant("a", tensor("value", floats("", new long[] {2}, 1, 2))))
                .addNode(constant("b", floating("value_float", 2.5f)))
                .addNode(constant("c", integer("value_int", 1L << 40)))
                .addNode(constant("d", integers("value_ints", 4L, 5L)))
                .addNode(constant("e", AttributeProto.newBuilder().setName("value_floats")
                        .setType(AttributeProto.Type.FLOATS).addFloats(3)))
                .addNode(node("Relu", List.of("x"), "y"))));
        assertEquals(1, graph.nodes().size());
        assertArrayEquals(new float[] {1, 2}, graph.constants().get("a").toFloats());
        assertEquals(Shape.of(), graph.constants().get("b").shape());
        assertEquals(1L << 40, graph.constants().get("c").longAt(0));
        assertArrayEquals(new long[] {4, 5}, graph.constants().get("d").toLongs());
        assertEquals(3, graph.constants().get("e").floatAt(0));
    }

    @Test
    void initialisersAmongTheInputsAreConstants() {
        Graph graph = read(model(9, g -> g
                .addInput(value("w", 1, 1))
                .addInitializer(floats("w", new long[] {1}, 3))
                .addNode(node("Add", List.of("x", "w"), "y"))));
        assertEquals(List.of("x"), graph.inputs().stream().map(input -> input.name()).toList());
        assertTrue(graph.constants().containsKey("w"));
    }

    @Test
    void nodesAreSorted() {
        Graph graph = read(model(13, g -> g
                .addNode(node("Relu", List.of("a"), "y").setName("second"))
                .addNode(node("Neg", List.of("x"), "a").setName("first"))));
        assertEquals(List.of("first", "second"), graph.nodes().stream().map(Node::name).toList());
    }

    @Test
    void openDimensionsAndMetadata() {
        ModelProto.Builder model = single(13, node("Relu", List.of("x"), "y"))
                .addMetadataProps(StringStringEntryProto.newBuilder().setKey("names").setValue("{0: 'x'}"));
        model.getGraphBuilder().setInput(0, value("x", 10, 1, -1, 0));
        Graph graph = read(model);
        assertEquals(Shape.of(1, Shape.OPEN, 0), graph.inputs().getFirst().shape());
        assertEquals(DataType.FLOAT16, graph.inputs().getFirst().type());
        assertEquals("{0: 'x'}", graph.metadata().get("names"));
        assertEquals("13", graph.metadata().get(OnnxModels.OPSET));
        assertEquals("8", graph.metadata().get(OnnxModels.IR_VERSION));
        assertEquals("test", graph.metadata().get(OnnxModels.PRODUCER));
    }

    @Test
    void everyEncodingOfATensor() {
        assertArrayEquals(new double[] {1.5, -2}, values(typed("t", 1, 2).addFloatData(1.5f).addFloatData(-2)));
        assertArrayEquals(new double[] {1.5, -2}, values(typed("t", 11, 2).addDoubleData(1.5).addDoubleData(-2)));
        assertArrayEquals(new double[] {1.5, -2}, values(typed("t", 10, 2).addInt32Data(0x3e00).addInt32Data(0xc000)));
        assertArrayEquals(new double[] {7, -8}, values(typed("t", 7, 2).addInt64Data(7).addInt64Data(-8)));
        for (int type : new int[] {3, 5, 6}) {
            assertArrayEquals(new double[] {7, -8}, values(typed("t", type, 2).addInt32Data(7).addInt32Data(-8)));
        }
        assertArrayEquals(new double[] {7, 255}, values(typed("t", 2, 2).addInt32Data(7).addInt32Data(255)));
        assertArrayEquals(new double[] {7, 65535}, values(typed("t", 4, 2).addInt32Data(7).addInt32Data(65535)));
        assertArrayEquals(new double[] {1, 0}, values(typed("t", 9, 2).addInt32Data(1).addInt32Data(0)));
        assertArrayEquals(new double[] {-1, 2, 7}, values(typed("t", 22, 3).addInt32Data(0x2f).addInt32Data(7)));
        assertArrayEquals(new double[] {15, 2, 7}, values(typed("t", 21, 3).addInt32Data(0x2f).addInt32Data(7)));
        assertArrayEquals(new double[] {-1, 2, 7},
                values(typed("t", 22, 3).setRawData(ByteString.copyFrom(new byte[] {0x2f, 7}))));
    }

    @Test
    void externalDataIsFoundBesideTheModel(@TempDir Path folder) throws IOException {
        ByteBuffer data = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
        data.putFloat(8, 1.5f).putFloat(12, 2.5f);
        Files.createDirectory(folder.resolve("weights"));
        Files.write(folder.resolve("weights/all.bin"), data.array());
        TensorProto w = typed("w", 1, 2).setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addExternalData(StringStringEntryProto.newBuilder().setKey("location").setValue("weights/all.bin"))
                .addExternalData(StringStringEntryProto.newBuilder().setKey("offset").setValue("8"))
                .addExternalData(StringStringEntryProto.newBuilder().setKey("length").setValue("8"))
                .build();
        Path file = Files.write(folder.resolve("model.onnx"),
                single(13, node("Add", List.of("x", "w"), "y"), w).build().toByteArray());
        assertArrayEquals(new float[] {1.5f, 2.5f}, OnnxModels.read(file).constants().get("w").toFloats());
    }

    private static double[] values(TensorProto.Builder tensor) {
        Graph graph = read(single(21, node("Identity", List.of("t"), "y"), tensor.build()));
        Tensor read = graph.constants().get("t");
        double[] values = new double[(int) read.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = read.doubleAt(i);
        }
        return values;
    }

    private static NodeProto.Builder constant(String output, AttributeProto.Builder value) {
        return NodeProto.newBuilder().setOpType("Constant").addOutput(output).addAttribute(value);
    }

    private static Graph read(ModelProto.Builder model) {
        return OnnxModels.read(model.build().toByteArray(), "test.onnx", null);
    }

    private static Tensor constant(Graph graph, int input) {
        return graph.constants().get(graph.nodes().getLast().input(input));
    }

    private static List<Op> ops(Graph graph) {
        return graph.nodes().stream().map(Node::op).toList();
    }
}
