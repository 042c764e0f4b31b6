package dev.shrike.graph;

import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.testing.MinMaxQuantizer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** Small random detectors: convolutions with activations, residuals, Concat, MaxPool, Resize, Split, a real head. */
public final class RandomConvolutions {
    private static final Activation[] ACTIVATIONS = {Activation.SILU, Activation.SILU,
            Activation.of(Activation.Kind.RELU), new Activation(Activation.Kind.LEAKY_RELU, 0.1f, 0),
            Activation.of(Activation.Kind.HARD_SWISH), new Activation(Activation.Kind.CLIP, 0, 6), Activation.NONE};

    private final SplittableRandom random;
    private final GraphBuilder builder = new GraphBuilder();
    private final Map<String, Integer> channels = new HashMap<>();
    private final List<String> values = new ArrayList<>();

    private RandomConvolutions(long seed) {
        random = new SplittableRandom(seed);
    }

    /** A float graph as an engine wants it. */
    public static Graph next(long seed) {
        return GraphPasses.forInference(new RandomConvolutions(seed).network(), Map.of());
    }

    /** Ranges of what the quantizer asks for, over some random inputs. */
    public static Map<String, float[]> ranges(Graph prepared, MinMaxQuantizer.Options options,
            List<Map<String, Tensor>> runs) {
        Map<String, float[]> ranges = new HashMap<>();
        for (Map<String, Tensor> inputs : runs) {
            ReferenceEvaluator.run(prepared, inputs, MinMaxQuantizer.rangesNeeded(prepared, options))
                    .forEach((name, tensor) -> {
                        float[] range = ranges.computeIfAbsent(name,
                                _ -> new float[] {Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY});
                        for (float value : tensor.toFloats()) {
                            range[0] = Math.min(range[0], value);
                            range[1] = Math.max(range[1], value);
                        }
                    });
        }
        return ranges;
    }

    private Graph network() {
        builder.input("x", 1, 3, 8, 8).constant("twice", Tensor.ofFloats(Shape.of(4), 1, 1, 2, 2));
        channels.put("x", 3);
        String first = conv("first", "x", 4 + 2 * random.nextInt(3), 1);
        values.add(first);
        for (int i = 0; i < 7; i++) {
            values.add(block("v" + i, values.get(random.nextInt(values.size()))));
        }
        String head = conv("head", values.getLast(), 6, 1);
        builder.node("y", Op.Unary.of(Op.Unary.Kind.SIGMOID), head);
        return builder.output("y").build();
    }

    private String block(String name, String from) {
        int count = channels.get(from);
        switch (random.nextInt(6)) {
            case 0 -> {
                return conv(name, from, 4 + 2 * random.nextInt(3), count % 2 == 0 && random.nextBoolean() ? 2 : 1);
            }
            case 1 -> {
                String branch = conv(name + ".branch", from, count, 1);
                builder.node(name, new Op.Binary(Op.Binary.Kind.ADD), from, branch);
            }
            case 2 -> {
                String other = values.get(random.nextInt(values.size()));
                builder.node(name, new Op.Concat(1), from, other);
                channels.put(name, count + channels.get(other));
                return name;
            }
            case 3 -> builder.node(name, new Op.MaxPool(Window.square(5, 1, 2), false), from);
            case 4 -> {
                builder.node(name + ".small", new Op.MaxPool(Window.square(2, 2, 0), false), from);
                builder.node(name, new Op.Resize(Op.Resize.Mode.NEAREST, Op.Resize.Coordinates.ASYMMETRIC,
                        Op.Resize.Nearest.FLOOR), name + ".small", "", "twice");
            }
            default -> {
                builder.constant(name + ".sizes", Tensor.vector(2, count - 2));
                builder.node(List.of(name + ".a", name), new Op.Split(1), from, name + ".sizes");
                count -= 2;
                channels.put(name + ".a", 2);
                if (count == 0) {
                    return name + ".a";
                }
            }
        }
        channels.put(name, count);
        return name;
    }

    private String conv(String name, String from, int out, int groups) {
        int kernel = random.nextBoolean() ? 3 : 1;
        Shape shape = Shape.of(out, channels.get(from) / groups, kernel, kernel);
        builder.constant(name + ".w", Sameness.randomTensor(random, DataType.FLOAT32, shape, -0.6, 0.6));
        builder.constant(name + ".b", Sameness.randomTensor(random, DataType.FLOAT32, Shape.of(out), -0.5, 0.5));
        builder.node(name, new Op.Conv(Window.square(kernel, 1, kernel / 2), groups,
                ACTIVATIONS[random.nextInt(ACTIVATIONS.length)]), from, name + ".w", name + ".b");
        channels.put(name, out);
        return name;
    }
}
