package dev.shrike.cpu;

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
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Small networks that between them have every operation in a place where it runs: what the fuzzers start from. */
final class FuzzNetworks {
    private static final int SIDE = 6;

    private final Random random = new Random(7);
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Tensor> constants = new HashMap<>();
    private final List<String> results = new ArrayList<>();

    private FuzzNetworks() {}

    /** All of them, by name. */
    static Map<String, Graph> all() {
        Map<String, Graph> graphs = new HashMap<>();
        graphs.put("windows", new FuzzNetworks().windows());
        graphs.put("functions", new FuzzNetworks().functions());
        graphs.put("moves", new FuzzNetworks().moves());
        graphs.put("shapes", new FuzzNetworks().shapes());
        graphs.put("matrices", new FuzzNetworks().matrices());
        graphs.put("anchors", new FuzzNetworks().anchorHead());
        graphs.put("distribution", new FuzzNetworks().distributionHead());
        graphs.put("quantisers", new FuzzNetworks().quantisers());
        return graphs;
    }

    private Graph windows() {
        String x = convolution("x", 4, 8, new Window(3, 3, 1, 1, 1, 1, 1, 1, 1, 1, Window.AutoPad.EXPLICIT), 1);
        x = convolution(x, 8, 8, new Window(3, 2, 1, 1, 2, 1, 2, 0, 2, 1, Window.AutoPad.EXPLICIT), 8);
        x = convolution(x, 8, 6, new Window(3, 3, 2, 1, 0, 0, 0, 0, 1, 1, Window.AutoPad.SAME_UPPER), 2);
        Window same = new Window(2, 3, 1, 1, 0, 1, 1, 1, 1, 1, Window.AutoPad.EXPLICIT);
        x = add(new Op.BatchNormalization(1e-3f), x, floats(6), floats(6), floats(6), positive(6));
        result(add(new Op.MaxPool(same, true), x));
        result(add(new Op.MaxPool(Window.square(2, 2, 0), false), x));
        result(add(new Op.AveragePool(same, false, true), x));
        result(add(new Op.AveragePool(Window.square(3, 2, 1), true, false), x));
        result(add(new Op.GlobalAveragePool(), x));
        for (Op.Resize.Coordinates coordinates : Op.Resize.Coordinates.values()) {
            Op.Resize.Nearest nearest = Op.Resize.Nearest.values()[coordinates.ordinal()];
            result(add(new Op.Resize(Op.Resize.Mode.NEAREST, coordinates, nearest), x, "",
                    constant(Tensor.ofFloats(Shape.of(4), 1, 1, 2, 1.5f))));
            result(add(new Op.Resize(Op.Resize.Mode.LINEAR, coordinates, nearest), x, "", "",
                    constant(Tensor.vector(1, 6, 5, 4))));
        }
        return graph("windows");
    }

    private Graph functions() {
        String x = "x";
        String other = floats(1, 4, 1, SIDE);
        String above = add(new Op.Binary(Op.Binary.Kind.GREATER), x, other);
        for (Op.Unary.Kind kind : Op.Unary.Kind.values()) {
            boolean logical = kind == Op.Unary.Kind.NOT;
            String y = add(new Op.Unary(kind, 0.2f, 0.5f), logical ? above : x);
            result(logical ? add(new Op.Cast(DataType.FLOAT32), y) : y);
        }
        for (Op.Binary.Kind kind : Op.Binary.Kind.values()) {
            boolean logical =
                    kind == Op.Binary.Kind.AND || kind == Op.Binary.Kind.OR || kind == Op.Binary.Kind.XOR;
            String y = add(new Op.Binary(kind), logical ? above : x, logical ? above : other);
            result(kind.compareTo(Op.Binary.Kind.EQUAL) >= 0 ? add(new Op.Cast(DataType.FLOAT32), y) : y);
        }
        result(add(new Op.Clip(), x, constant(Tensor.scalar(-0.1f)), constant(Tensor.scalar(0.3f))));
        result(add(new Op.Cast(DataType.FLOAT32), x));
        for (Op.Reduce.Kind kind : Op.Reduce.Kind.values()) {
            boolean keep = kind.ordinal() % 2 == 0;
            result(add(new Op.Reduce(kind, keep), x, constant(Tensor.vector(1 + kind.ordinal() % 3))));
        }
        result(add(new Op.Softmax(1), x));
        result(add(new Op.Softmax(-1), x));
        for (Activation.Kind kind : Activation.Kind.values()) {
            String name = "activated" + kind.ordinal();
            nodes.add(new Node(name, new Op.Conv(Window.square(1, 1, 0), 1, new Activation(kind, 0.1f, 0.5f)),
                    List.of("x", floats(4, 4, 1, 1), floats(4), "x"), List.of(name)));
            result(name);
        }
        return graph("functions");
    }

    private Graph moves() {
        String x = "x";
        result(add(new Op.Slice(), x, longs(0, 5), longs(4, 0), longs(1, 3), longs(2, -2)));
        result(add(new Op.Slice(), x, longs(1), longs(-1), longs(2)));
        result(add(new Op.Pad(), x, longs(0, 1, 1, 0, 0, 0, 2, 1), constant(Tensor.scalar(3))));
        result(add(new Op.Gather(1), x, longs(3, 0, -1)));
        result(add(new Op.Gather(2), x, constant(Tensor.ofLongs(Shape.of(), 2))));
        result(add(new Op.Transpose(List.of(0, 2, 3, 1)), x));
        result(add(new Op.Flatten(2), x));
        result(add(new Op.Squeeze(), x, longs(0)));
        result(add(new Op.Unsqueeze(), x, longs(0)));
        result(add(new Op.DepthToSpace(2, true), x));
        result(add(new Op.DepthToSpace(2, false), x));
        result(add(new Op.Reshape(false), x, longs(0, 2, -1, SIDE)));
        nodes.add(new Node("halves", new Op.Split(1), List.of(x, longs(1, 3)), List.of("one", "three")));
        result(add(new Op.Concat(1), "three", "one", x));
        result(add(new Op.Concat(3), x, x));
        result(add(new Op.Identity(), x));
        return graph("moves");
    }

    private Graph shapes() {
        String shape = add(new Op.ShapeOf(0, Integer.MAX_VALUE), "x");
        String rows = add(new Op.Gather(0), shape, longs(2, 3));
        String target = add(new Op.Concat(0), longs(1, -1), rows);
        result(add(new Op.Reshape(false), "x", target));
        String cells = add(new Op.Range(), constant(Tensor.scalar(0)), constant(Tensor.scalar(SIDE)),
                constant(Tensor.scalar(1)));
        String grid = add(new Op.Expand(), cells, longs(1, 4, SIDE, SIDE));
        String tiled = add(new Op.Tile(), grid, longs(1, 1, 1, 1));
        String filled = add(new Op.ConstantOfShape(Tensor.ofFloats(Shape.of(1), 0.5f)), longs(1, 4, 1, SIDE));
        String chosen = add(new Op.Where(), constant(Tensor.of(DataType.BOOL, Shape.of(2), 1, 0)),
                constant(Tensor.ofFloats(Shape.of(1), 1)), constant(Tensor.ofFloats(Shape.of(2), 2, 3)));
        result(add(new Op.Binary(Op.Binary.Kind.ADD), add(new Op.Binary(Op.Binary.Kind.MUL), "x", tiled), filled));
        result(add(new Op.Binary(Op.Binary.Kind.ADD), add(new Op.Slice(), "x", longs(0), longs(2), longs(3)), chosen));
        return graph("shapes");
    }

    private Graph matrices() {
        result(add(new Op.MatMul(), "x", floats(SIDE, 5)));
        result(add(new Op.MatMul(), "x", add(new Op.Transpose(List.of(0, 1, 3, 2)), "x")));
        result(add(new Op.MatMul(), "x", floats(SIDE)));
        String flat = add(new Op.Reshape(false), "x", longs(SIDE, -1));
        result(add(new Op.Gemm(0.5f, 2, false, true), flat, floats(7, 4 * SIDE), floats(7)));
        result(add(new Op.Gemm(1, 1, true, false), flat, floats(SIDE, 3), floats(1, 3)));
        return graph("matrices");
    }

    /** A head with anchors as YOLOv5 has it. */
    private Graph anchorHead() {
        int cells = SIDE * SIDE;
        String x = convolution("x", 4, 2 * 7, Window.square(1, 1, 0), 1);
        x = add(new Op.Reshape(false), x, longs(1, 2, 7, SIDE, SIDE));
        x = add(Op.Unary.of(Op.Unary.Kind.SIGMOID), add(new Op.Transpose(List.of(0, 1, 3, 4, 2)), x));
        nodes.add(new Node("parts", new Op.Split(4), List.of(x, longs(2, 2, 3)), List.of("xy", "wh", "conf")));
        String xy = add(new Op.Binary(Op.Binary.Kind.MUL), "xy", constant(Tensor.scalar(2)));
        xy = add(new Op.Binary(Op.Binary.Kind.ADD), xy, floats(1, 2, SIDE, SIDE, 2));
        String wh = add(new Op.Binary(Op.Binary.Kind.POW), "wh", constant(Tensor.scalar(2)));
        wh = add(new Op.Binary(Op.Binary.Kind.MUL), wh, floats(1, 2, 1, 1, 2));
        String all = add(new Op.Concat(4), xy, wh, "conf");
        result(add(new Op.Reshape(false), all, longs(1, 2 * cells, 7)));
        return graph("anchors");
    }

    /** A head with distributions of distances as YOLOv8 has it. */
    private Graph distributionHead() {
        int cells = SIDE * SIDE;
        String x = add(Op.Unary.of(Op.Unary.Kind.SILU), convolution("x", 4, 8, Window.square(3, 1, 1), 1));
        String boxes = add(new Op.Reshape(false), convolution(x, 8, 16, Window.square(1, 1, 0), 1), longs(1, 16, -1));
        String classes = add(new Op.Reshape(false), convolution(x, 8, 3, Window.square(1, 1, 0), 1), longs(1, 3, -1));
        String four = add(new Op.Transpose(List.of(0, 2, 1, 3)), add(new Op.Reshape(false), boxes,
                longs(1, 4, 4, cells)));
        String sums = convolution(add(new Op.Softmax(1), four), 4, 1, Window.square(1, 1, 0), 1);
        String distances = add(new Op.Reshape(false), sums, longs(1, 4, cells));
        nodes.add(new Node("sides", new Op.Split(1), List.of(distances), List.of("near", "far")));
        String near = add(new Op.Binary(Op.Binary.Kind.SUB), floats(1, 2, cells), "near");
        String far = add(new Op.Binary(Op.Binary.Kind.ADD), "far", floats(1, 2, cells));
        String size = add(new Op.Binary(Op.Binary.Kind.SUB), far, near);
        result(add(new Op.Concat(1), near, size, add(Op.Unary.of(Op.Unary.Kind.SIGMOID), classes)));
        return graph("distribution");
    }

    /** Quantisers as nodes, as ONNX files have them: QDQ, QONNX and those that measure. */
    private Graph quantisers() {
        String scale = constant(Tensor.scalar(0.02f));
        String zero = constant(Tensor.of(DataType.UINT8, Shape.of(), 3));
        String x = add(new Op.DequantizeLinear(0), add(new Op.QuantizeLinear(0, DataType.UINT8), "x", scale, zero),
                scale, zero);
        String codes = constant(Tensor.of(DataType.INT8, Shape.of(5, 4, 1, 1), random.longs(20, -128, 128).toArray()));
        String weights = add(new Op.DequantizeLinear(0), codes, positive(5),
                constant(Tensor.of(DataType.INT8, Shape.of(5), 0, 0, 0, 0, 0)));
        x = add(new Op.Conv(Window.square(1, 1, 0), 1, Activation.NONE), x, weights, floats(5));
        x = add(new Op.DequantizeLinear(0), add(new Op.QuantizeLinear(0, DataType.UINT8), x, scale, zero), scale, zero);
        result(x);
        String few = add(new Op.Quant(true, false, "ROUND"), x, scale, constant(Tensor.scalar(0)),
                constant(Tensor.scalar(4)));
        String signs = add(new Op.BipolarQuant(), floats(3, 5, 1, 1), scale);
        String y = add(new Op.Conv(Window.square(1, 1, 0), 1, Activation.NONE), few, signs);
        result(add(new Op.Trunc("FLOOR"), few, scale, constant(Tensor.scalar(0)), constant(Tensor.scalar(4)),
                constant(Tensor.scalar(3))));
        nodes.add(new Node("measure", new Op.DynamicQuantizeLinear(), List.of(y), List.of("codes", "scale", "zero")));
        String measured = add(new Op.DequantizeLinear(0), "codes", "scale", "zero");
        String last = add(new Op.DequantizeLinear(0),
                constant(Tensor.of(DataType.INT8, Shape.of(2, 3, 1, 1), 5, -6, 7, 100, -128, 0)), positive(2),
                constant(Tensor.of(DataType.INT8, Shape.of(2), 0, 0)));
        result(add(new Op.Conv(Window.square(1, 1, 0), 1, Activation.NONE), measured, last, floats(2)));
        return graph("quantisers");
    }

    private String convolution(String from, int channels, int out, Window window, int group) {
        return add(new Op.Conv(window, group, Activation.NONE), from,
                floats(out, channels / group, window.kernelHeight(), window.kernelWidth()), floats(out));
    }

    private String add(Op op, String... inputs) {
        String name = "n" + nodes.size();
        nodes.add(new Node(name, op, List.of(inputs), List.of(name)));
        return name;
    }

    private void result(String name) {
        results.add(name);
    }

    private String constant(Tensor tensor) {
        String name = "c" + constants.size();
        constants.put(name, tensor);
        return name;
    }

    private String longs(long... values) {
        return constant(Tensor.vector(values));
    }

    private String floats(long... dims) {
        return constant(values(Shape.of(dims), -0.5f));
    }

    private String positive(long... dims) {
        return constant(values(Shape.of(dims), 0.01f));
    }

    private Tensor values(Shape shape, float least) {
        float[] values = new float[(int) shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = least + random.nextFloat();
        }
        return Tensor.ofFloats(shape, values);
    }

    private Graph graph(String name) {
        ValueInfo input = new ValueInfo("x", DataType.FLOAT32, Shape.of(1, 4, SIDE, SIDE));
        Graph open = new Graph(name, List.of(input), List.of(), nodes, constants, Map.of(), Map.of());
        Map<String, ValueInfo> types = dev.shrike.graph.inference.ShapeInference.infer(open);
        return open.withOutputs(results.stream().map(types::get).toList());
    }
}
