package dev.shrike.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.heads.Candidates;
import dev.shrike.heads.HeadDecoder;
import dev.shrike.heads.NonMaxSuppression;
import dev.shrike.heads.ScoreFilter;
import dev.shrike.onnx.proto.Onnx.GraphProto;
import dev.shrike.onnx.proto.Onnx.ModelProto;
import dev.shrike.onnx.proto.Onnx.NodeProto;
import dev.shrike.onnx.proto.Onnx.OperatorSetIdProto;
import dev.shrike.onnx.proto.Onnx.TensorProto;
import dev.shrike.onnx.proto.Onnx.ValueInfoProto;
import dev.shrike.spi.Binding;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** A network whose suppression was left out, suppressed by the detector, gives what ONNX Runtime gives with it. */
class SuppressionNodesTest {
    private static final int SIDE = 32;
    private static final float CONFIDENCE = 0.3f;
    private static final float IOU = 0.5f;

    private final Arena arena = Arena.ofAuto();

    /** Random boxes and scores behind nodes that read the image. */
    private static ModelProto.Builder model(int boxes, int classes, boolean centred,
            Consumer<GraphProto.Builder> rest) {
        Random random = new Random(boxes * 31L + classes);
        float[] corners = new float[4 * boxes];
        for (int i = 0; i < boxes; i++) {
            float x = random.nextInt(20);
            float y = random.nextInt(20);
            float width = 1 + random.nextInt(12);
            float height = 1 + random.nextInt(12);
            float[] box = centred ? new float[] {x, y, width, height} : new float[] {x, y, x + width, y + height};
            System.arraycopy(box, 0, corners, 4 * i, 4);
        }
        float[] scores = new float[boxes * classes];
        for (int i = 0; i < scores.length; i++) {
            scores[i] = random.nextFloat();
        }
        GraphProto.Builder graph = GraphProto.newBuilder().setName("net")
                .addInput(TestModels.value("images", 1, 1, 3, SIDE, SIDE))
                .addInitializer(tensor("b", corners, 1, boxes, 4))
                .addInitializer(tensor("s", scores, 1, classes, boxes))
                .addInitializer(tensor("zero", new float[] {0}))
                .addInitializer(tensor("iou", new float[] {IOU}, 1))
                .addInitializer(tensor("least", new float[] {CONFIDENCE}, 1))
                .addInitializer(TensorProto.newBuilder().setName("most").setDataType(7).addDims(1).addInt64Data(1000))
                .addNode(node("ReduceMean", List.of("images"), "mean")
                        .addAttribute(TestModels.integer("keepdims", 0)))
                .addNode(node("Mul", List.of("mean", "zero"), "nothing"))
                .addNode(node("Add", List.of("b", "nothing"), "boxes"))
                .addNode(node("Add", List.of("s", "nothing"), "scores"));
        rest.accept(graph);
        return ModelProto.newBuilder().setIrVersion(8).setProducerName("pytorch")
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(17))
                .addOpsetImport(OperatorSetIdProto.newBuilder().setDomain("TRT").setVersion(1)).setGraph(graph);
    }

    private static NodeProto.Builder node(String type, List<String> inputs, String... outputs) {
        return TestModels.node(type, inputs, outputs).setName(outputs[0]);
    }

    private static TensorProto.Builder tensor(String name, float[] values, long... dims) {
        TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).setDataType(1);
        for (long dim : dims) {
            tensor.addDims(dim);
        }
        for (float value : values) {
            tensor.addFloatData(value);
        }
        return tensor;
    }

    private static NodeProto.Builder suppression(String output, String scores, boolean centred) {
        return node("NonMaxSuppression", List.of("boxes", scores, "most", "iou", "least"), output)
                .addAttribute(TestModels.integer("center_point_box", centred ? 1 : 0));
    }

    private static ValueInfoProto.Builder output(String name) {
        return TestModels.value(name, 7, -1, 3);
    }

    private static Graph read(ModelProto.Builder model) {
        return OnnxModels.read(model.build().toByteArray(), "model", null);
    }

    @Test
    void givesWhatOnnxRuntimeGives() throws OrtException {
        for (boolean centred : new boolean[] {false, true}) {
            for (int classes : new int[] {1, 3, 80}) {
                for (int boxes : new int[] {21, 63}) {
                    ModelProto.Builder model = model(boxes, classes, centred, graph -> graph
                            .addNode(suppression("chosen", "scores", centred)).addOutput(output("chosen")));
                    Set<String> expected = new TreeSet<>();
                    for (long[] chosen : run(model)) {
                        expected.add(chosen[1] + " " + chosen[2]);
                    }
                    assertTrue(expected.size() > boxes / 4, expected.toString());
                    assertEquals(expected, detected(read(model), boxes));
                }
            }
        }
    }

    /** TensorRT's plugin has scores box by box, perhaps before the sigmoid. */
    @Test
    void readsThePluginOfTensorRt() {
        for (boolean centred : new boolean[] {false, true}) {
            Graph plain = read(model(63, 3, centred, graph -> graph.addNode(suppression("chosen", "scores", centred))
                    .addOutput(output("chosen"))));
            ModelProto.Builder plugin = model(63, 3, centred, graph -> graph
                    .addNode(node("Transpose", List.of("scores"), "rows")
                            .addAttribute(TestModels.integers("perm", 0L, 2L, 1L)))
                    .addNode(node("EfficientNMS_TRT", List.of("boxes", "rows"), "num_dets", "det_boxes", "det_scores",
                            "det_classes").setDomain("TRT").addAttribute(TestModels.integer("background_class", -1))
                            .addAttribute(TestModels.integer("box_coding", centred ? 1 : 0)))
                    .addOutput(TestModels.value("num_dets", 6, 1, 1))
                    .addOutput(TestModels.value("det_boxes", 1, 1, 100, 4))
                    .addOutput(TestModels.value("det_scores", 1, 1, 100))
                    .addOutput(TestModels.value("det_classes", 6, 1, 100)));
            Graph read = read(plugin);
            assertEquals(List.of("boxes", "rows"), read.outputs().stream().map(ValueInfo::name).toList());
            assertEquals(detected(plain, 63), detected(read, 63));
            GraphProto.Builder graph = plugin.getGraphBuilder();
            NodeProto.Builder last = graph.getNodeBuilder(graph.getNodeCount() - 1);
            last.addAttribute(TestModels.integer("score_activation", 1));
            assertTrue(detected(read(plugin), 63).size() > detected(plain, 63).size(), "the sigmoid of 0 is 0.5");
            last.setAttribute(0, TestModels.integer("background_class", 0));
            assertRefused(plugin, "stands for the background");
        }
    }

    @Test
    void refusesWhereTheResultIsMoreThanSuppression() {
        assertRefused(model(21, 3, false, graph -> graph.addNode(suppression("chosen", "scores", false))
                .addNode(suppression("others", "scores", true))
                .addNode(node("Concat", List.of("chosen", "others"), "all").addAttribute(TestModels.integer("axis", 0)))
                .addOutput(output("all"))), "one of 2");
        assertRefused(model(21, 3, false, graph -> graph
                .addNode(node("ReduceMax", List.of("scores"), "best").addAttribute(TestModels.integers("axes", 1L)))
                .addNode(suppression("chosen", "best", false)).addOutput(output("chosen"))), "best class alone");
        assertRefused(model(21, 3, false, graph -> graph.addNode(suppression("chosen", "scores", false))
                .addOutput(output("chosen")).addOutput(TestModels.value("mean", 1))), "outputs besides");
        assertRefused(model(21, 3, false, graph -> graph
                .addNode(node("NonMaxSuppression", List.of("boxes"), "chosen")).addOutput(output("chosen"))),
                "does not read both");
    }

    @Test
    void refusesWhereBoxesAreChosenBefore() {
        assertRefused(model(21, 3, false, graph -> graph.addNode(node("NonZero", List.of("scores"), "places"))
                .addNode(node("Cast", List.of("places"), "real").addAttribute(TestModels.integer("to", 1)))
                .addNode(node("Add", List.of("scores", "real"), "moved"))
                .addNode(suppression("chosen", "moved", false)).addOutput(output("chosen"))), "chosen before it");
    }

    private static void assertRefused(ModelProto.Builder model, String why) {
        String message = assertThrows(UnsupportedModelException.class, () -> read(model)).getMessage();
        assertTrue(message.contains(why) && message.contains("nms=False"), message);
    }

    private static long[][] run(ModelProto.Builder model) throws OrtException {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        byte[] bytes = model.build().toByteArray();
        try (OrtSession session = environment.createSession(bytes);
                OnnxTensor images = OnnxTensor.createTensor(environment,
                        FloatBuffer.wrap(new float[3 * SIDE * SIDE]), new long[] {1, 3, SIDE, SIDE});
                OrtSession.Result result = session.run(Map.of("images", images))) {
            return (long[][]) result.get(0).getValue();
        }
    }

    /** Class and box of each detection. */
    private Set<String> detected(Graph graph, int boxes) {
        Tensor images = Tensor.ofFloats(Shape.of(1, 3, SIDE, SIDE), new float[3 * SIDE * SIDE]);
        List<String> names = graph.outputs().stream().map(ValueInfo::name).toList();
        Map<String, Tensor> values = ReferenceEvaluator.run(graph, Map.of("images", images), Set.copyOf(names));
        List<Binding> bindings = names.stream().map(name -> binding(name, values.get(name))).toList();
        Candidates candidates = new Candidates();
        HeadDecoder.of(bindings, SIDE, SIDE, graph.metadata()).decode(new ScoreFilter(CONFIDENCE, true, null),
                candidates);
        NonMaxSuppression suppression = new NonMaxSuppression(IOU, false, 10_000);
        float[] b = values.get("boxes").toFloats();
        boolean centred = graph.metadata().get(SuppressionNodes.CODING).equals("CENTRED");
        Set<String> found = new TreeSet<>();
        int count = suppression.run(candidates);
        for (int rank = 0; rank < count; rank++) {
            int kept = suppression.kept(rank);
            for (int box = 0; box < boxes; box++) {
                float x1 = centred ? b[4 * box] - b[4 * box + 2] / 2 : b[4 * box];
                float y1 = centred ? b[4 * box + 1] - b[4 * box + 3] / 2 : b[4 * box + 1];
                float width = centred ? b[4 * box + 2] : b[4 * box + 2] - b[4 * box];
                float height = centred ? b[4 * box + 3] : b[4 * box + 3] - b[4 * box + 1];
                if (x1 == candidates.x1(kept) && y1 == candidates.y1(kept) && x1 + width == candidates.x2(kept)
                        && y1 + height == candidates.y2(kept)
                        && score(values, graph, candidates.classId(kept), box) == candidates.score(kept)) {
                    found.add(candidates.classId(kept) + " " + box);
                }
            }
        }
        return found;
    }

    private static float score(Map<String, Tensor> values, Graph graph, int classId, int box) {
        Tensor scores = values.get(graph.outputs().get(1).name());
        int boxes = (int) values.get("boxes").shape().dim(1);
        int classes = (int) (scores.shape().elements() / boxes);
        boolean rows = scores.shape().dim(1) == boxes;
        float score = scores.toFloats()[rows ? box * classes + classId : classId * boxes + box];
        boolean logits = graph.metadata().get(SuppressionNodes.LOGITS).equals("true");
        return logits ? (float) (1 / (1 + Math.exp(-score))) : score;
    }

    private Binding binding(String name, Tensor tensor) {
        List<Integer> dims = tensor.shape().dims().stream().map(Math::toIntExact).toList();
        List<Integer> strides = new ArrayList<>();
        int step = 1;
        for (int dim : dims.reversed()) {
            strides.addFirst(step);
            step *= dim;
        }
        MemorySegment memory = arena.allocate(4L * step, 64);
        MemorySegment.copy(MemorySegment.ofArray(tensor.toFloats()), 0, memory, 0, 4L * step);
        return new Binding(name, dims, strides, memory);
    }
}
