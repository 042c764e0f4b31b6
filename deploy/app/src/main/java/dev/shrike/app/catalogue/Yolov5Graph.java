package dev.shrike.app.catalogue;

import dev.shrike.app.catalogue.Yolov5Architecture.Layer;
import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.Window;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Builds the graph of a YOLOv5 network as Ultralytics' 6.x exporter traces it: {@code images} 1x3xHxW (RGB, 0 to 1) to
 * {@code output} 1xNx(5+classes) with centre, size in pixels, objectness and class scores, nodes named by their modules
 * ({@code /model.0/conv/Conv}), head {@code /model.24/*}, metadata {@code names} and {@code stride}.
 */
final class Yolov5Graph {
    private static final List<Integer> TO_BOXES = List.of(0, 1, 3, 4, 2);

    private final Yolov5Weights weights;
    private final int height;
    private final int width;
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Tensor> constants = new LinkedHashMap<>();
    private final Map<String, Integer> used = new HashMap<>();

    private Yolov5Graph(Yolov5Weights weights, int height, int width) {
        this.weights = weights;
        this.height = height;
        this.width = width;
    }

    /**
     * The network for one input size.
     *
     * @param height rows of the input, a multiple of 32
     * @param width columns of the input, a multiple of 32
     * @param classNames as many names as the architecture has classes
     */
    static Graph build(Yolov5Weights weights, int height, int width, List<String> classNames) {
        int stride = Yolov5Architecture.MAX_STRIDE;
        if (height < stride || width < stride || height % stride != 0 || width % stride != 0) {
            throw new IllegalArgumentException("input " + height + "x" + width + " is not in multiples of " + stride);
        }
        if (classNames.size() != weights.architecture().classes()) {
            throw new IllegalArgumentException(classNames.size() + " names for " + weights.architecture().classes()
                    + " classes");
        }
        return new Yolov5Graph(weights, height, width).build(classNames);
    }

    private Graph build(List<String> classNames) {
        List<Layer> layers = weights.architecture().layers();
        List<String> outputs = new ArrayList<>();
        String before = "images";
        for (int i = 0; i < layers.size(); i++) {
            String path = "/model." + i;
            before = switch (layers.get(i)) {
                case Layer.Conv conv -> conv(path, before, conv.kernel(), conv.stride(), conv.pad());
                case Layer.C3 c3 -> c3(path, before, c3);
                case Layer.Sppf sppf -> sppf(path, before);
                case Layer.Upsample upsample -> upsample(path, before);
                case Layer.Concat concat -> concat(path, 1, List.of(before, outputs.get(concat.other())));
                case Layer.Detect detect -> detect(path, detect.from().stream().map(outputs::get).toList());
            };
            outputs.add(before);
        }
        int numbers = weights.architecture().boxNumbers();
        return new Graph("yolov5", List.of(value("images", 3, height, width)),
                List.of(new ValueInfo("output", DataType.FLOAT32, Shape.of(1, boxes(), numbers))), nodes, constants,
                Map.of(), Map.of("stride", Integer.toString(Yolov5Architecture.MAX_STRIDE), "names",
                        names(classNames)));
    }

    private static ValueInfo value(String name, long... dims) {
        return new ValueInfo(name, DataType.FLOAT32, Shape.of(1, dims[0], dims[1], dims[2]));
    }

    private long boxes() {
        long cells = 0;
        for (int level = 0; level < Yolov5Architecture.ANCHORS.size(); level++) {
            int stride = stride(level);
            cells += (long) (height / stride) * (width / stride);
        }
        return weights.architecture().anchorsPerCell() * cells;
    }

    private static int stride(int level) {
        return 8 << level;
    }

    /** The names as Python prints a list of strings, which is how Ultralytics stores them. */
    private static String names(List<String> classNames) {
        return classNames.stream()
                .map(name -> "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'")
                .collect(Collectors.joining(", ", "[", "]"));
    }

    private String conv(String path, String input, int kernel, int stride, int pad) {
        String sum = bareConv(path + "/conv", input, kernel, stride, pad);
        String gate = node(path + "/act/Sigmoid", Op.Unary.of(Op.Unary.Kind.SIGMOID), List.of(sum));
        return node(path + "/act/Mul", new Op.Binary(Op.Binary.Kind.MUL), List.of(sum, gate));
    }

    private String bareConv(String path, String input, int kernel, int stride, int pad) {
        // "/model.2/m/m.0/cv1/conv" is the module "model.2.m.0.cv1.conv": an element of a list names its list twice.
        String module = path.substring(1).replace("/m/m.", "/m.").replace('/', '.');
        constants.put(module + ".weight", weights.tensors().get(module + ".weight"));
        constants.put(module + ".bias", weights.tensors().get(module + ".bias"));
        return node(path + "/Conv", new Op.Conv(Window.square(kernel, stride, pad), 1, Activation.NONE),
                List.of(input, module + ".weight", module + ".bias"));
    }

    private String c3(String path, String input, Layer.C3 c3) {
        String left = conv(path + "/cv1", input, 1, 1, 0);
        for (int i = 0; i < c3.bottlenecks(); i++) {
            String bottleneck = path + "/m/m." + i;
            String inner = conv(bottleneck + "/cv1", left, 1, 1, 0);
            inner = conv(bottleneck + "/cv2", inner, 3, 1, 1);
            left = c3.shortcut()
                    ? node(bottleneck + "/Add", new Op.Binary(Op.Binary.Kind.ADD), List.of(left, inner))
                    : inner;
        }
        String right = conv(path + "/cv2", input, 1, 1, 0);
        return conv(path + "/cv3", concat(path, 1, List.of(left, right)), 1, 1, 0);
    }

    private String sppf(String path, String input) {
        List<String> parts = new ArrayList<>();
        parts.add(conv(path + "/cv1", input, 1, 1, 0));
        for (String module : List.of("m", "m_1", "m_2")) {
            parts.add(node(path + "/" + module + "/MaxPool", new Op.MaxPool(Window.square(5, 1, 2), false),
                    List.of(parts.getLast())));
        }
        return conv(path + "/cv2", concat(path, 1, parts), 1, 1, 0);
    }

    private String upsample(String path, String input) {
        String scales = constant(path, Tensor.ofFloats(Shape.of(4), 1, 1, 2, 2));
        Op resize = new Op.Resize(Op.Resize.Mode.NEAREST, Op.Resize.Coordinates.ASYMMETRIC, Op.Resize.Nearest.FLOOR);
        return node(path + "/Resize", resize, List.of(input, "", scales));
    }

    private String concat(String path, int axis, List<String> parts) {
        return node(path + "/Concat", new Op.Concat(axis), parts);
    }

    private String detect(String path, List<String> inputs) {
        List<String> levels = new ArrayList<>();
        for (int level = 0; level < inputs.size(); level++) {
            levels.add(detectLevel(path, level, inputs.get(level)));
        }
        nodes.add(new Node(next(path + "/Concat"), new Op.Concat(1), levels, List.of("output")));
        return "output";
    }

    /**
     * One level of the head. With s = sigmoid of the convolution: centre = (2 s + cell - 1/2) stride, size = (2 s)^2
     * anchor, the scores are s themselves.
     */
    private String detectLevel(String path, int level, String input) {
        int anchors = weights.architecture().anchorsPerCell();
        int numbers = weights.architecture().boxNumbers();
        int stride = stride(level);
        int rows = height / stride;
        int columns = width / stride;
        String raw = bareConv(path + "/m." + level, input, 1, 1, 0);
        String split = reshape(path, raw, 1, anchors, numbers, rows, columns);
        String boxes = node(path + "/Transpose", new Op.Transpose(TO_BOXES), List.of(split));
        String scores = node(path + "/Sigmoid", Op.Unary.of(Op.Unary.Kind.SIGMOID), List.of(boxes));
        List<String> parts = split(path, scores, 2, 2, numbers - 4);
        String centre = binary(path, Op.Binary.Kind.MUL, parts.get(0), Tensor.scalar(2));
        centre = binary(path, Op.Binary.Kind.ADD, centre, cells(anchors, rows, columns));
        centre = binary(path, Op.Binary.Kind.MUL, centre, Tensor.scalar(stride));
        String size = binary(path, Op.Binary.Kind.MUL, parts.get(1), Tensor.scalar(2));
        size = binary(path, Op.Binary.Kind.POW, size, Tensor.scalar(2));
        size = binary(path, Op.Binary.Kind.MUL, size, anchorSizes(level, rows, columns));
        String joined = concat(path, 4, List.of(centre, size, parts.get(2)));
        return reshape(path, joined, 1, -1, numbers);
    }

    private List<String> split(String path, String input, long... sizes) {
        String name = next(path + "/Split");
        String sizesName = name + "_sizes";
        constants.put(sizesName, Tensor.vector(sizes));
        List<String> outputs = List.of(name + "_output_0", name + "_output_1", name + "_output_2");
        nodes.add(new Node(name, new Op.Split(4), List.of(input, sizesName), outputs));
        return outputs;
    }

    private String reshape(String path, String input, long... dims) {
        return node(path + "/Reshape", new Op.Reshape(false), List.of(input, constant(path, Tensor.vector(dims))));
    }

    private String binary(String path, Op.Binary.Kind kind, String left, Tensor right) {
        String operation = kind.name().charAt(0) + kind.name().substring(1).toLowerCase(Locale.ROOT);
        return node(path + "/" + operation, new Op.Binary(kind), List.of(left, constant(path, right)));
    }

    /** Column and row of each cell less one half, for each anchor: 1 x anchors x rows x columns x 2. */
    private static Tensor cells(int anchors, int rows, int columns) {
        float[] values = new float[anchors * rows * columns * 2];
        for (int i = 0; i < values.length / 2; i++) {
            values[2 * i] = i % columns - 0.5f;
            values[2 * i + 1] = i / columns % rows - 0.5f;
        }
        return Tensor.ofFloats(Shape.of(1, anchors, rows, columns, 2), values);
    }

    /** Width and height of each anchor in pixels, for each cell: 1 x anchors x rows x columns x 2. */
    private static Tensor anchorSizes(int level, int rows, int columns) {
        List<Float> sizes = Yolov5Architecture.ANCHORS.get(level);
        int cells = rows * columns;
        float[] values = new float[sizes.size() * cells];
        for (int i = 0; i < values.length; i++) {
            int anchor = i / 2 / cells;
            values[i] = sizes.get(2 * anchor + i % 2);
        }
        return Tensor.ofFloats(Shape.of(1, sizes.size() / 2, rows, columns, 2), values);
    }

    private String constant(String path, Tensor value) {
        String name = next(path + "/Constant") + "_output_0";
        constants.put(name, value);
        return name;
    }

    private String node(String wanted, Op op, List<String> inputs) {
        String name = next(wanted);
        nodes.add(new Node(name, op, inputs, List.of(name + "_output_0")));
        return name + "_output_0";
    }

    /** The name itself the first time, then with _1, _2 ..., as PyTorch's exporter numbers repeated operations. */
    private String next(String wanted) {
        int times = used.merge(wanted, 1, Integer::sum);
        return times == 1 ? wanted : wanted + "_" + (times - 1);
    }
}
