package dev.shrike.graph.evaluation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.MixedStatistics;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.graph.passes.ImportQuantization;
import dev.shrike.graph.quantization.IntegerWeights;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.testing.SharedFolder;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Low-bit networks from other people's tools give the results of those tools. */
class QonnxReferenceTest {
    private static final Pattern SHAPE = Pattern.compile("'descr': '<f4'.*'shape': \\(([^)]*)\\)");

    @ParameterizedTest
    @ValueSource(
            strings = {"zoo_TFC_1W1A", "zoo_TFC_2W2A", "zoo_kwsmlp_w3a3", "qonnx_bsd300x3-espcn_nn_resize_quant_model",
                    "qonnx_bsd300x3-espcn_subpixel_quant_model"})
    void equalsTheReference(String name) throws IOException {
        Graph graph = OnnxModels.read(SharedFolder.file("models/" + name + ".onnx"));
        Tensor input = read(SharedFolder.file("reference/qonnx/" + name + "-in.npy"));
        Tensor expected = read(SharedFolder.file("reference/qonnx/" + name + "-out.npy"));
        Map<String, Tensor> inputs = Map.of(graph.inputs().getFirst().name(), input);
        String output = graph.outputs().getFirst().name();

        Graph asReference = new MixedStatistics().apply(graph);
        Tensor found = ReferenceEvaluator.run(asReference, inputs, Set.of(output)).get(output);
        // A value on the edge between two codes may round either way; it then moves the pixels around it a little.
        assertMostlyClose(expected, found, name);

        Graph prepared = GraphPasses.forInference(graph, Map.of(graph.inputs().getFirst().name(), input.shape()));
        Tensor plain = ReferenceEvaluator.run(graph, inputs, Set.of(output)).get(output);
        Tensor fused = ReferenceEvaluator.run(prepared, inputs, Set.of(output)).get(output);
        assertMostlyClose(plain, fused, name + " prepared");

        IntegerEvaluator.Values codes = IntegerEvaluator.run(prepared, inputs, Set.of(output));
        assertMostlyClose(fused, codes.floats().get(output), name + " in codes");
        assertProductsOfCodes(prepared);

        // With the statistics that the reference mixes in, what is left of the network still computes with codes.
        Graph mixed = GraphPasses.forInference(asReference, Map.of(graph.inputs().getFirst().name(), input.shape()));
        Tensor integer = IntegerEvaluator.run(mixed, inputs, Set.of(output)).floats().get(output);
        assertMostlyClose(expected, integer, name + " in codes, as the reference");
    }

    /** Nothing that quantises is left; every product that reads a quantised value has weights of codes. */
    private static void assertProductsOfCodes(Graph graph) {
        long products = graph.nodes().stream().filter(node -> IntegerWeights.isIntegerProduct(graph, node)).count();
        assertTrue(products >= 3, GraphBuilder.counts(graph).toString());
        for (Node node : graph.nodes()) {
            assertFalse(ImportQuantization.isQuantizer(node.op()), node.name());
            assertFalse(node.op() instanceof Op.Transpose, node.name());
            assertTrue(!graph.quantization().containsKey(node.input(1))
                    || IntegerWeights.isIntegerProduct(graph, node), node.name());
        }
    }

    private static void assertMostlyClose(Tensor expected, Tensor found, String what) {
        assertEquals(expected.shape(), found.shape(), what);
        long off = 0;
        for (long i = 0; i < expected.elements(); i++) {
            off += Math.abs(expected.doubleAt(i) - found.doubleAt(i)) > 1e-4 ? 1 : 0;
        }
        assertTrue(off * 1000 <= expected.elements(), what + ": " + off + " of " + expected.elements() + " differ");
    }

    /** A float32 array as NumPy saves it: magic, version, length of the header, header, data. */
    private static Tensor read(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        int headerLength = bytes.getShort(8);
        String header = new String(bytes.array(), 10, headerLength, StandardCharsets.US_ASCII);
        Matcher matcher = SHAPE.matcher(header);
        if (!matcher.find()) {
            throw new IOException(file + " has header " + header);
        }
        long[] dims = Arrays.stream(matcher.group(1).split(",")).map(String::strip).filter(s -> !s.isEmpty())
                .mapToLong(Long::parseLong).toArray();
        bytes.position(10 + headerLength);
        float[] values = new float[bytes.remaining() / 4];
        bytes.slice().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(values);
        return Tensor.ofFloats(Shape.of(dims), values);
    }
}
