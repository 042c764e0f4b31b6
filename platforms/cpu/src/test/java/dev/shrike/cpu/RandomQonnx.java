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
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Random networks as quantisation-aware training leaves them: every product reads values and weights through QONNX's
 * Quant or BipolarQuant of 1 to 8 bits and any rounding mode, with batch normalisation, ReLU, pooling, Trunc, resizing
 * and pixel shuffling between, and a matrix product last.
 */
final class RandomQonnx {
    private static final String[] MODES =
            {"HALF_EVEN", "FLOOR", "CEIL", "UP", "DOWN", "ROUND_TO_ZERO", "HALF_UP", "HALF_DOWN"};
    private static final Op RELU = Op.Unary.of(Op.Unary.Kind.RELU);

    private final Random random;
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, Tensor> constants = new HashMap<>();
    private int[] dims;
    private String at = "x";
    private double spread = 0.5;
    private int bits;
    private int products;

    private RandomQonnx(Random random) {
        this.random = random;
    }

    /** A network with its number of products in the metadata, under {@code products}. */
    static Graph make(Random random) {
        return new RandomQonnx(random).build();
    }

    private Graph build() {
        dims = new int[] {1, 1 + random.nextInt(5), 5 + random.nextInt(8), 5 + random.nextInt(8)};
        ValueInfo input = new ValueInfo("x", DataType.FLOAT32, shape(dims));
        quantize(true);
        int layers = 1 + random.nextInt(3);
        for (int i = 0; i < layers; i++) {
            convolution();
            move();
        }
        add("flat", new Op.Flatten(1));
        int columns = dims[1] * dims[2] * dims[3];
        product(new Op.MatMul(), transposed(weights(Shape.of(7, columns), columns)), columns);
        Map<String, String> metadata = Map.of("products", String.valueOf(products));
        return new Graph("qonnx", List.of(input), List.of(new ValueInfo(at, DataType.FLOAT32, Shape.of(1, 7))), nodes,
                constants, Map.of(), metadata);
    }

    private void convolution() {
        int kernel = 1 + 2 * random.nextInt(3);
        int out = 4 * (1 + random.nextInt(3));
        int depth = dims[1] * kernel * kernel;
        Op conv = new Op.Conv(Window.square(kernel, 1, kernel / 2), 1, dev.shrike.graph.Activation.NONE);
        product(conv, weights(Shape.of(out, dims[1], kernel, kernel), depth), depth);
        dims[1] = out;
        if (random.nextBoolean()) {
            normalize(out);
        }
        boolean rectified = random.nextBoolean();
        boolean shuffled = random.nextInt(3) == 0 && isSmall();
        if (shuffled) {
            add("shuffled", new Op.DepthToSpace(2, random.nextBoolean()));
            dims = new int[] {1, out / 4, 2 * dims[2], 2 * dims[3]};
        }
        if (rectified) {
            add("relu", RELU);
        }
        quantize(!rectified);
    }

    private boolean isSmall() {
        return dims[2] * dims[3] <= 150;
    }

    private void move() {
        switch (isSmall() ? random.nextInt(4) : 0) {
            case 0 -> {
                if (dims[2] < 2 || dims[3] < 2) {
                    return;
                }
                add("pooled", new Op.MaxPool(Window.square(2, 2, 0), false));
                dims[2] /= 2;
                dims[3] /= 2;
            }
            case 1 -> {
                String scales = constant(Tensor.ofFloats(Shape.of(4), 1, 1, 2, 2));
                add("resized", new Op.Resize(Op.Resize.Mode.NEAREST, Op.Resize.Coordinates.ASYMMETRIC,
                        Op.Resize.Nearest.FLOOR), "", scales);
                dims[2] *= 2;
                dims[3] *= 2;
            }
            case 2 -> truncate();
            default -> {
            }
        }
    }

    private void truncate() {
        Node last = nodes.getLast();
        if (!(last.op() instanceof Op.Quant) || bits < 3) {
            return;
        }
        int fewer = 2 + random.nextInt(bits - 2);
        add("cut", new Op.Trunc(random.nextBoolean() ? "FLOOR" : "ROUND"), last.input(1), last.input(2),
                last.input(3), constant(Tensor.scalar(fewer)));
        bits = fewer;
    }

    private void product(Op op, String weights, int depth) {
        nodes.add(new Node("product" + products, op, List.of(at, weights), List.of("product" + products)));
        at = "product" + products++;
        spread *= Math.sqrt(depth);
    }

    private void normalize(int channels) {
        float[][] values = new float[4][channels];
        for (int c = 0; c < channels; c++) {
            values[0][c] = (random.nextInt(4) == 0 ? -1 : 1) * (0.5f + random.nextFloat());
            values[1][c] = random.nextFloat() - 0.5f;
            values[2][c] = (float) (spread * (random.nextFloat() - 0.5));
            values[3][c] = (float) (spread * spread * (0.5 + random.nextFloat()));
        }
        String[] names = new String[4];
        for (int i = 0; i < 4; i++) {
            names[i] = constant(Tensor.ofFloats(Shape.of(channels), values[i]));
        }
        add("normal", new Op.BatchNormalization(1e-5f), names);
        spread = 1;
    }

    /** Weights of about unit spread under a quantiser of their own, with a scale for each output channel or one. */
    private String weights(Shape shape, int depth) {
        int width = 1 + random.nextInt(8);
        int rows = (int) shape.dim(0);
        float[] values = new float[rows * depth];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        boolean perRow = random.nextBoolean();
        float[] scales = new float[perRow ? rows : 1];
        for (int i = 0; i < scales.length; i++) {
            scales[i] = (0.5f + random.nextFloat()) * (width == 1 ? 1 : 2f / (1 << (width - 1)));
        }
        long[] scaleDims = new long[shape.rank()];
        java.util.Arrays.fill(scaleDims, 1);
        scaleDims[0] = scales.length;
        String from = constant(Tensor.ofFloats(shape, values));
        return quantizer(from, Tensor.ofFloats(perRow ? Shape.of(scaleDims) : Shape.of(), scales), width, true);
    }

    private String transposed(String weights) {
        nodes.add(new Node("turned", new Op.Transpose(List.of(1, 0)), List.of(weights), List.of("turned")));
        return "turned";
    }

    private void quantize(boolean withSign) {
        bits = 1 + random.nextInt(8);
        double range = 2 * spread * (0.5 + random.nextFloat());
        float scale = (float) (bits == 1 ? range / 2 : range / (1 << (withSign ? bits - 1 : bits)));
        at = quantizer(at, Tensor.scalar(scale), bits, withSign);
        spread = Math.max(range / 2, scale);
    }

    /** Quant, or where one signed bit is wanted, now and then BipolarQuant, which says the same. */
    private String quantizer(String from, Tensor scale, int width, boolean withSign) {
        String name = "codes" + nodes.size();
        String by = constant(scale);
        if (width == 1 && withSign && random.nextBoolean()) {
            nodes.add(new Node(name, new Op.BipolarQuant(), List.of(from, by), List.of(name)));
            return name;
        }
        boolean narrow = width > 1 && random.nextBoolean();
        String mode = random.nextInt(4) > 0 ? "ROUND" : MODES[random.nextInt(MODES.length)];
        nodes.add(new Node(name, new Op.Quant(withSign, narrow, mode),
                List.of(from, by, constant(Tensor.scalar(0)), constant(Tensor.scalar(width))), List.of(name)));
        return name;
    }

    private void add(String prefix, Op op, String... more) {
        List<String> inputs = new ArrayList<>(List.of(at));
        inputs.addAll(List.of(more));
        at = prefix + nodes.size();
        nodes.add(new Node(at, op, inputs, List.of(at)));
    }

    private String constant(Tensor tensor) {
        String name = "c" + constants.size();
        constants.put(name, tensor);
        return name;
    }

    private static Shape shape(int[] dims) {
        return Shape.of(dims[0], dims[1], dims[2], dims[3]);
    }
}
