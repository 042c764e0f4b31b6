package dev.shrike.cpu;

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
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Networks of random layers on random small images: the shapes a detector is made of, wired at random. */
public final class RandomGraphs {
    private record Value(String name, int[] dims) {}

    private final Random random;
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Tensor> constants = new HashMap<>();
    private final List<Value> pool = new ArrayList<>();
    private final Set<String> read = new HashSet<>();
    private int next;

    private RandomGraphs(Random random) {
        this.random = random;
    }

    /** A network of about that many layers with one input {@code x}. */
    public static Graph make(Random random, int layers) {
        return new RandomGraphs(random).build(layers);
    }

    private Graph build(int layers) {
        int[] dims = {1, 1 + random.nextInt(8), 4 + random.nextInt(8), 4 + random.nextInt(8)};
        pool.add(new Value("x", dims));
        // A layer that does not suit what it was to read adds nothing; a network needs a result.
        for (int i = 0; i < layers || pool.size() == 1; i++) {
            layer();
        }
        List<ValueInfo> outputs = new ArrayList<>();
        for (Value value : pool) {
            if (!read.contains(value.name()) && !value.name().equals("x")) {
                outputs.add(new ValueInfo(value.name(), DataType.FLOAT32, shape(value.dims())));
            }
        }
        ValueInfo input = new ValueInfo("x", DataType.FLOAT32, shape(dims));
        return new Graph("random", List.of(input), outputs, nodes, constants, Map.of(), Map.of());
    }

    private void layer() {
        Value in = pool.get(pool.size() - 1 - random.nextInt(Math.min(pool.size(), 4)));
        boolean image = in.dims().length == 4;
        switch (random.nextInt(12)) {
            case 0, 1, 2 -> {
                if (image) {
                    convolution(in);
                }
            }
            case 3 -> add(new Op.Unary(pick(Op.Unary.Kind.SIGMOID, Op.Unary.Kind.SILU, Op.Unary.Kind.RELU), 0, 0), in,
                    in.dims());
            case 4 -> binaryWithConstant(in);
            case 5 -> binaryOfTwo(in);
            case 6 -> concat(in);
            case 7 -> split(in);
            case 8 -> reshape(in);
            case 9 -> transpose(in);
            case 10 -> {
                if (image) {
                    add(new Op.MaxPool(Window.square(3, 1, 1), false), in, in.dims());
                }
            }
            default -> {
                if (image && in.dims()[2] * in.dims()[3] < 400) {
                    resize(in);
                }
            }
        }
    }

    private void convolution(Value in) {
        int kernel = pick(1, 3, 6);
        int stride = pick(1, 2);
        int pad = kernel / 2;
        int[] d = in.dims();
        int out = 1 + random.nextInt(40);
        int height = (d[2] + 2 * pad - kernel) / stride + 1;
        int width = (d[3] + 2 * pad - kernel) / stride + 1;
        if (height < 1 || width < 1) {
            return;
        }
        String weights = constant(out, d[1], kernel, kernel);
        String bias = constant(out);
        String name = "conv" + next;
        read.add(in.name());
        nodes.add(new Node(
                name,
                new Op.Conv(Window.square(kernel, stride, pad), 1, dev.shrike.graph.Activation.NONE),
                List.of(in.name(), weights, bias),
                List.of(name)));
        next++;
        Value result = new Value(name, new int[] {d[0], out, height, width});
        pool.add(result);
        if (random.nextBoolean()) {
            add(Op.Unary.of(Op.Unary.Kind.SILU), result, result.dims());
        }
    }

    private void binaryWithConstant(Value in) {
        int[] dims = new int[in.dims().length];
        for (int i = 0; i < dims.length; i++) {
            dims[i] = random.nextBoolean() ? 1 : in.dims()[i];
        }
        add(new Op.Binary(pick(Op.Binary.Kind.ADD, Op.Binary.Kind.MUL, Op.Binary.Kind.SUB)), in, in.dims(),
                constant(dims));
    }

    private void binaryOfTwo(Value in) {
        for (Value other : pool) {
            if (java.util.Arrays.equals(other.dims(), in.dims())) {
                read.add(other.name());
                add(new Op.Binary(Op.Binary.Kind.ADD), in, in.dims(), other.name());
                return;
            }
        }
    }

    private void concat(Value in) {
        int axis = random.nextInt(in.dims().length);
        int count = 1 + random.nextInt(3);
        List<String> names = new ArrayList<>(List.of(in.name()));
        int total = in.dims()[axis];
        for (Value other : pool) {
            if (names.size() <= count && fits(in.dims(), other.dims(), axis)) {
                names.add(other.name());
                total += other.dims()[axis];
            }
        }
        if (total > 200) {
            return;
        }
        read.addAll(names);
        int[] dims = in.dims().clone();
        dims[axis] = total;
        String name = "concat" + next++;
        nodes.add(new Node(name, new Op.Concat(axis), names, List.of(name)));
        pool.add(new Value(name, dims));
    }

    private static boolean fits(int[] a, int[] b, int axis) {
        if (a.length != b.length) {
            return false;
        }
        for (int i = 0; i < a.length; i++) {
            if (i != axis && a[i] != b[i]) {
                return false;
            }
        }
        return true;
    }

    private void split(Value in) {
        int axis = random.nextInt(in.dims().length);
        int size = in.dims()[axis];
        if (size < 2) {
            return;
        }
        int first = 1 + random.nextInt(size - 1);
        String sizes = "sizes" + next;
        constants.put(sizes, Tensor.vector(first, size - first));
        String name = "split" + next++;
        read.add(in.name());
        nodes.add(new Node(name, new Op.Split(axis), List.of(in.name(), sizes), List.of(name + "a", name + "b")));
        for (int part = 0; part < 2; part++) {
            int[] dims = in.dims().clone();
            dims[axis] = part == 0 ? first : size - first;
            pool.add(new Value(name + (part == 0 ? "a" : "b"), dims));
        }
    }

    private void reshape(Value in) {
        int[] d = in.dims();
        if (d.length == 4) {
            int[] merged = {d[0], d[1], d[2] * d[3]};
            int[] halved = d[1] % 2 == 0 ? new int[] {d[0], 2, d[1] / 2, d[2], d[3]} : merged;
            reshapeTo(in, random.nextBoolean() ? merged : halved);
        } else if (d.length == 5) {
            reshapeTo(in, new int[] {d[0], d[1] * d[2], d[3], d[4]});
        } else {
            reshapeTo(in, new int[] {1, d[1], 1, d[0] * d[2]});
        }
    }

    private void reshapeTo(Value in, int[] dims) {
        String shape = "shape" + next;
        constants.put(shape, Tensor.vector(java.util.Arrays.stream(dims).asLongStream().toArray()));
        add(new Op.Reshape(false), in, dims, shape);
    }

    private void transpose(Value in) {
        int n = in.dims().length;
        List<Integer> order = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            order.add(random.nextInt(i + 1), i);
        }
        int[] dims = new int[n];
        for (int i = 0; i < n; i++) {
            dims[i] = in.dims()[order.get(i)];
        }
        if (n == 4 && dims[0] != 1) {
            return;
        }
        add(new Op.Transpose(order), in, dims);
    }

    private void resize(Value in) {
        String scales = "scales" + next;
        constants.put(scales, Tensor.ofFloats(Shape.of(4), 1, 1, 2, 2));
        Op.Resize op = new Op.Resize(
                Op.Resize.Mode.NEAREST, Op.Resize.Coordinates.ASYMMETRIC, Op.Resize.Nearest.FLOOR);
        int[] d = in.dims();
        String name = "resize" + next++;
        read.add(in.name());
        nodes.add(new Node(name, op, List.of(in.name(), "", scales), List.of(name)));
        pool.add(new Value(name, new int[] {d[0], d[1], 2 * d[2], 2 * d[3]}));
    }

    private void add(Op op, Value in, int[] dims, String... more) {
        String name = op.getClass().getSimpleName().toLowerCase(java.util.Locale.ROOT) + next++;
        List<String> inputs = new ArrayList<>(List.of(in.name()));
        inputs.addAll(List.of(more));
        read.add(in.name());
        nodes.add(new Node(name, op, inputs, List.of(name)));
        pool.add(new Value(name, dims));
    }

    private String constant(int... dims) {
        int n = 1;
        for (int d : dims) {
            n *= d;
        }
        float[] values = new float[n];
        for (int i = 0; i < n; i++) {
            values[i] = (random.nextFloat() - 0.5f) * (float) (2 / Math.sqrt(Math.max(1, n / dims[0])));
        }
        String name = "constant" + next++;
        constants.put(name, Tensor.ofFloats(shape(dims), values));
        return name;
    }

    private static Shape shape(int[] dims) {
        return Shape.of(java.util.Arrays.stream(dims).asLongStream().toArray());
    }

    @SafeVarargs
    private <T> T pick(T... choices) {
        return choices[random.nextInt(choices.length)];
    }
}
