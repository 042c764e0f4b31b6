package dev.shrike.cpu;

import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import java.util.Random;

/**
 * Networks of one quantised operation each, as an author writes them: QuantizeLinear and DequantizeLinear, or the Quant
 * nodes of QONNX, around operators of floats. What the engine makes one step of is whole chains here.
 */
final class OracleNetworks {
    /** What becomes one step, or a few, of the engine. */
    enum Operation {
        /** Rounding and reading back, between any two quantisations. */
        QUANTIZE,
        /** A convolution with what engines fuse to it: bias, activation, residual. */
        CONVOLUTION,
        /** A function of codes. */
        TABLE,
        ADD,
        /** Of values that are quantised differently from each other and from the result. */
        CONCAT,
        MAX_POOL,
        RESIZE,
        /** Split, reshape and transposition. */
        MOVES
    }

    /** Bits of weights and of activations. */
    record Widths(int weights, int activations) {}

    /**
     * A network from {@code x} to {@code y}.
     *
     * @param step distance of the codes of {@code y}
     */
    record Network(Graph graph, float step) {}

    private final Random random;
    private final Widths widths;
    private final boolean exact;
    private final GraphBuilder builder = new GraphBuilder();
    private float lastStep;
    private int next;

    private OracleNetworks(Random random, Widths widths, boolean exact) {
        this.random = random;
        this.widths = widths;
        this.exact = exact;
    }

    /** Any scales and zero points. */
    static Network make(Operation operation, Widths widths, Random random) {
        return new OracleNetworks(random, widths, false).build(operation);
    }

    /** Scales that are powers of two and even zero points: float32 represents every term, and ties abound. */
    static Network exact(Operation operation, Widths widths, Random random) {
        return new OracleNetworks(random, widths, true).build(operation);
    }

    private Network build(Operation operation) {
        int[] dims = {1, pick(1, 3, 4, 8, 16, 17, 32, 34), 5 + random.nextInt(7), 5 + random.nextInt(7)};
        builder.input("x", 1, dims[1], dims[2], dims[3]);
        String x = rounded("x", 1.2);
        String y = switch (operation) {
            case QUANTIZE -> x;
            case CONVOLUTION -> convolution(x, dims);
            case TABLE -> function(x);
            case ADD -> node("sum", new Op.Binary(Op.Binary.Kind.ADD), x, rounded("x", 2));
            case CONCAT -> node("joined", new Op.Concat(pick(1, 2, 3)), x, rounded("x", 2), rounded("x", 0.8));
            case MAX_POOL -> node("pooled", new Op.MaxPool(pool(), false), x);
            case RESIZE -> resize(x, dims);
            case MOVES -> moves(x, dims);
        };
        String result = rounded(y, 1.6);
        builder.node("y", new Op.Identity(), result).output("y");
        return new Network(builder.build(), lastStep);
    }

    private Window pool() {
        int kernel = pick(2, 3, 5);
        return Window.square(kernel, pick(1, 2), kernel / 2);
    }

    private String resize(String x, int[] dims) {
        Op.Resize op = random.nextBoolean()
                ? new Op.Resize(Op.Resize.Mode.NEAREST, Op.Resize.Coordinates.ASYMMETRIC, Op.Resize.Nearest.FLOOR)
                : new Op.Resize(Op.Resize.Mode.NEAREST, Op.Resize.Coordinates.HALF_PIXEL,
                        Op.Resize.Nearest.ROUND_PREFER_FLOOR);
        if (random.nextBoolean()) {
            String scales = constant(Tensor.ofFloats(Shape.of(4), 1, 1, pick(2, 3), 2));
            return node("resized", op, x, "", scales);
        }
        return node("resized", op, x, "", "", constant(Tensor.vector(1, dims[1], 2L * dims[2] + 1, dims[3] + 3L)));
    }

    private String moves(String x, int[] dims) {
        String turned = node("turned", new Op.Transpose(java.util.List.of(0, 2, 3, 1)), x);
        String flat = node("flat", new Op.Reshape(false), turned, constant(Tensor.vector(1, -1, dims[1])));
        int first = 1 + random.nextInt(dims[2] * dims[3] - 1);
        String sizes = constant(Tensor.vector(first, (long) dims[2] * dims[3] - first));
        builder.node(java.util.List.of("head", "tail"), new Op.Split(1), flat, sizes);
        return node("turned back", new Op.Concat(1), "tail", "head");
    }

    private String convolution(String x, int[] dims) {
        int group = switch (random.nextInt(4)) {
            case 0 -> dims[1];
            case 1 -> dims[1] % 2 == 0 ? 2 : 1;
            default -> 1;
        };
        int out = group == dims[1] ? dims[1] * pick(1, 2) : group * pick(1, 4, 9, 16, 33);
        int kernel = pick(1, 3, 5);
        int dilation = kernel > 1 && random.nextInt(5) == 0 ? 2 : 1;
        int stride = pick(1, 1, 2);
        int pad = random.nextInt(4) == 0 ? 0 : kernel / 2 * dilation;
        if (pad == 0 && (kernel - 1) * dilation + 1 > Math.min(dims[2], dims[3])) {
            pad = kernel * dilation;
        }
        Window window = new Window(kernel, kernel, stride, stride, pad, pad, pad, pad, dilation, dilation,
                Window.AutoPad.EXPLICIT);
        String other = random.nextInt(3) == 0 ? rounded(product(x, window, group, out, dims[1]), 1.6) : null;
        String y = product(x, window, group, out, dims[1]);
        if (random.nextInt(4) > 0) {
            y = function(random.nextBoolean() ? rounded(y, 1.6) : y);
        }
        if (other != null) {
            String own = random.nextBoolean() ? rounded(y, 1.6) : y;
            y = node("residual", new Op.Binary(Op.Binary.Kind.ADD), own, other);
        }
        return y;
    }

    private String product(String x, Window window, int group, int out, int channels) {
        int depth = channels / group * window.kernelHeight() * window.kernelWidth();
        String weights = weights(out, channels / group, window.kernelHeight(), depth);
        Op op = new Op.Conv(window, group, Activation.NONE);
        if (random.nextInt(4) == 0) {
            return node("product", op, x, weights);
        }
        float[] bias = new float[out];
        for (int i = 0; i < out; i++) {
            // Quarters and eighths make ties where the scales are powers of two.
            bias[i] = exact ? (random.nextInt(17) - 8) / 8f : random.nextFloat() - 0.5f;
        }
        return node("product", op, x, weights, constant(Tensor.ofFloats(Shape.of(out), bias)));
    }

    private String function(String x) {
        int kind = exact ? random.nextInt(3) : random.nextInt(8);
        return switch (kind) {
            case 0 -> node("relu", Op.Unary.of(Op.Unary.Kind.RELU), x);
            case 1 -> node("clip", new Op.Clip(), x, constant(Tensor.scalar(exact ? -0.5f : -0.7f)),
                    constant(Tensor.scalar(exact ? 1 : 0.9f)));
            case 2 -> node("leaky", new Op.Unary(Op.Unary.Kind.LEAKY_RELU, exact ? 0.25f : 0.1f, 0), x);
            case 3 -> node("silu", Op.Unary.of(Op.Unary.Kind.SILU), x);
            case 4 -> node("swish", new Op.Binary(Op.Binary.Kind.MUL), x,
                    node("sigmoid", Op.Unary.of(Op.Unary.Kind.SIGMOID), x));
            case 5 -> node("hard", new Op.Unary(Op.Unary.Kind.HARD_SWISH, 0, 0), x);
            case 6 -> node("tanh", Op.Unary.of(Op.Unary.Kind.TANH), x);
            default -> node("sigmoid", Op.Unary.of(Op.Unary.Kind.SIGMOID), x);
        };
    }

    // --- quantisers ------------------------------------------------------------------------------------------------

    /** The value as floats of codes that reach about that far on both sides of 0, or on one. */
    private String rounded(String x, double reach) {
        int bits = widths.activations();
        boolean signed = random.nextBoolean();
        boolean quant = bits != 8 && bits != 4 || random.nextBoolean();
        boolean narrow = quant && signed && bits > 1 && random.nextInt(4) == 0;
        boolean oneSided = random.nextInt(4) == 0;
        int low = signed ? -(1 << (bits - 1)) + (narrow ? 1 : 0) : 0;
        int high = signed ? (1 << (bits - 1)) - 1 : (1 << bits) - 1;
        int middle = Math.floorDiv(low + high, 2) + random.nextInt(Math.max(1, (high - low) / 4));
        int zero = oneSided ? low : random.nextInt(3) == 0 ? Math.max(0, low) : middle;
        if (exact) {
            zero = Math.floorMod(zero, 2) == 0 ? zero : zero < high ? zero + 1 : zero - 1;
        }
        lastStep = step(reach * (oneSided ? 1 : 2) / (high - low) * (0.6 + 0.8 * random.nextDouble()));
        String scale = constant(Tensor.scalar(lastStep));
        if (quant) {
            return node("rounded", new Op.Quant(signed, narrow, "ROUND"), x, scale, constant(Tensor.scalar(zero)),
                    constant(Tensor.scalar(bits)));
        }
        DataType type = bits == 8 ? signed ? DataType.INT8 : DataType.UINT8 : signed ? DataType.INT4 : DataType.UINT4;
        String zeroPoint = constant(Tensor.of(type, Shape.of(), zero));
        String codes = node("codes", new Op.QuantizeLinear(1, type), x, scale, zeroPoint);
        return node("floats", new Op.DequantizeLinear(1), codes, scale, zeroPoint);
    }

    private String weights(int rows, int channels, int kernel, int depth) {
        int bits = widths.weights();
        boolean bipolar = bits == 1;
        boolean linear = bits == 8 || bits == 4 && random.nextBoolean();
        boolean unsigned = bits == 8 && random.nextInt(5) == 0;
        int low = bipolar ? -1 : unsigned ? 0 : -(1 << (bits - 1));
        int high = bipolar ? 1 : low + (1 << bits) - 1;
        int zero = unsigned ? 100 + random.nextInt(56) : 0;
        int scales = random.nextBoolean() ? rows : 1;
        long[] codes = new long[rows * depth];
        float[] steps = new float[scales];
        for (int i = 0; i < scales; i++) {
            steps[i] = step(3.5 / (Math.sqrt(depth) * (high - low)) * (0.6 + 0.8 * random.nextDouble()));
        }
        float[] values = new float[codes.length];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = bipolar ? 2 * random.nextInt(2) - 1 : low + random.nextInt(high - low + 1);
            values[i] = (codes[i] - zero) * steps[scales == 1 ? 0 : i / depth];
        }
        Shape shape = Shape.of(rows, channels, kernel, kernel);
        if (linear) {
            DataType type = bits == 4 ? DataType.INT4 : unsigned ? DataType.UINT8 : DataType.INT8;
            Shape own = scales == 1 ? Shape.of() : Shape.of(rows);
            long[] zeros = new long[scales];
            java.util.Arrays.fill(zeros, zero);
            return node("weights", new Op.DequantizeLinear(0), constant(Tensor.of(type, shape, codes)),
                    constant(Tensor.ofFloats(own, steps)), constant(Tensor.of(type, own, zeros)));
        }
        String scale = constant(Tensor.ofFloats(scales == 1 ? Shape.of() : Shape.of(rows, 1, 1, 1), steps));
        String floats = constant(Tensor.ofFloats(shape, values));
        return bipolar ? node("weights", new Op.BipolarQuant(), floats, scale)
                : node("weights", new Op.Quant(true, false, "ROUND"), floats, scale, constant(Tensor.scalar(0)),
                        constant(Tensor.scalar(bits)));
    }

    private float step(double wanted) {
        return exact ? (float) Math.scalb(1.0, Math.getExponent(wanted)) : (float) wanted;
    }

    private String constant(Tensor tensor) {
        String name = "constant " + next++;
        builder.constant(name, tensor);
        return name;
    }

    private String node(String what, Op op, String... from) {
        String name = what + " " + next++;
        builder.node(name, op, from);
        return name;
    }

    @SafeVarargs
    private <T> T pick(T... choices) {
        return choices[random.nextInt(choices.length)];
    }
}
