package dev.shrike.onnx;

import dev.shrike.DeviceException;
import dev.shrike.ModelException;
import dev.shrike.ShrikeException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.files.FileReplacement;
import dev.shrike.graph.Graph;
import dev.shrike.onnx.proto.Onnx.ModelProto;
import dev.shrike.onnx.writer.ModelWriter;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * ONNX files as graphs, and back.
 *
 * <p>Read are opsets 9 to 24 of ONNX's own operators (22 to 24 changed none of those that Shrike has) and QONNX's
 * {@code Quant}, {@code BipolarQuant} and {@code Trunc}. A node that suppresses overlapping boxes is left out: the
 * boxes and scores that it reads are the outputs of the graph. Whatever the opset, the graph comes in the normal form
 * that {@link dev.shrike.graph.Op} describes.
 */
public final class OnnxModels {
    /** Key in a graph's metadata: the opset of the file that it was read from. */
    public static final String OPSET = "onnx.opset";

    /** Key in a graph's metadata: the version of ONNX's file format that the file declares. */
    public static final String IR_VERSION = "onnx.ir_version";

    /** Key in a graph's metadata: name and version of the tool that made the file. */
    public static final String PRODUCER = "onnx.producer";

    private OnnxModels() {}

    /**
     * The network in a file. All of the file is read; what happens to it later does not matter to the graph.
     *
     * @throws ModelException if the file cannot be read, is no ONNX model, or is inconsistent
     * @throws UnsupportedModelException if the model is sound, but needs something that Shrike lacks
     */
    public static Graph read(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        return named(file.toString(), () -> graph(ModelSource.read(file), Optional.ofNullable(folder)));
    }

    /**
     * The network in these bytes.
     *
     * @param model from position to limit one ONNX file; must not change as long as the graph is in use
     * @param name how messages call it
     * @param folder where external data files are, or null if there are none
     * @throws ModelException if the bytes are no ONNX model or an inconsistent one
     * @throws UnsupportedModelException if the model is sound, but needs something that Shrike lacks
     */
    public static Graph read(ByteBuffer model, String name, Path folder) {
        Objects.requireNonNull(model, "model");
        return named(name, () -> graph(model.slice(), Optional.ofNullable(folder)));
    }

    /** As {@link #read(ByteBuffer, String, Path)}, from an array. */
    public static Graph read(byte[] model, String name, Path folder) {
        return read(ByteBuffer.wrap(model), name, folder);
    }

    /**
     * Writes a network in ONNX's own operators: opset 17, or the lowest later one that it needs (21 for four-bit
     * types). Fused convolutions come apart again: Conv, the activation, Add. Quantised values become QuantizeLinear
     * and DequantizeLinear, those rounded by their own range DynamicQuantizeLinear and DequantizeLinear, others QONNX's
     * quantisers ({@link dev.shrike.graph.passes.ExportQuantization}). Metadata is kept but for the keys that begin
     * with
     * {@code onnx.}, which describe the file that a graph came from. The file is written beside the target under
     * another name, then renamed; equal graphs give equal bytes.
     *
     * <p>Reading the file gives an equal graph if nothing was fused or quantised; only the constant axes of reductions
     * other than sums may have another name, since opset 17 has them as an attribute.
     *
     * @throws ShrikeException if the file cannot be written
     * @throws UnsupportedModelException if ONNX cannot hold the graph: more than 2 GiB
     */
    public static void write(Graph graph, Path file) {
        ModelProto model = proto(graph, file.toString());
        FileReplacement.write(file, model::writeTo);
    }

    /** What {@link #write} puts into a file. */
    public static byte[] toBytes(Graph graph) {
        return proto(graph, "graph '" + graph.name() + "'").toByteArray();
    }

    /**
     * The names of the nodes in an ONNX file, in its order; the type where a node has no name.
     *
     * @throws ModelException if the bytes are no ONNX model
     */
    public static List<String> nodeNames(byte[] model) {
        return named("model", () -> ModelSource.parse(ByteBuffer.wrap(model)).getGraph().getNodeList().stream()
                .map(node -> node.getName().isEmpty() ? node.getOpType() : node.getName()).toList());
    }

    private static ModelProto proto(Graph graph, String name) {
        try {
            return new ModelWriter(graph).write();
        } catch (UnsupportedModelException e) {
            throw new UnsupportedModelException(name + ": cannot be written: " + e.getMessage(), e);
        }
    }

    private static Graph graph(ByteBuffer bytes, Optional<Path> folder) {
        return new ModelReader(SuppressionNodes.remove(ModelSource.parse(bytes)), new ExternalData(folder)).read();
    }

    private static <T> T named(String name, Supplier<T> reading) {
        try {
            return reading.get();
        } catch (ModelException e) {
            throw new ModelException(name + ": " + e.getMessage(), e);
        } catch (UnsupportedModelException e) {
            throw new UnsupportedModelException(name + ": " + e.getMessage(), e);
        } catch (OutOfMemoryError e) {
            throw new DeviceException(name + ": there is not enough memory to read it; raise the limit with -Xmx", e);
        } catch (ExceptionInInitializerError | NoClassDefFoundError e) {
            throw new ShrikeException(name + ": protobuf does not start on this JVM (" + e + "); run java with"
                    + " --sun-misc-unsafe-memory-access=allow and protobuf-java on its path", e);
        }
    }
}
