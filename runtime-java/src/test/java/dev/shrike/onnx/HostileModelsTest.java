package dev.shrike.onnx;

import static dev.shrike.onnx.TestModels.floats;
import static dev.shrike.onnx.TestModels.integer;
import static dev.shrike.onnx.TestModels.integers;
import static dev.shrike.onnx.TestModels.model;
import static dev.shrike.onnx.TestModels.node;
import static dev.shrike.onnx.TestModels.single;
import static dev.shrike.onnx.TestModels.text;
import static dev.shrike.onnx.TestModels.typed;
import static dev.shrike.onnx.TestModels.value;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.ByteString;
import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.onnx.proto.Onnx.AttributeProto;
import dev.shrike.onnx.proto.Onnx.GraphProto;
import dev.shrike.onnx.proto.Onnx.ModelProto;
import dev.shrike.onnx.proto.Onnx.StringStringEntryProto;
import dev.shrike.onnx.proto.Onnx.TensorProto;
import dev.shrike.onnx.proto.Onnx.TypeProto;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Broken and hostile models, each with the words that its message must hold. -Dshrike.messages=true prints them. */
class HostileModelsTest {
    private static final long[] WEIGHT_DIMS = {2, 4, 1, 1};

    @TempDir
    Path folder;

    @Test
    void missingFile() {
        refused(ModelException.class, folder.resolve("none.onnx"), "none.onnx", "does not exist");
    }

    @Test
    void folderInsteadOfFile() {
        refused(ModelException.class, folder, "is a folder");
    }

    @Test
    void emptyFile() throws IOException {
        refused(ModelException.class, file(new byte[0]), "model.onnx", "empty");
    }

    @Test
    void unreadableFile() throws IOException {
        Path file = file(sound().toByteArray());
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("---------"));
        Assumptions.assumeFalse(Files.isReadable(file), "skipped: this user may read every file");
        refused(ModelException.class, file, "cannot be read", "permissions");
    }

    @Test
    void deviceInsteadOfFile() {
        Path device = Path.of("/dev/zero");
        Assumptions.assumeTrue(Files.exists(device), "skipped: no /dev/zero");
        refused(ModelException.class, device, "not a regular file");
    }

    @Test
    void everyTruncation() {
        Graph graph = RandomGraphs.next(new Random(5), 30);
        byte[] whole = OnnxModels.toBytes(graph);
        int read = 0;
        for (int length = 0; length < whole.length; length++) {
            // Only what follows the graph, metadata and versions of custom operators, may be missing.
            try {
                Graph rest = OnnxModels.read(Arrays.copyOf(whole, length), "cut", null);
                assertEquals(graph.nodes().size(), rest.nodes().size(), "cut at " + length);
                read++;
            } catch (ShrikeException e) {
                assertTrue(e.getMessage().startsWith("cut: "), e.getMessage());
            }
        }
        assertTrue(read <= 3, read + " truncations went unnoticed");
        refused(ModelException.class, Arrays.copyOf(whole, whole.length / 2), "cut off", "of " + whole.length / 2);
    }

    @Test
    void image() {
        byte[] jpeg = {(byte) 0xff, (byte) 0xd8, (byte) 0xff, (byte) 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1};
        refused(ModelException.class, jpeg, "not an ONNX model", "image");
    }

    @Test
    void plainText() {
        refused(ModelException.class, "404: Not Found\n".getBytes(StandardCharsets.US_ASCII), "not an ONNX", "text");
    }

    @Test
    void checkpoint() {
        byte[] zip = {'P', 'K', 3, 4, 0, 0, 8, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
        refused(ModelException.class, zip, "zip archive", "yolo export");
    }

    @Test
    void pointerOfGitLfs() {
        byte[] pointer = "version https://git-lfs.github.com/spec/v1\noid".getBytes(StandardCharsets.US_ASCII);
        refused(ModelException.class, pointer, "git lfs pull");
    }

    @Test
    void noGraph() {
        refused(ModelException.class, ModelProto.newBuilder().setIrVersion(8), "holds no graph");
    }

    @Test
    void noOutputs() {
        refused(ModelException.class, model(17, GraphProto.Builder::clearOutput), "no outputs");
    }

    @Test
    void tooOldOpset() {
        refused(UnsupportedModelException.class, single(8, node("Relu", List.of("x"), "y")), "opset 8", "export");
    }

    @Test
    void tooNewOpset() {
        refused(UnsupportedModelException.class, single(99, node("Relu", List.of("x"), "y")), "opset 99", "export");
    }

    @Test
    void cycle() {
        refused(ModelException.class, model(17, graph -> graph
                .addNode(node("Add", List.of("x", "c"), "a").setName("first"))
                .addNode(node("Relu", List.of("a"), "b").setName("second"))
                .addNode(node("Neg", List.of("b"), "c").setName("third"))
                .addNode(node("Identity", List.of("c"), "y").setName("behind"))),
                "cycle", "'first'", "'second'", "'third'");
    }

    @Test
    void nodeThatReadsItself() {
        refused(ModelException.class, single(17, node("Add", List.of("x", "y"), "y")), "cycle",
                "'the node' reads 'the");
    }

    @Test
    void missingValue() {
        refused(ModelException.class, single(17, node("Add", List.of("x", "ghost"), "y")), "'the node'", "'ghost'");
    }

    @Test
    void outputThatNobodyWrites() {
        refused(ModelException.class, single(17, node("Relu", List.of("x"), "z")), "output 'y'");
    }

    @Test
    void valueWrittenTwice() {
        refused(ModelException.class, model(17, graph -> graph
                .addNode(node("Relu", List.of("x"), "y").setName("one"))
                .addNode(node("Neg", List.of("x"), "y").setName("two"))), "'two'", "'y'");
    }

    @Test
    void constantGivenTwice() {
        TensorProto w = floats("w", new long[0], 1);
        refused(ModelException.class, single(17, node("Add", List.of("x", "w"), "y"), w, w), "'w' is given twice");
    }

    @Test
    void inputGivenTwice() {
        refused(ModelException.class, model(17, graph -> graph
                .addInput(value("x", 1, 1))
                .addNode(node("Relu", List.of("x"), "y"))), "input 'x' is given twice");
    }

    @Test
    void attributeGivenTwice() {
        refused(ModelException.class, single(17, node("Softmax", List.of("x"), "y")
                .addAttribute(integer("axis", 1))
                .addAttribute(integer("axis", 2))), "'axis' is given twice");
    }

    @Test
    void attributeOfTheWrongType() {
        refused(ModelException.class, single(17, node("Softmax", List.of("x"), "y").addAttribute(text("axis", "1"))),
                "'the node' (Softmax)", "'axis' is of type STRING, must be INT");
    }

    @Test
    void attributeBeyond32Bits() {
        refused(ModelException.class, single(17, node("Softmax", List.of("x"), "y")
                .addAttribute(integer("axis", 1L << 40))), "'axis'", "32 bits");
    }

    @Test
    void unknownAttribute() {
        refused(UnsupportedModelException.class, single(17, node("Relu", List.of("x"), "y")
                .addAttribute(integer("leak", 1))), "'leak'", "'the node'");
    }

    @Test
    void unknownOperator() {
        refused(UnsupportedModelException.class, single(17, node("ConvTranspose", List.of("x", "x"), "y")),
                "'the node' (ConvTranspose)");
    }

    @Test
    void unknownDomain() {
        refused(UnsupportedModelException.class, single(17, node("Relu", List.of("x"), "y").setDomain("acme")),
                "acme.Relu");
    }

    @Test
    void negativeInputDimension() {
        ModelProto.Builder model = single(17, node("Relu", List.of("x"), "y"));
        model.getGraphBuilder().getInputBuilder(0).getTypeBuilder().getTensorTypeBuilder().getShapeBuilder()
                .getDimBuilder(2).setDimValue(-7);
        refused(ModelException.class, model, "input 'x'", "negative dimension -7");
    }

    @Test
    void overflowingInputDimensions() {
        refused(ModelException.class, model(17, graph -> graph.setInput(0, value("x", 1, 1L << 40, 1L << 40))
                .addNode(node("Relu", List.of("x"), "y"))), "input 'x'", "overflows");
    }

    @Test
    void inputWithoutShape() {
        ModelProto.Builder model = single(17, node("Relu", List.of("x"), "y"));
        model.getGraphBuilder().getInputBuilder(0).getTypeBuilder().getTensorTypeBuilder().clearShape();
        refused(ModelException.class, model, "input 'x' has no shape", "infer_shapes");
    }

    @Test
    void inputThatIsNoTensor() {
        ModelProto.Builder model = single(17, node("Relu", List.of("x"), "y"));
        model.getGraphBuilder().getInputBuilder(0).setType(TypeProto.newBuilder());
        refused(UnsupportedModelException.class, model, "input 'x'", "tensor");
    }

    @Test
    void negativeTensorDimension() {
        refused(ModelException.class, weights(typed("w", 1, 2, -4, 1, 1)), "'w'", "negative dimension -4");
    }

    @Test
    void overflowingTensorDimensions() {
        refused(ModelException.class, weights(typed("w", 1, 1L << 33, 1L << 33, 1, 1)), "'w'", "overflows");
    }

    @Test
    void hugeDeclaredTensorIsNotAllocated() {
        refused(ModelException.class, weights(typed("w", 1, 1L << 30, 1L << 20, 1, 1)), "'w'", "values of float_data");
    }

    @Test
    void hugeDeclaredLengthIsNotAllocated() {
        // Field 7 (graph) of 2^31 - 16 bytes, of which three are there.
        byte[] bytes = {0x3a, (byte) 0xf0, (byte) 0xff, (byte) 0xff, (byte) 0xff, 0x07, 0x0a, 0x01, 0x00};
        refused(ModelException.class, bytes, "at byte", "of 9");
    }

    @Test
    void rawDataOfTheWrongSize() {
        refused(ModelException.class, weights(typed("w", 1, WEIGHT_DIMS).setRawData(ByteString.copyFrom(new byte[31]))),
                "'w'", "needs 32 bytes of raw_data", "holds 31");
    }

    @Test
    void typedDataOfTheWrongSize() {
        refused(ModelException.class, weights(typed("w", 1, WEIGHT_DIMS).addFloatData(1)), "'w'", "needs 8", "holds 1");
    }

    @Test
    void tensorWithoutData() {
        refused(ModelException.class, weights(typed("w", 1, WEIGHT_DIMS)), "'w'", "holds 0");
    }

    @Test
    void millionsOfDimensions() {
        refused(ModelException.class, weights(typed("w", 1, new long[1_000_000])), "'w' has 1000000 dimensions");
    }

    @Test
    void manyNodesOfOneName() {
        ModelProto.Builder model = model(17, graph -> {
            for (int i = 0; i < 50_000; i++) {
                graph.addNode(node("Relu", List.of("x"), i == 0 ? "y" : "y" + i).setName("same"));
            }
        });
        Graph graph = OnnxModels.read(model.build().toByteArray(), "many", null);
        assertEquals(50_000, graph.nodes().stream().map(n -> n.name()).distinct().count());
    }

    @Test
    void undefinedElementType() {
        refused(ModelException.class, weights(typed("w", 77, WEIGHT_DIMS)), "'w'", "77");
    }

    @Test
    void unsupportedElementType() {
        refused(UnsupportedModelException.class, weights(typed("w", 16, WEIGHT_DIMS)), "'w'", "BFLOAT16");
    }

    @Test
    void nanWeights() {
        refused(ModelException.class, weights(floats("w", WEIGHT_DIMS, 1, 2, 3, Float.NaN, 5, 6, 7, 8).toBuilder()),
                "'w'", "NaN at element 3");
    }

    @Test
    void infiniteWeights() {
        refused(ModelException.class,
                weights(floats("w", WEIGHT_DIMS, 1, 2, 3, 4, 5, 6, 7, Float.NEGATIVE_INFINITY).toBuilder()),
                "'w'", "-Infinity at element 7");
    }

    @Test
    void nanWeightsInHalfPrecision() {
        TensorProto.Builder half = typed("w", 10, WEIGHT_DIMS);
        for (int i = 0; i < 8; i++) {
            half.addInt32Data(i == 5 ? 0x7e00 : 0x3c00);
        }
        refused(ModelException.class, weights(half), "'w'", "NaN at element 5");
    }

    @Test
    void infinityIsFineAsABound() {
        ModelProto.Builder model = single(17, node("Clip", List.of("x", "", "top"), "y"),
                floats("top", new long[0], Float.POSITIVE_INFINITY));
        Graph graph = OnnxModels.read(model.build().toByteArray(), "bound", null);
        assertEquals(Float.POSITIVE_INFINITY, graph.constants().get("top").floatAt(0));
    }

    @Test
    void windowsWithoutExtent() {
        refused(ModelException.class, single(17, node("MaxPool", List.of("x"), "y")
                .addAttribute(integers("kernel_shape", 0L, 3L))), "'the node' (MaxPool)", "kernel 0x3");
        refused(ModelException.class, single(17, node("MaxPool", List.of("x"), "y")
                .addAttribute(integers("kernel_shape", 3L, 3L))
                .addAttribute(integers("strides", 1L, -1L))), "stride 1x-1");
    }

    @Test
    void windowBeyondReason() {
        refused(ModelException.class, single(17, node("MaxPool", List.of("x"), "y")
                .addAttribute(integers("kernel_shape", 3L, 3L))
                .addAttribute(integers("dilations", 2147483647L, 1L))), "exceeds", "pixels");
    }

    @Test
    void kernelThatDisagreesWithItsWeights() {
        ModelProto.Builder model = single(17, node("Conv", List.of("x", "w"), "y")
                .addAttribute(integers("kernel_shape", 3L, 3L)), floats("w", WEIGHT_DIMS, new float[8]));
        refused(ModelException.class, model, "[2x4x1x1]", "3x3");
    }

    @Test
    void convolutionOfMoreThanTwoDimensions() {
        ModelProto.Builder model = single(17, node("Conv", List.of("x", "w"), "y"),
                floats("w", new long[] {2, 4, 1, 1, 1}, new float[8]));
        refused(UnsupportedModelException.class, model, "[2x4x1x1x1]", "one or two dimensions");
    }

    @Test
    void missingInputOfANode() {
        refused(ModelException.class, single(17, node("Conv", List.of("x"), "y")), "'the node'", "input 1 is missing");
    }

    @Test
    void tooManyInputsOfANode() {
        refused(ModelException.class, single(17, node("Relu", List.of("x", "x"), "y")), "2 inputs, at most 1");
    }

    @Test
    void scaleThatIsNotPositive() {
        ModelProto.Builder model = single(17, node("QuantizeLinear", List.of("x", "s"), "y"),
                floats("s", new long[0], 0));
        refused(ModelException.class, model, "scale 's'", "must be positive");
    }

    @Test
    void externalDataByAbsolutePath() throws IOException {
        refused(ModelException.class, file(external("/etc/passwd", null, null)), "'/etc/passwd'", "outside");
    }

    @Test
    void externalDataAboveTheFolder() throws IOException {
        refused(ModelException.class, file(external("a/../../secret.bin", null, null)), "a/../../secret.bin",
                "outside");
    }

    @Test
    void externalDataThroughALink() throws IOException {
        Path inside = Files.createDirectory(folder.resolve("inside"));
        Path secret = Files.write(folder.resolve("secret.bin"), new byte[32]);
        Files.createSymbolicLink(inside.resolve("weights.bin"), secret);
        Path model = Files.write(inside.resolve("model.onnx"), external("weights.bin", null, null));
        refused(ModelException.class, model, "weights.bin", "outside");
    }

    @Test
    void externalDataThatIsMissing() throws IOException {
        refused(ModelException.class, file(external("weights.bin", null, null)), "weights.bin", "missing", "copy it");
    }

    @Test
    void externalDataThatIsShort() throws IOException {
        Files.write(folder.resolve("weights.bin"), new byte[40]);
        refused(ModelException.class, file(external("weights.bin", "16", null)), "weights.bin", "only 40 bytes");
        refused(ModelException.class, file(external("weights.bin", "" + Long.MAX_VALUE, "32")), "only 40 bytes");
    }

    @Test
    void externalDataWithNonsensicalNumbers() throws IOException {
        Files.write(folder.resolve("weights.bin"), new byte[64]);
        refused(ModelException.class, file(external("weights.bin", "-4", null)), "offset -4 is negative");
        refused(ModelException.class, file(external("weights.bin", "ten", null)), "'ten' is not a number");
        refused(ModelException.class, file(external("weights.bin", null, "31")), "needs 32 bytes", "length 31");
        refused(ModelException.class, file(external("", null, null)), "no location");
        refused(ModelException.class, file(external("a\0b", null, null)), "'w'");
    }

    @Test
    void externalDataThatIsAFolder() throws IOException {
        Files.createDirectory(folder.resolve("weights.bin"));
        refused(ModelException.class, file(external("weights.bin", null, null)), "weights.bin", "not a file");
    }

    @Test
    void externalDataWithoutAFolder() {
        refused(ModelException.class, external("weights.bin", null, null), "did not come from a folder");
    }

    @Test
    void deepNesting() {
        // A thousand groups of an unknown field, each within the other.
        ByteArrayOutputStream nested = new ByteArrayOutputStream();
        nested.writeBytes(sound().toByteArray());
        for (int i = 0; i < 1000; i++) {
            nested.write(0xa3);
            nested.write(0x06);
        }
        refused(ModelException.class, nested.toByteArray(), "not an ONNX model, or damaged");
    }

    @Test
    void nestedGraph() {
        AttributeProto.Builder branch = AttributeProto.newBuilder().setName("then_branch")
                .setType(AttributeProto.Type.GRAPH);
        refused(UnsupportedModelException.class, single(17, node("If", List.of("x"), "y").addAttribute(branch)),
                "'the node' (If)");
    }

    @Test
    void sparseInitializer() {
        refused(UnsupportedModelException.class, model(17, graph -> graph
                .addSparseInitializer(ByteString.EMPTY)
                .addNode(node("Relu", List.of("x"), "y"))), "sparse");
    }

    @Test
    void namesOfGeneratedThingsDoNotCollide() {
        ModelProto.Builder model = model(11, graph -> graph
                .addNode(node("Squeeze", List.of("x"), "Squeeze_0_axes").clearName().addAttribute(integers("axes", 0L)))
                .addNode(node("Relu", List.of("Squeeze_0_axes"), "y").setName("Squeeze_0")));
        Graph graph = OnnxModels.read(model.build().toByteArray(), "names", null);
        assertEquals(List.of("Squeeze_0_2", "Squeeze_0"), graph.nodes().stream().map(n -> n.name()).toList());
        assertEquals(1, graph.constants().size());
    }

    private static ModelProto sound() {
        return single(17, node("Relu", List.of("x"), "y")).build();
    }

    private static ModelProto.Builder weights(TensorProto.Builder w) {
        return single(17, node("Conv", List.of("x", "w"), "y"), w.build());
    }

    private static byte[] external(String location, String offset, String length) {
        TensorProto.Builder w = typed("w", 1, WEIGHT_DIMS).setDataLocation(TensorProto.DataLocation.EXTERNAL)
                .addExternalData(entry("location", location));
        if (offset != null) {
            w.addExternalData(entry("offset", offset));
        }
        if (length != null) {
            w.addExternalData(entry("length", length));
        }
        return weights(w).build().toByteArray();
    }

    private static StringStringEntryProto.Builder entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value);
    }

    private Path file(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("model.onnx"), bytes);
    }

    private static void refused(Class<? extends ShrikeException> type, Path file, String... words) {
        check(assertThrows(type, () -> OnnxModels.read(file)), words);
    }

    private static void refused(Class<? extends ShrikeException> type, ModelProto.Builder model, String... words) {
        refused(type, model.build().toByteArray(), words);
    }

    private static void refused(Class<? extends ShrikeException> type, byte[] model, String... words) {
        ShrikeException e = assertThrows(type, () -> OnnxModels.read(model, "hostile.onnx", null));
        assertTrue(e.getMessage().startsWith("hostile.onnx: "), e.getMessage());
        check(e, words);
    }

    private static void check(ShrikeException e, String... words) {
        if (Boolean.getBoolean("shrike.messages")) {
            System.out.println(e.getMessage());
        }
        for (String word : words) {
            assertTrue(e.getMessage().contains(word), () -> "'" + word + "' is not in: " + e.getMessage());
        }
    }
}
