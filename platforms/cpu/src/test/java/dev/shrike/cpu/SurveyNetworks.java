package dev.shrike.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Small networks of the blocks with which surveys of compressed YOLOv5 replace its own, each between a convolution that
 * reads an image of 3 channels and one that gives the result {@code y}.
 */
final class SurveyNetworks {
    private static final int CHANNELS = 16;
    private static final int SIDE = 16;

    /** The blocks. */
    enum Block {
        GHOST,
        MOBILENET_V2,
        MOBILENET_V3,
        SHUFFLENET_V2,
        PRELU,
        MISH,
        SQUEEZE_EXCITATION,
        EFFICIENT_CHANNEL_ATTENTION,
        CBAM,
        COORDINATE_ATTENTION,
        SELECTIVE_KERNEL,
        TRANSFORMER,
        DILATED_PYRAMID,
        SPACE_TO_DEPTH,
        LEARNED_UPSAMPLING
    }

    private final OnnxFile file = new OnnxFile(17);
    private final SplittableRandom random;
    private int count;

    private SurveyNetworks(SplittableRandom random) {
        this.random = random;
    }

    /** A network with random weights, the input {@code x} [1,3,32,32] and the output {@code y}. */
    static OnnxFile of(Block block, SplittableRandom random) {
        SurveyNetworks network = new SurveyNetworks(random);
        network.file.input("x", 1, 3, 2 * SIDE, 2 * SIDE);
        String stem = network.silu(network.conv("x", 3, CHANNELS, 3, 2, 1));
        String body = network.block(block, stem);
        String out = network.conv(network.silu(network.conv(body, CHANNELS, CHANNELS, 3, 1, 1)), CHANNELS, 6, 1, 1, 1);
        network.file.node("Identity", List.of(out), List.of("y")).output("y");
        return network.file;
    }

    private String block(Block block, String x) {
        return switch (block) {
            case GHOST -> {
                String half = node("Relu", conv(x, CHANNELS, CHANNELS / 2, 1, 1, 1));
                yield add(concat(half, node("Relu", conv(half, CHANNELS / 2, CHANNELS / 2, 5, 1, CHANNELS / 2))), x);
            }
            case MOBILENET_V2 -> {
                String wide = relu6(conv(x, CHANNELS, 3 * CHANNELS, 1, 1, 1));
                String deep = relu6(conv(wide, 3 * CHANNELS, 3 * CHANNELS, 3, 1, 3 * CHANNELS));
                yield add(x, conv(deep, 3 * CHANNELS, CHANNELS, 1, 1, 1));
            }
            case MOBILENET_V3 -> {
                String wide = node("HardSwish", conv(x, CHANNELS, 2 * CHANNELS, 1, 1, 1));
                String deep = node("HardSwish", conv(wide, 2 * CHANNELS, 2 * CHANNELS, 5, 1, 2 * CHANNELS));
                yield add(x, conv(squeezed(deep, 2 * CHANNELS, "HardSigmoid"), 2 * CHANNELS, CHANNELS, 1, 1, 1));
            }
            case SHUFFLENET_V2 -> shuffled(x);
            case PRELU -> prelu(conv(prelu(x), CHANNELS, CHANNELS, 3, 1, 1));
            case MISH -> {
                String y = conv(x, CHANNELS, CHANNELS, 3, 1, 1);
                yield mul(y, node("Tanh", node("Softplus", y)));
            }
            case SQUEEZE_EXCITATION -> squeezed(x, CHANNELS, "Sigmoid");
            case EFFICIENT_CHANNEL_ATTENTION -> channelAttention(x);
            case CBAM -> spatialAttention(x);
            case COORDINATE_ATTENTION -> coordinates(x);
            case SELECTIVE_KERNEL -> selected(x);
            case TRANSFORMER -> transformer(x);
            case DILATED_PYRAMID -> pyramid(x);
            case SPACE_TO_DEPTH -> {
                String y = node("SpaceToDepth", List.of(x), "blocksize", 2L);
                yield conv(y, 4 * CHANNELS, CHANNELS, 3, 1, 1);
            }
            case LEARNED_UPSAMPLING -> {
                String down = silu(conv(x, CHANNELS, CHANNELS, 3, 2, 1));
                yield concat(node("ConvTranspose", List.of(down, weights(CHANNELS, CHANNELS / 2, 2, 2)), "strides",
                        new long[] {2, 2}), conv(x, CHANNELS, CHANNELS / 2, 1, 1, 1));
            }
        };
    }

    private String shuffled(String x) {
        String left = name();
        String right = name();
        file.node("Split", List.of(x), List.of(left, right), "axis", 1L);
        int half = CHANNELS / 2;
        String deep = conv(node("Relu", conv(right, half, half, 1, 1, 1)), half, half, 3, 1, half);
        String joined = concat(left, node("Relu", conv(deep, half, half, 1, 1, 1)));
        String groups = reshape(joined, 1, 2, half, SIDE, SIDE);
        String turned = node("Transpose", List.of(groups), "perm", new long[] {0, 2, 1, 3, 4});
        return reshape(turned, 1, CHANNELS, SIDE, SIDE);
    }

    private String prelu(String x) {
        return node("PRelu", List.of(x, weights(CHANNELS, 1, 1)));
    }

    private String squeezed(String x, int channels, String gate) {
        String small = node("Relu", conv(node("GlobalAveragePool", x), channels, channels / 4, 1, 1, 1));
        return mul(x, node(gate, conv(small, channels / 4, channels, 1, 1, 1)));
    }

    private String channelAttention(String x) {
        String line = reshape(node("GlobalAveragePool", x), 1, 1, CHANNELS);
        String mixed = node("Conv", List.of(line, weights(1, 1, 3)), "pads", new long[] {1, 1});
        return mul(x, node("Sigmoid", reshape(mixed, 1, CHANNELS, 1, 1)));
    }

    private String spatialAttention(String x) {
        String mean = conv(node("GlobalAveragePool", x), CHANNELS, CHANNELS, 1, 1, 1);
        String most = conv(node("GlobalMaxPool", x), CHANNELS, CHANNELS, 1, 1, 1);
        String y = mul(x, node("Sigmoid", add(mean, most)));
        String planes = concat(node("ReduceMean", List.of(y), "axes", new long[] {1}),
                node("ReduceMax", List.of(y), "axes", new long[] {1}));
        return mul(y, node("Sigmoid", conv(planes, 2, 1, 7, 1, 1)));
    }

    private String coordinates(String x) {
        String rows = node("ReduceMean", List.of(x), "axes", new long[] {3});
        String columns = node("Transpose", List.of(node("ReduceMean", List.of(x), "axes", new long[] {2})), "perm",
                new long[] {0, 1, 3, 2});
        String both = node("Concat", List.of(rows, columns), "axis", 2L);
        String mixed = node("HardSwish", conv(both, CHANNELS, 8, 1, 1, 1));
        String high = name();
        String wide = name();
        file.node("Split", List.of(mixed), List.of(high, wide), "axis", 2L);
        String turned = node("Transpose", List.of(wide), "perm", new long[] {0, 1, 3, 2});
        return mul(mul(x, node("Sigmoid", conv(high, 8, CHANNELS, 1, 1, 1))),
                node("Sigmoid", conv(turned, 8, CHANNELS, 1, 1, 1)));
    }

    private String selected(String x) {
        String small = node("Relu", conv(x, CHANNELS, CHANNELS, 3, 1, 1));
        String large = node("Relu", dilated(x, 2));
        String mean = node("GlobalAveragePool", add(small, large));
        String hidden = node("Relu", conv(mean, CHANNELS, 8, 1, 1, 1));
        String choices = node("Softmax", List.of(concatAt(0, conv(hidden, 8, CHANNELS, 1, 1, 1),
                conv(hidden, 8, CHANNELS, 1, 1, 1))), "axis", 0L);
        String first = name();
        String second = name();
        file.node("Split", List.of(choices), List.of(first, second), "axis", 0L);
        return add(mul(small, first), mul(large, second));
    }

    private String transformer(String x) {
        int tokens = SIDE * SIDE;
        String flat = node("Transpose", List.of(reshape(x, 1, CHANNELS, tokens)), "perm", new long[] {0, 2, 1});
        String normal = normalized(flat);
        String[] parts = new String[3];
        for (int i = 0; i < 3; i++) {
            String part = node("MatMul", List.of(normal, weights(CHANNELS, CHANNELS)));
            parts[i] = node("Transpose", List.of(reshape(part, 1, tokens, 2, CHANNELS / 2)), "perm",
                    new long[] {0, 2, 1, 3});
        }
        String scores = node("Einsum", List.of(parts[0], parts[1]), "equation", "bhnd,bhmd->bhnm");
        String weights = node("Softmax", List.of(scores), "axis", -1L);
        String seen = node("Einsum", List.of(weights, parts[2]), "equation", "bhnm,bhmd->bnhd");
        String attended = add(flat, node("MatMul", List.of(reshape(seen, 1, tokens, CHANNELS),
                weights(CHANNELS, CHANNELS))));
        String wide = node("MatMul", List.of(normalized(attended), weights(CHANNELS, 2 * CHANNELS)));
        String gelu = gelu(wide);
        String y = add(attended, node("MatMul", List.of(gelu, weights(2 * CHANNELS, CHANNELS))));
        return reshape(node("Transpose", List.of(y), "perm", new long[] {0, 2, 1}), 1, CHANNELS, SIDE, SIDE);
    }

    private String normalized(String x) {
        return node("LayerNormalization", List.of(x, weights(CHANNELS), weights(CHANNELS)));
    }

    private String gelu(String x) {
        String erf = node("Erf", node("Div", List.of(x, number((float) Math.sqrt(2)))));
        return node("Mul", List.of(mul(x, add(erf, number(1))), number(0.5f)));
    }

    private String pyramid(String x) {
        String mean = conv(node("GlobalAveragePool", x), CHANNELS, 4, 1, 1, 1);
        String sizes = name();
        file.vector(sizes, 1, 4, SIDE, SIDE);
        String level = node("Resize", List.of(mean, "", "", sizes), "mode", "linear");
        String joined = node("Concat", List.of(level, node("Relu", dilated(x, 1)), node("Relu", dilated(x, 2)),
                node("Relu", dilated(x, 4))), "axis", 1L);
        return conv(joined, 3 * CHANNELS + 4, CHANNELS, 1, 1, 1);
    }

    // --- nodes -----------------------------------------------------------------------------------------------------

    private String conv(String x, int from, int to, int kernel, int stride, int group) {
        long pad = kernel / 2;
        return node("Conv", List.of(x, weights(to, from / group, kernel, kernel), weights(to)), "group", (long) group,
                "strides", new long[] {stride, stride}, "pads", new long[] {pad, pad, pad, pad});
    }

    private String dilated(String x, long dilation) {
        return node("Conv", List.of(x, weights(CHANNELS, CHANNELS, 3, 3)), "dilations",
                new long[] {dilation, dilation}, "pads", new long[] {dilation, dilation, dilation, dilation});
    }

    private String silu(String x) {
        return mul(x, node("Sigmoid", x));
    }

    private String relu6(String x) {
        return node("Clip", List.of(x, number(0), number(6)));
    }

    private String reshape(String x, long... dims) {
        String shape = name();
        file.vector(shape, dims);
        return node("Reshape", List.of(x, shape));
    }

    private String concat(String... parts) {
        return concatAt(1, parts);
    }

    private String concatAt(long axis, String... parts) {
        return node("Concat", List.of(parts), "axis", axis);
    }

    private String add(String a, String b) {
        return node("Add", List.of(a, b));
    }

    private String mul(String a, String b) {
        return node("Mul", List.of(a, b));
    }

    private String node(String opType, String x) {
        return node(opType, List.of(x));
    }

    private String node(String opType, List<String> inputs, Object... attributes) {
        String result = name();
        file.node(opType, new ArrayList<>(inputs), List.of(result), attributes);
        return result;
    }

    private String number(float value) {
        String name = name();
        file.floats(name, new long[0], value);
        return name;
    }

    /** Weights of about the size that keeps the spread of what they are applied to. */
    private String weights(long... dims) {
        String name = name();
        double fan = dims.length == 1 ? 4 : dims.length == 2 ? dims[0]
                : Arrays.stream(dims).skip(1).reduce(1, (a, b) -> a * b);
        float[] values = new float[(int) Arrays.stream(dims).reduce(1, (a, b) -> a * b)];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() / Math.sqrt(fan));
        }
        file.floats(name, dims, values);
        return name;
    }

    private String name() {
        return "v" + count++;
    }
}
