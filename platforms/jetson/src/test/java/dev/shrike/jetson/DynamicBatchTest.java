package dev.shrike.jetson;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.jetson.engine.NetworkSource;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.BatchProfile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Networks whose batch stays open, and the errors of those where it cannot. */
class DynamicBatchTest {
    private static final BatchProfile RANGE = new BatchProfile(1, 2, 4);

    private static Tensor images(int count, int side) {
        Random random = new Random(count);
        float[] values = new float[count * 3 * side * side];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat();
        }
        return Tensor.ofFloats(Shape.of(count, 3, side, side), values);
    }

    private static float[] run(Graph graph, Tensor images) {
        Graph ready = GraphPasses.forInference(graph, Map.of("images", images.shape()));
        String output = ready.outputs().getFirst().name();
        return ReferenceEvaluator.run(ready, Map.of("images", images), Set.of(output)).get(output).toFloats();
    }

    private static Graph read(NetworkSource source) {
        return OnnxModels.read(source.onnx(), "open", null);
    }

    @Test
    void theFileIsOpenAndGivesWhatTheNetworkGives() {
        Graph network = SmallYolo.v5(-1);
        NetworkSource source = NetworkSource.of(network, Map.of("images", Shape.of(-1, 3, 64, 64)),
                Optional.of(RANGE));
        assertEquals(Optional.of(RANGE), source.batches());
        Graph open = read(source);
        assertEquals(Shape.of(-1, 3, 64, 64), open.inputs().getFirst().shape());
        assertEquals(Shape.of(-1, 64, 7), open.outputs().getFirst().shape());
        for (int count : new int[] {1, 2, 3, 4, 7}) {
            assertArrayEquals(run(network, images(count, 64)), run(open, images(count, 64)), count + " images");
        }
    }

    /** YOLOv5n as export.py --dynamic writes it, whose shapes are computed while it runs. */
    @Test
    void yolov5LosesWhatComputesItsShapes() {
        Path file = sharedModel("yolov5n-dynamic.onnx");
        Graph network = OnnxModels.read(file);
        String input = network.inputs().getFirst().name();
        NetworkSource source = NetworkSource.of(network, Map.of(input, Shape.of(-1, 3, 64, 64)), Optional.of(RANGE));
        Graph open = read(source);
        assertEquals(-1, open.inputs().getFirst().shape().dim(0));
        assertEquals(-1, open.outputs().getFirst().shape().dim(0));
        assertTrue(open.nodes().stream().noneMatch(node -> node.op() instanceof Op.ShapeOf));
        Tensor three = images(3, 64);
        Graph fixed = GraphPasses.forInference(network, Map.of(input, three.shape()));
        String output = fixed.outputs().getFirst().name();
        float[] expected = ReferenceEvaluator.run(fixed, Map.of(input, three), Set.of(output)).get(output).toFloats();
        Graph opened = GraphPasses.forInference(open, Map.of(input, three.shape()));
        assertArrayEquals(expected, ReferenceEvaluator.run(opened, Map.of(input, three), Set.of(output)).get(output)
                .toFloats());
    }

    private static Path sharedModel(String name) {
        for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
            Path file = folder.resolve("shared/models").resolve(name);
            if (Files.isRegularFile(file)) {
                return file;
            }
        }
        assumeTrue(false, name + " is not here");
        return null;
    }

    @Test
    void quantisedNetworksStayQuantised() {
        Graph quantized = SmallDetector.quantized(1);
        ValueInfo input = quantized.inputs().getFirst();
        Graph open = quantized.withInputs(List.of(new ValueInfo(input.name(), input.type(), Shape.of(-1, 3, 32, 32))));
        NetworkSource source = NetworkSource.of(open, Map.of(), Optional.of(RANGE));
        assertTrue(source.quantized());
        assertArrayEquals(run(quantized, images(1, 32)), run(open, images(1, 32)));
        assertEquals(3 * run(quantized, images(1, 32)).length, run(read(source), images(3, 32)).length);
    }

    private static String refusal(Graph network, BatchProfile batches) {
        return assertThrows(UnsupportedModelException.class,
                () -> NetworkSource.of(network, Map.of(), Optional.of(batches))).getMessage();
    }

    @Test
    void aFixedBatchIsRefusedWithTheWayOut() {
        String message = refusal(SmallYolo.v5(1), new BatchProfile(1, 8, 8));
        assertTrue(message.contains("has a fixed batch of 1, batches of 1 to 8 images, best at 8 were asked for"),
                message);
        assertTrue(message.contains("'export.py --batch 8'") && message.contains("'--dynamic'"), message);
        message = refusal(SmallYolo.v5(4), new BatchProfile(8, 8, 8));
        assertTrue(message.endsWith("export it again with 'export.py --batch 8'"), message);
    }

    @Test
    void aFixedBatchOfTheWantedSizeIsTaken() {
        NetworkSource four = NetworkSource.of(SmallYolo.v5(4), Map.of(), Optional.of(new BatchProfile(1, 2, 4)));
        assertEquals(Optional.empty(), four.batches());
        assertArrayEquals(NetworkSource.of(SmallYolo.v5(4), Map.of()).onnx(), four.onnx());
    }

    @Test
    void oneSizeIsNotOpen() {
        NetworkSource four = NetworkSource.of(SmallYolo.v5(-1), Map.of("images", Shape.of(-1, 3, 64, 64)),
                Optional.of(new BatchProfile(4, 4, 4)));
        assertEquals(Optional.empty(), four.batches());
        assertEquals(Shape.of(4, 3, 64, 64), read(four).inputs().getFirst().shape());
        NetworkSource one = NetworkSource.of(SmallYolo.v5(-1), Map.of("images", Shape.of(-1, 3, 64, 64)));
        assertEquals(Shape.of(1, 3, 64, 64), read(one).inputs().getFirst().shape());
    }

    /** A node that adds a number for each image of the batch, and one that makes one image of all. */
    @Test
    void whatFixesTheBatchIsNamed() {
        Graph yolo = SmallYolo.v5(-1);
        Map<String, Tensor> constants = new HashMap<>(yolo.constants());
        constants.put("axes", Tensor.vector(0));
        List<Node> nodes = new ArrayList<>(yolo.nodes());
        nodes.add(new Node("sizes", new Op.ShapeOf(0, Integer.MAX_VALUE), List.of("images"), List.of("shape")));
        nodes.add(new Node("floats", new Op.Cast(DataType.FLOAT32), List.of("shape"), List.of("numbers")));
        nodes.add(new Node("mean", new Op.Reduce(Op.Reduce.Kind.MEAN, false), List.of("numbers", "axes"),
                List.of("average")));
        nodes.add(new Node("add", new Op.Binary(Op.Binary.Kind.ADD), List.of("output", "average"), List.of("sum")));
        Graph adding = new Graph("adding", yolo.inputs(),
                List.of(new ValueInfo("sum", DataType.FLOAT32, Shape.of(-1, 64, 7))), nodes, constants, Map.of(),
                yolo.metadata());
        assertTrue(refusal(adding, RANGE).startsWith("node 'add' depends on the size of the batch"),
                refusal(adding, RANGE));
        constants.put("one", Tensor.vector(1, -1, 7));
        nodes = new ArrayList<>(yolo.nodes());
        nodes.add(new Node("together", new Op.Reshape(false), List.of("output", "one"), List.of("sum")));
        Graph together = new Graph("together", yolo.inputs(), List.of(new ValueInfo("sum", DataType.FLOAT32,
                Shape.of(1, -1, 7))), nodes, constants, Map.of(), yolo.metadata());
        assertTrue(refusal(together, RANGE).startsWith("output 'sum' of [1x128x7] for 2 images"),
                refusal(together, RANGE));
    }

    @Test
    void otherOpenSizesAreStillMissed() {
        Graph yolo = SmallYolo.v5(-1);
        Graph open = yolo.withInputs(List.of(new ValueInfo("images", DataType.FLOAT32, Shape.of(-1, 3, -1, 64))));
        assertThrows(ModelException.class, () -> NetworkSource.of(open, Map.of(), Optional.of(RANGE)));
    }
}
