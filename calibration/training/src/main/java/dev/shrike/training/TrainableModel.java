package dev.shrike.training;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.calibration.activations.Subgraphs;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.vision.InputSize;
import dev.shrike.vision.Labels;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A detection network cut in two: what is trained, and what only decodes its head.
 *
 * @param whole the network as it is written: float, known shapes, batch normalisation apart
 * @param trunk the network up to the values of its head
 * @param head how those values are read
 */
public record TrainableModel(Graph whole, Graph trunk, DetectHead head) {
    /**
     * The network for one input size.
     *
     * @param graph as read from a file
     * @param width columns of the input, 0 for the file's own
     * @param height rows of the input, 0 for the file's own
     * @throws UnsupportedModelException if it is quantised, its head is none of those that can be trained, or it does
     *     not take images of that size
     */
    public static TrainableModel of(Graph graph, int width, int height) {
        Graph own = GraphPasses.simplify(graph, shapes(graph, width, height));
        if (own.isQuantized()) {
            throw new UnsupportedModelException("is quantised already: train the float network that it was made from");
        }
        TrainableModel found = HeadFinder.find(own);
        Shape input = own.inputs().getFirst().shape();
        boolean fits = (width == 0 || input.dim(3) == width) && (height == 0 || input.dim(2) == height);
        return fits ? found : found.resized(width, height);
    }

    /** Sizes for the open dimensions of the input; a fixed one keeps its own here. */
    private static Map<String, Shape> shapes(Graph graph, int width, int height) {
        if (graph.inputs().size() != 1 || graph.inputs().getFirst().shape().rank() != 4) {
            throw new UnsupportedModelException("has the inputs " + graph.inputs() + "; what is trained has one, of"
                    + " images [1, 3, height, width]");
        }
        ValueInfo input = graph.inputs().getFirst();
        Shape shape = input.shape();
        boolean open = shape.dim(2) == Shape.OPEN || shape.dim(3) == Shape.OPEN;
        InputSize size = InputSize.choose(shape, open ? width : 0, open ? height : 0, Labels.stride(graph.metadata()));
        if (shape.dim(1) != 3 && shape.dim(1) != Shape.OPEN || shape.dim(0) != 1 && shape.dim(0) != Shape.OPEN) {
            throw new UnsupportedModelException("takes " + shape + ", expected one image of three channels");
        }
        return Map.of(input.name(), Shape.of(1, 3, size.height(), size.width()));
    }

    /** Width of the input in pixels. */
    public int width() {
        return (int) trunk.inputs().getFirst().shape().dim(3);
    }

    /** Height of the input in pixels. */
    public int height() {
        return (int) trunk.inputs().getFirst().shape().dim(2);
    }

    /** Names of the classes. */
    public List<String> classNames() {
        return Labels.of(whole.metadata(), head.classes());
    }

    /** The same network for another size of the input; its head is decoded anew. */
    TrainableModel resized(int width, int height) {
        int stride = head.strides().getLast();
        if (width % stride != 0 || height % stride != 0) {
            throw new UnsupportedModelException("cannot take " + width + "x" + height + " pixels: each side must be a"
                    + " multiple of " + stride);
        }
        ValueInfo input = trunk.inputs().getFirst();
        Graph other = trunk.withInputs(List.of(new ValueInfo(input.name(), input.type(),
                Shape.of(1, 3, height, width)))).withOutputs(List.of());
        try {
            Map<String, ValueInfo> infos = ShapeInference.infer(other);
            Graph sized = other.withOutputs(head.outputs().stream().map(infos::get).toList());
            return decoded(sized, head, whole.metadata());
        } catch (ModelException e) {
            throw new UnsupportedModelException("does not take images of " + width + "x" + height + " pixels ("
                    + e.getMessage() + "); train at its own size, " + width() + "x" + height()
                    + ", or export it with dynamic sizes", e);
        }
    }

    private TrainableModel decoded(Graph sized, DetectHead other, Map<String, String> metadata) {
        ValueInfo output = whole.outputs().getFirst();
        Graph full = isRaw() ? raw(sized, other) : DecodeNodes.append(sized, other, output.name());
        return new TrainableModel(
                new Graph(whole.name(), full.inputs(), full.outputs(), full.nodes(), full.constants(), Map.of(),
                        metadata),
                sized, other);
    }

    /** Whether the file ends in the values of its head, which others decode. */
    private boolean isRaw() {
        return whole.outputs().size() > 1 && whole.outputs().size() == head.outputs().size();
    }

    private static Graph raw(Graph sized, DetectHead head) {
        Map<String, ValueInfo> infos = ShapeInference.infer(sized);
        return sized.withOutputs(head.outputs().stream().map(infos::get).toList());
    }

    /**
     * The same network with other classes. Of a class that it had under the same name the weights are kept, others
     * start at random; boxes and objectness stay.
     *
     * @param names of the classes, in their order
     * @param seed of the random weights
     */
    public TrainableModel withClasses(List<String> names, long seed) {
        Map<String, String> metadata = new HashMap<>(whole.metadata());
        metadata.put(Labels.NAMES, ClassTransfer.literal(names));
        if (names.equals(classNames())) {
            return new TrainableModel(new Graph(whole.name(), whole.inputs(), whole.outputs(), whole.nodes(),
                    whole.constants(), Map.of(), metadata), trunk, head);
        }
        Graph other = new ClassTransfer(this, names, seed).apply();
        DetectHead changed = new DetectHead(head.family(), names.size(), head.strides(), head.anchors(),
                head.outputs());
        return decoded(other, changed, metadata);
    }

    /**
     * The network with the constants of a trained trunk; the same trunk, or one with other nodes and the same values.
     */
    public Graph with(Graph trained) {
        Set<String> inside = new HashSet<>();
        trunk.nodes().forEach(node -> inside.addAll(node.outputs()));
        List<Node> nodes = new ArrayList<>(trained.nodes());
        Map<String, Tensor> constants = new HashMap<>();
        Set<String> read = new HashSet<>();
        for (Node node : whole.nodes()) {
            if (node.outputs().stream().noneMatch(inside::contains)) {
                nodes.add(node);
                read.addAll(node.inputs());
            }
        }
        whole.constants().forEach((name, value) -> {
            if (read.contains(name)) {
                constants.put(name, value);
            }
        });
        constants.putAll(trained.constants());
        return whole.withNodes(nodes, constants);
    }

    /** The same model with another trunk that gives the same values. */
    public TrainableModel withTrunk(Graph other) {
        Graph full = with(other);
        Map<String, ValueInfo> infos = ShapeInference.infer(full.withOutputs(List.of()));
        return new TrainableModel(full,
                Subgraphs.upTo(full, head.outputs().stream().map(infos::get).toList()), head);
    }

    /** Whether a convolution of the trunk, heads apart, is without batch normalisation. */
    public boolean isFolded() {
        Set<String> normalized = new HashSet<>();
        trunk.nodes().stream().filter(node -> node.op() instanceof Op.BatchNormalization)
                .forEach(node -> normalized.add(node.input(0)));
        return trunk.nodes().stream().filter(node -> node.op() instanceof Op.Conv)
                .noneMatch(node -> normalized.contains(node.output()));
    }
}
