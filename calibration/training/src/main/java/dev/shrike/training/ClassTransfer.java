package dev.shrike.training;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.inference.ShapeInference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Collectors;

/** The trunk of a network with a head for other classes. */
final class ClassTransfer {
    private static final int BEFORE_CLASSES = 5;
    /** Objects per image that YOLOv5 and YOLOv8 expect when they set the first bias of a class. */
    private static final double EXPECTED_OBJECTS = 5;
    private static final double EXPECTED_SCORE = 0.6;

    private final TrainableModel model;
    private final List<String> names;
    private final SplittableRandom random;

    ClassTransfer(TrainableModel model, List<String> names, long seed) {
        this.model = model;
        this.names = names;
        this.random = new SplittableRandom(seed);
    }

    /** Names as Python prints a list of strings, which is how Ultralytics stores them. */
    static String literal(List<String> names) {
        return names.stream().map(name -> "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'")
                .collect(Collectors.joining(", ", "[", "]"));
    }

    Graph apply() {
        DetectHead head = model.head();
        Map<String, Tensor> constants = new HashMap<>(model.trunk().constants());
        List<Integer> rows = new ArrayList<>();
        boolean anchored = head.family() == DetectHead.Family.YOLOV5;
        int kept = anchored ? BEFORE_CLASSES : 0;
        int groups = anchored ? head.anchorsPerStride() : 1;
        for (int group = 0; group < groups; group++) {
            int from = group * (kept + head.classes());
            for (int i = 0; i < kept; i++) {
                rows.add(from + i);
            }
            for (String name : names) {
                int old = model.classNames().indexOf(name);
                rows.add(old < 0 ? -1 : from + kept + old);
            }
        }
        for (int i = anchored ? 0 : 1; i < head.outputs().size(); i += anchored ? 1 : 2) {
            replace(head.outputs().get(i), head.strides().get(anchored ? i : i / 2), rows, constants);
        }
        Graph bare = model.trunk().withOutputs(List.of()).withNodes(model.trunk().nodes(), constants);
        Map<String, ValueInfo> infos = ShapeInference.infer(bare);
        return bare.withOutputs(head.outputs().stream().map(infos::get).toList());
    }

    private void replace(String output, int stride, List<Integer> rows, Map<String, Tensor> constants) {
        Node node = model.trunk().nodes().stream().filter(other -> other.outputs().contains(output)).findFirst()
                .orElseThrow();
        long readers = model.trunk().nodes().stream().filter(other -> other.inputs().contains(node.input(1))).count();
        if (readers > 1 || !node.hasInput(2) || !constants.containsKey(node.input(2))) {
            throw new UnsupportedModelException("node '" + node.name() + "' of the head has no weights and bias of its"
                    + " own, so that it cannot have other classes");
        }
        Tensor weights = constants.get(node.input(1));
        float[] old = weights.toFloats();
        float[] oldBias = constants.get(node.input(2)).toFloats();
        int size = old.length / oldBias.length;
        float[] fresh = new float[rows.size() * size];
        float[] bias = new float[rows.size()];
        // PyTorch's own start of a convolution: even within 1 / sqrt(inputs).
        double bound = 1 / Math.sqrt(size);
        for (int i = 0; i < bias.length; i++) {
            int row = rows.get(i);
            for (int k = 0; k < size; k++) {
                fresh[i * size + k] = row >= 0 ? old[row * size + k] : (float) random.nextDouble(-bound, bound);
            }
            bias[i] = row >= 0 ? oldBias[row] : (float) startBias(stride);
        }
        long[] dims = weights.shape().toArray();
        dims[0] = rows.size();
        constants.put(node.input(1), Tensor.ofFloats(Shape.of(dims), fresh));
        constants.put(node.input(2), Tensor.ofFloats(Shape.of(bias.length), bias));
    }

    /** The logit of a class before anything is learnt, as YOLOv5 and YOLOv8 set it. */
    private double startBias(int stride) {
        return model.head().family() == DetectHead.Family.YOLOV5
                ? Math.log(EXPECTED_SCORE / (names.size() - 0.99999))
                : Math.log(EXPECTED_OBJECTS / names.size() / Math.pow(640.0 / stride, 2));
    }
}
