package dev.shrike.calibration.prune;

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

/**
 * Random networks with all that ties channels: residual additions, concatenations, splits, slices, grouped and
 * depthwise convolutions, channel shuffles, squeeze and excitation, attention over positions, poolings and upsampling.
 */
public final class RandomNetwork {
    private static final int SIDE = 8;

    private final Random random;
    private final boolean shifts;
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Tensor> constants = new HashMap<>();
    private final List<String> values = new ArrayList<>();
    private final Map<String, int[]> shapes = new HashMap<>();
    private int count;

    private RandomNetwork(long seed, boolean shifts) {
        this.random = new Random(seed);
        this.shifts = shifts;
    }

    /**
     * The network of that seed.
     *
     * @param shifts whether values may be shifted by constants, so that a channel without weights is not zero
     */
    public static Graph graph(long seed, boolean shifts) {
        RandomNetwork network = new RandomNetwork(seed, shifts);
        network.shapes.put("images", new int[] {3, SIDE, SIDE});
        String x = network.conv("images", 8 + 4 * network.random.nextInt(2), 3, 1);
        network.values.add(x);
        int steps = 6 + network.random.nextInt(8);
        for (int i = 0; i < steps; i++) {
            network.step();
        }
        return network.ended();
    }

    private Graph ended() {
        List<ValueInfo> outputs = new ArrayList<>();
        List<String> last = List.of(values.getLast(), values.get(random.nextInt(values.size())));
        for (String value : last.stream().distinct().toList()) {
            int[] shape = shapes.get(value);
            String head = conv(value, 6, 1, 1);
            String out = name("out");
            constant(out + ".shape", Tensor.vector(1, 2, 3, (long) shape[1] * shape[2]));
            node(out, new Op.Reshape(false), head, out + ".shape");
            outputs.add(new ValueInfo(out, DataType.FLOAT32, Shape.of(1, 2, 3, (long) shape[1] * shape[2])));
        }
        return new Graph("random", List.of(new ValueInfo("images", DataType.FLOAT32, Shape.of(1, 3, SIDE, SIDE))),
                outputs, nodes, constants, Map.of(), Map.of());
    }

    private void step() {
        String x = values.get(random.nextInt(values.size()));
        int[] shape = shapes.get(x);
        values.add(switch (random.nextInt(13)) {
            case 0, 1 -> conv(x, 4 * (1 + random.nextInt(4)), random.nextBoolean() ? 3 : 1, 1);
            case 2 -> residual(x);
            case 3 -> concat(x);
            case 4 -> split(x);
            case 5 -> conv(x, shape[0] * (1 + random.nextInt(2)), 3, shape[0]);
            case 6 -> shape[0] % 2 == 0 ? conv(x, 8, 3, 2) : x;
            case 7 -> shape[0] % 2 == 0 ? shuffle(x) : x;
            case 8 -> excitation(x);
            case 9 -> pool(x);
            case 10 -> slice(x);
            case 11 -> attention(x);
            default -> scaled(x);
        });
    }

    private String name(String kind) {
        return kind + count++;
    }

    private void constant(String name, Tensor tensor) {
        constants.put(name, tensor);
    }

    private String node(String output, Op op, String... inputs) {
        nodes.add(new Node(output + ".node", op, List.of(inputs), List.of(output)));
        return output;
    }

    private String shaped(String value, int... shape) {
        shapes.put(value, shape);
        return value;
    }

    private Tensor floats(double spread, long... dims) {
        Shape shape = Shape.of(dims);
        float[] values = new float[(int) shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (spread * random.nextGaussian());
        }
        return Tensor.ofFloats(shape, values);
    }

    private String conv(String x, int outputs, int side, int group) {
        int[] in = shapes.get(x);
        String name = name("conv");
        int each = in[0] / group;
        // Where a constant that is not zero meets padding, its sum is not the same everywhere.
        int kernel = shifts ? 1 : side;
        double shift = shifts ? 0.3 : 0;
        constant(name + ".w", floats(1 / Math.sqrt(each * kernel * kernel), outputs, each, kernel, kernel));
        List<String> inputs = new ArrayList<>(List.of(x, name + ".w"));
        boolean normalised = random.nextBoolean();
        if (random.nextBoolean()) {
            constant(name + ".b", floats(shift, outputs));
            inputs.add(name + ".b");
        }
        nodes.add(new Node(name, new Op.Conv(Window.square(kernel, 1, kernel / 2), group, Activation.NONE), inputs,
                List.of(name + ".raw")));
        String value = name + ".raw";
        if (normalised) {
            constant(name + ".gamma", floats(1, outputs));
            constant(name + ".beta", floats(shift, outputs));
            constant(name + ".mean", floats(0.3, outputs));
            float[] variance = floats(0.3, outputs).toFloats();
            for (int i = 0; i < variance.length; i++) {
                variance[i] = 0.5f + variance[i] * variance[i];
            }
            constant(name + ".variance", Tensor.ofFloats(Shape.of(outputs), variance));
            value = node(name + ".bn", new Op.BatchNormalization(1e-3f), value, name + ".gamma", name + ".beta",
                    name + ".mean", name + ".variance");
        }
        String out = node(name + ".act",
                Op.Unary.of(random.nextBoolean() ? Op.Unary.Kind.SILU : Op.Unary.Kind.RELU), value);
        return shaped(out, outputs, in[1], in[2]);
    }

    private String residual(String x) {
        int[] shape = shapes.get(x);
        String inner = conv(conv(x, 4 + 4 * random.nextInt(2), 1, 1), shape[0], 3, 1);
        return shaped(node(name("sum"), new Op.Binary(Op.Binary.Kind.ADD), x, inner), shape);
    }

    private String concat(String x) {
        int[] shape = shapes.get(x);
        List<String> same = values.stream()
                .filter(v -> shapes.get(v)[1] == shape[1] && shapes.get(v)[2] == shape[2]).toList();
        String other = same.get(random.nextInt(same.size()));
        return shaped(node(name("concat"), new Op.Concat(1), x, other), shape[0] + shapes.get(other)[0], shape[1],
                shape[2]);
    }

    private String split(String x) {
        int[] shape = shapes.get(x);
        int first = 1 + random.nextInt(shape[0] - 1);
        String name = name("split");
        constant(name + ".sizes", Tensor.vector(first, shape[0] - first));
        nodes.add(new Node(name, new Op.Split(1), List.of(x, name + ".sizes"), List.of(name + ".a", name + ".b")));
        shaped(name + ".a", first, shape[1], shape[2]);
        shaped(name + ".b", shape[0] - first, shape[1], shape[2]);
        if (first > 1) {
            values.add(name + ".a");
        }
        return shape[0] - first > 1 ? name + ".b" : x;
    }

    private String shuffle(String x) {
        int[] shape = shapes.get(x);
        String name = name("shuffle");
        constant(name + ".apart", Tensor.vector(1, 2, shape[0] / 2, shape[1], shape[2]));
        constant(name + ".together", Tensor.vector(1, shape[0], shape[1], shape[2]));
        node(name + ".1", new Op.Reshape(false), x, name + ".apart");
        node(name + ".2", new Op.Transpose(List.of(0, 2, 1, 3, 4)), name + ".1");
        return shaped(node(name, new Op.Reshape(false), name + ".2", name + ".together"), shape);
    }

    private String excitation(String x) {
        int[] shape = shapes.get(x);
        String pooled = shaped(node(name("pooled"), new Op.GlobalAveragePool(), x), shape[0], 1, 1);
        String inner = conv(pooled, 4, 1, 1);
        String gate = conv(inner, shape[0], 1, 1);
        String opened = node(name("gate"), Op.Unary.of(Op.Unary.Kind.SIGMOID), gate);
        return shaped(node(name("excited"), new Op.Binary(Op.Binary.Kind.MUL), x, opened), shape);
    }

    private String pool(String x) {
        int[] shape = shapes.get(x);
        if (shape[1] > 4) {
            return shaped(node(name("max"), new Op.MaxPool(Window.square(2, 2, 0), false), x), shape[0], shape[1] / 2,
                    shape[2] / 2);
        }
        String name = name("large");
        constant(name + ".scales", Tensor.ofFloats(Shape.of(4), 1, 1, 2, 2));
        return shaped(node(name, new Op.Resize(Op.Resize.Mode.NEAREST, Op.Resize.Coordinates.ASYMMETRIC,
                Op.Resize.Nearest.FLOOR), x, "", name + ".scales"), shape[0], shape[1] * 2, shape[2] * 2);
    }

    private String slice(String x) {
        int[] shape = shapes.get(x);
        int from = random.nextInt(shape[0] / 2);
        String name = name("slice");
        constant(name + ".from", Tensor.vector(from));
        constant(name + ".to", Tensor.vector(Integer.MAX_VALUE));
        constant(name + ".axes", Tensor.vector(1));
        return shaped(node(name, new Op.Slice(), x, name + ".from", name + ".to", name + ".axes"), shape[0] - from,
                shape[1], shape[2]);
    }

    /** Positions attend to positions: {@code V softmax(K^T Q)} for 4-channel queries and keys. */
    private String attention(String x) {
        int[] shape = shapes.get(x);
        int positions = shape[1] * shape[2];
        String name = name("attention");
        String[] parts = new String[3];
        for (int i = 0; i < 3; i++) {
            int channels = i == 2 ? shape[0] : 4;
            String part = conv(x, channels, 1, 1);
            constant(name + ".flat" + i, Tensor.vector(1, channels, positions));
            parts[i] = node(name + ".part" + i, new Op.Reshape(false), part, name + ".flat" + i);
        }
        String keys = node(name + ".keys", new Op.Transpose(List.of(0, 2, 1)), parts[1]);
        String products = node(name + ".products", new Op.MatMul(), keys, parts[0]);
        String weights = node(name + ".weights", new Op.Softmax(1), products);
        String attended = node(name + ".attended", new Op.MatMul(), parts[2], weights);
        constant(name + ".shape", Tensor.vector(1, shape[0], shape[1], shape[2]));
        return shaped(node(name, new Op.Reshape(false), attended, name + ".shape"), shape);
    }

    private String scaled(String x) {
        int[] shape = shapes.get(x);
        String name = name("scaled");
        constant(name + ".by", floats(1, 1, shape[0], 1, 1));
        return shaped(node(name, new Op.Binary(shifts ? Op.Binary.Kind.ADD : Op.Binary.Kind.MUL), x, name + ".by"),
                shape);
    }
}
