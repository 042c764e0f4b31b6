package dev.shrike.onnx;

import dev.shrike.UnsupportedModelException;
import dev.shrike.onnx.proto.Onnx.AttributeProto;
import dev.shrike.onnx.proto.Onnx.GraphProto;
import dev.shrike.onnx.proto.Onnx.ModelProto;
import dev.shrike.onnx.proto.Onnx.NodeProto;
import dev.shrike.onnx.proto.Onnx.StringStringEntryProto;
import dev.shrike.onnx.proto.Onnx.TensorShapeProto;
import dev.shrike.onnx.proto.Onnx.TypeProto;
import dev.shrike.onnx.proto.Onnx.ValueInfoProto;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Takes non-maximum suppression out of a network: ONNX's NonMaxSuppression and TensorRT's EfficientNMS_TRT and
 * BatchedNMS_TRT, whose results have no shape that is known before a run. What they read, boxes and scores, become the
 * outputs instead, since a detector suppresses by itself, with thresholds that its user chose. How boxes are written
 * goes to the metadata.
 */
final class SuppressionNodes {
    /** Metadata entry: how boxes are written. */
    static final String CODING = "shrike.boxes";

    /** Metadata entry: "true" where scores are before the sigmoid. */
    static final String LOGITS = "shrike.logits";

    private static final String PLAIN = "NonMaxSuppression";
    private static final List<String> PREFIXES_OF_TENSORRT = List.of("EfficientNMS", "BatchedNMS");
    private static final int RANK = 3;

    /** Operators that put several classes into one: scores behind them are of the best class, not of each. */
    private static final Set<String> REDUCING = Set.of("ReduceMax", "TopK", "ArgMax", "Max", "GatherElements");

    /** Operators whose results are as many as the image has it. */
    private static final Set<String> CHOOSING = Set.of("NonZero", "Compress", "Unique");

    /** Operators that only move or scale values. */
    private static final Set<String> MOVING =
            Set.of("Transpose", "Reshape", "Unsqueeze", "Squeeze", "Identity", "Cast", "Slice", "Flatten");

    private final ModelProto model;
    private final Map<String, NodeProto> writers = new HashMap<>();

    private SuppressionNodes(ModelProto model) {
        this.model = model;
        for (NodeProto node : model.getGraph().getNodeList()) {
            node.getOutputList().forEach(output -> writers.put(output, node));
        }
    }

    /**
     * The model without its suppression; the model itself if it has none.
     *
     * @throws UnsupportedModelException if it is such that detections cannot be had from what it reads
     */
    static ModelProto remove(ModelProto model) {
        List<NodeProto> found = model.getGraph().getNodeList().stream().filter(SuppressionNodes::suppresses).toList();
        if (found.isEmpty()) {
            return model;
        }
        return new SuppressionNodes(model).cut(found);
    }

    private static boolean suppresses(NodeProto node) {
        return node.getOpType().equals(PLAIN) && (node.getDomain().isEmpty() || node.getDomain().equals("ai.onnx"))
                || PREFIXES_OF_TENSORRT.stream().anyMatch(node.getOpType()::startsWith);
    }

    private ModelProto cut(List<NodeProto> found) {
        NodeProto node = found.getFirst();
        GraphProto graph = model.getGraph();
        if (found.size() > 1) {
            throw refused(node, "it is one of " + found.size());
        }
        if (node.getInputCount() < 2 || node.getInput(0).isEmpty() || node.getInput(1).isEmpty()) {
            throw refused(node, "it does not read both boxes and scores");
        }
        if (graph.getOutputList().stream().anyMatch(output -> !dependsOn(output.getName(), node))) {
            throw refused(node, "the network has outputs besides its result");
        }
        boolean plain = node.getOpType().equals(PLAIN);
        if (plain && isReduced(node.getInput(1))) {
            throw refused(node, "its scores are those of the best class alone");
        }
        if (integer(node, "background_class", -1) >= 0 || integer(node, "backgroundLabelId", -1) >= 0) {
            throw refused(node, "one of its classes stands for the background");
        }
        List<String> wanted = List.of(node.getInput(0), node.getInput(1));
        GraphProto.Builder changed = graph.toBuilder().clearNode().clearOutput();
        Set<NodeProto> needed = needed(wanted);
        if (needed.stream().anyMatch(other -> CHOOSING.contains(other.getOpType()))) {
            throw refused(node, "boxes are chosen before it");
        }
        graph.getNodeList().stream().filter(needed::contains).forEach(changed::addNode);
        wanted.forEach(name -> changed.addOutput(value(name)));
        return model.toBuilder().setGraph(changed).addMetadataProps(entry(CODING, coding(node, plain)))
                .addMetadataProps(entry(LOGITS, Boolean.toString(integer(node, "score_activation", 0) == 1))).build();
    }

    /** PyTorch's exporters give corners as x, y; TensorFlow's as y, x, as the operator's text has them. */
    private String coding(NodeProto node, boolean plain) {
        boolean centred = integer(node, plain ? "center_point_box" : "box_coding", 0) == 1;
        String producer = model.getProducerName().toLowerCase(Locale.ROOT);
        boolean rowFirst = plain && (producer.contains("tf2onnx") || producer.contains("tensorflow")
                || producer.contains("keras"));
        return centred ? "CENTRED" : rowFirst ? "ROW_CORNERS" : "CORNERS";
    }

    private static StringStringEntryProto entry(String key, String value) {
        return StringStringEntryProto.newBuilder().setKey(key).setValue(value).build();
    }

    private static long integer(NodeProto node, String name, long otherwise) {
        return node.getAttributeList().stream().filter(attribute -> attribute.getName().equals(name))
                .map(AttributeProto::getI).findFirst().orElse(otherwise);
    }

    /** What the file declares of a value, or else a float of three dimensions. */
    private ValueInfoProto value(String name) {
        for (ValueInfoProto declared : model.getGraph().getValueInfoList()) {
            if (declared.getName().equals(name) && declared.getType().getTensorType().hasShape()) {
                return declared;
            }
        }
        int type = model.getGraph().getInputCount() == 0
                ? 1 : model.getGraph().getInput(0).getType().getTensorType().getElemType();
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (int i = 0; i < RANK; i++) {
            shape.addDim(TensorShapeProto.Dimension.newBuilder().setDimParam(name + "_" + i));
        }
        return ValueInfoProto.newBuilder().setName(name)
                .setType(TypeProto.newBuilder()
                        .setTensorType(TypeProto.Tensor.newBuilder().setElemType(type).setShape(shape)))
                .build();
    }

    private boolean isReduced(String value) {
        NodeProto node = writers.get(value);
        while (node != null && MOVING.contains(node.getOpType())) {
            node = writers.get(node.getInput(0));
        }
        return node != null && REDUCING.contains(node.getOpType());
    }

    private boolean dependsOn(String value, NodeProto node) {
        return needed(List.of(value)).contains(node);
    }

    /** The nodes that values are computed by. */
    private Set<NodeProto> needed(List<String> values) {
        Set<NodeProto> nodes = new HashSet<>();
        List<String> open = new ArrayList<>(values);
        while (!open.isEmpty()) {
            NodeProto node = writers.get(open.removeLast());
            if (node != null && nodes.add(node)) {
                open.addAll(node.getInputList());
            }
        }
        return nodes;
    }

    private static UnsupportedModelException refused(NodeProto node, String why) {
        return new UnsupportedModelException("node '" + (node.getName().isEmpty() ? node.getOutput(0) : node.getName())
                + "' (" + node.getOpType() + ") suppresses overlapping boxes within the network, and " + why
                + ": export the model without it (yolo export … nms=False; export.py without --nms, --end2end or"
                + " --include-nms): Shrike suppresses by itself");
    }
}
