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
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.graph.inference.ShapeInference;
import dev.shrike.heads.Anchors;
import dev.shrike.heads.HeadDecoder;
import dev.shrike.vision.Labels;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the head of a network: the convolutions that no other one follows. What is behind them is run on zeros, whose
 * boxes are known: that tells the anchors, and whether the head is decoded as its family's papers and exporters have
 * it.
 */
final class HeadFinder {
    private static final int BOX = 4;
    private static final int OBJECTNESS = 5;
    /** Boxes of zeros in FLOAT32 are exact but for a few roundings; halves of a pixel would be another form. */
    private static final double TOLERANCE = 0.01;

    private final Graph graph;
    private final Map<String, ValueInfo> infos;
    private final int width;
    private final int height;

    private HeadFinder(Graph graph) {
        this.graph = graph;
        this.infos = ShapeInference.infer(graph);
        this.width = (int) graph.inputs().getFirst().shape().dim(3);
        this.height = (int) graph.inputs().getFirst().shape().dim(2);
    }

    /** The network, cut at its head. */
    static TrainableModel find(Graph graph) {
        return new HeadFinder(graph).find();
    }

    private TrainableModel find() {
        List<ValueInfo> values = values();
        List<Integer> strides = values.stream().map(this::stride).distinct().sorted().toList();
        if (strides.isEmpty() || strides.getFirst() < 1) {
            throw unknown(values);
        }
        Optional<DetectHead> head = values.size() == strides.size() ? anchored(values, strides)
                : values.size() == 2 * strides.size() ? anchorFree(values, strides) : Optional.empty();
        DetectHead found = head.orElseThrow(() -> unknown(values));
        Graph trunk = Subgraphs.upTo(graph, found.outputs().stream().map(infos::get).toList());
        return new TrainableModel(graph, trunk, found);
    }

    /** The results of the last convolutions; one with a single output, such as YOLOv8's DFL, decodes. */
    private List<ValueInfo> values() {
        List<String> convolutions = graph.nodes().stream()
                .filter(node -> node.op() instanceof Op.Conv && graph.constants().containsKey(node.input(1))
                        && graph.constants().get(node.input(1)).shape().dim(0) > 1)
                .map(Node::output).toList();
        Set<String> read = new HashSet<>();
        Subgraphs.needed(graph, convolutions).forEach(node -> read.addAll(node.inputs()));
        return convolutions.stream().filter(name -> !read.contains(name)).map(infos::get)
                .sorted(Comparator.comparingInt(this::stride)).toList();
    }

    private int stride(ValueInfo value) {
        Shape shape = value.shape();
        long stride = shape.rank() == 4 && shape.dim(3) > 0 ? width / shape.dim(3) : 0;
        return stride > 0 && stride * shape.dim(3) == width && stride * shape.dim(2) == height ? (int) stride : 0;
    }

    private UnsupportedModelException unknown(List<ValueInfo> values) {
        return new UnsupportedModelException("has no head that can be trained: expected that of YOLOv5 (a convolution"
                + " per stride) or YOLOv8 (two per stride, boxes as distributions), found the last convolutions "
                + values.stream().map(value -> "'" + value.name() + "' " + value.shape()).toList());
    }

    private Optional<DetectHead> anchored(List<ValueInfo> values, List<Integer> strides) {
        long channels = values.getFirst().shape().dim(1);
        if (values.stream().anyMatch(value -> value.shape().dim(1) != channels)) {
            return Optional.empty();
        }
        List<String> names = values.stream().map(ValueInfo::name).toList();
        if (graph.outputs().size() == values.size()) {
            return rawAnchored(names, strides, channels);
        }
        float[] boxes = decodedZeros(names);
        int numbers = (int) graph.outputs().getFirst().shape().dim(-1);
        if (numbers <= OBJECTNESS || channels % numbers != 0) {
            return Optional.empty();
        }
        int anchors = (int) channels / numbers;
        List<Float> sizes = new ArrayList<>();
        long row = 0;
        for (int stride : strides) {
            int cells = (height / stride) * (width / stride);
            for (int anchor = 0; anchor < anchors; anchor++, row += cells) {
                int at = Math.toIntExact(row * numbers);
                require(boxes, at, stride / 2.0, stride / 2.0);
                require(boxes, at + BOX, 0.5, 0.5);
                sizes.add(boxes[at + 2]);
                sizes.add(boxes[at + 3]);
            }
        }
        return Optional.of(new DetectHead(DetectHead.Family.YOLOV5, numbers - OBJECTNESS, strides, sizes, names));
    }

    private Optional<DetectHead> rawAnchored(List<String> names, List<Integer> strides, long channels) {
        int anchors = 3;
        if (channels % anchors != 0 || channels / anchors <= OBJECTNESS) {
            return Optional.empty();
        }
        float[] sizes = Labels.says(graph.metadata(), HeadDecoder.ANCHORS)
                ? Anchors.parse(graph.metadata().get(HeadDecoder.ANCHORS), strides.size() * anchors)
                : Anchors.standard(strides).orElseThrow(() -> new UnsupportedModelException("ends in raw heads of the"
                        + " strides " + strides + " and holds no anchors: add the metadata entry 'anchors'"));
        List<Float> list = new ArrayList<>();
        for (float size : sizes) {
            list.add(size);
        }
        return Optional.of(new DetectHead(DetectHead.Family.YOLOV5, (int) channels / anchors - OBJECTNESS, strides,
                list, names));
    }

    private Optional<DetectHead> anchorFree(List<ValueInfo> values, List<Integer> strides) {
        int distances = BOX * DetectHead.BINS;
        List<String> names = new ArrayList<>();
        long classes = 0;
        for (int i = 0; i < values.size(); i += 2) {
            boolean first = values.get(i).shape().dim(1) == distances
                    && (values.get(i + 1).shape().dim(1) != distances || !values.get(i).name().contains("cv3"));
            ValueInfo boxes = values.get(first ? i : i + 1);
            ValueInfo scores = values.get(first ? i + 1 : i);
            if (boxes.shape().dim(1) != distances || i > 0 && scores.shape().dim(1) != classes) {
                return Optional.empty();
            }
            classes = scores.shape().dim(1);
            names.add(boxes.name());
            names.add(scores.name());
        }
        if (graph.outputs().size() == 1) {
            checkAnchorFree(decodedZeros(names), strides, (int) classes);
        }
        return Optional.of(new DetectHead(DetectHead.Family.YOLOV8, (int) classes, strides, List.of(), names));
    }

    private void checkAnchorFree(float[] boxes, List<Integer> strides, int classes) {
        int rows = (int) graph.outputs().getFirst().shape().dim(2);
        if (boxes.length != rows * (BOX + classes)) {
            throw otherForm();
        }
        int at = 0;
        for (int stride : strides) {
            double side = (DetectHead.BINS - 1) * stride;
            double[] wanted = {stride / 2.0, stride / 2.0, side, side, 0.5};
            for (int i = 0; i < wanted.length; i++) {
                requireNear(boxes[at + i * rows], wanted[i]);
            }
            at += (height / stride) * (width / stride);
        }
    }

    /** What the network gives for heads of nothing but zeros. */
    private float[] decodedZeros(List<String> names) {
        List<Node> before = Subgraphs.needed(graph, names);
        List<Node> behind = graph.nodes().stream().filter(node -> !before.contains(node)).toList();
        List<ValueInfo> inputs = names.stream().map(infos::get).toList();
        ValueInfo output = graph.outputs().getFirst();
        Map<String, Tensor> zeros = new HashMap<>();
        inputs.forEach(input -> zeros.put(input.name(),
                Tensor.ofFloats(input.shape(), new float[Math.toIntExact(input.shape().elements())])));
        try {
            Graph decoding = Subgraphs.of(graph, behind, inputs, List.of(output));
            return ReferenceEvaluator.run(decoding, zeros, Set.of(output.name())).get(output.name()).toFloats();
        } catch (ModelException e) {
            throw new UnsupportedModelException("its head cannot be trained apart from the rest: " + e.getMessage(), e);
        }
    }

    private static void require(float[] values, int at, double first, double second) {
        requireNear(values[at], first);
        requireNear(values[at + 1], second);
    }

    private static void requireNear(double value, double wanted) {
        if (!(Math.abs(value - wanted) <= TOLERANCE)) {
            throw otherForm();
        }
    }

    private static UnsupportedModelException otherForm() {
        return new UnsupportedModelException("does not decode its head as YOLOv5 and YOLOv8 export it (boxes in pixels,"
                + " scores after a sigmoid): export it in that form, or up to its raw heads");
    }
}
