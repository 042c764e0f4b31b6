package dev.shrike.graph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.Activation;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Op;
import dev.shrike.graph.Sameness;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import dev.shrike.graph.inference.ShapeInference;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/** All passes together keep what random networks compute. */
class GraphPassesTest {
    private static final Op ADD = new Op.Binary(Op.Binary.Kind.ADD);
    private static final Op MUL = new Op.Binary(Op.Binary.Kind.MUL);

    @Test
    void randomNetworksComputeTheSame() {
        for (long seed = 0; seed < 150; seed++) {
            Graph graph = randomNetwork(new SplittableRandom(seed));
            Graph prepared = GraphPasses.forInference(graph, Map.of("x", Shape.of(1, 2, 6, 6)));
            assertTrue(ShapeInference.infer(prepared).values().stream().allMatch(info -> info.shape().isKnown()));
            assertEquals(prepared.nodes(), GraphPasses.forInference(prepared, Map.of()).nodes(), "seed " + seed);
            Sameness.assertSameOutputs(graph, prepared, seed, 1e-4);
        }
    }

    /** Blocks of two channels over a dynamic input, each reading a value made before. */
    private static Graph randomNetwork(SplittableRandom random) {
        GraphBuilder builder = new GraphBuilder().input("x", -1, 2, -1, -1).constant("three", 3).constant("zero", 0)
                .constant("six", 6).constant("rows", Tensor.vector(0, 2, -1));
        java.util.List<String> values = new java.util.ArrayList<>(List.of("x"));
        for (int i = 0; i < 8; i++) {
            String from = values.get(random.nextInt(values.size()));
            String to = "v" + i;
            block(builder, random, from, to, values.get(random.nextInt(values.size())));
            values.add(to);
        }
        builder.output(values.getLast());
        if (random.nextBoolean()) {
            builder.output(values.get(4));
        }
        return builder.build();
    }

    private static void block(GraphBuilder builder, SplittableRandom random, String from, String to, String other) {
        switch (random.nextInt(8)) {
            case 0, 1 -> {
                builder.constant(to + ".w",
                        Sameness.randomTensor(random, DataType.FLOAT32, Shape.of(2, 2, 3, 3), -0.4, 0.4));
                builder.node(to, new Op.Conv(Window.square(3, 1, 1), 1, Activation.NONE), from, to + ".w");
            }
            case 2 -> {
                for (String part : List.of("g", "b", "m", "v")) {
                    builder.constant(to + part,
                            Sameness.randomTensor(random, DataType.FLOAT32, Shape.of(2), 0.5, 1.5));
                }
                builder.node(to, new Op.BatchNormalization(1e-5f), from, to + "g", to + "b", to + "m", to + "v");
            }
            case 3 -> builder.node(to + ".s", Op.Unary.of(Op.Unary.Kind.SIGMOID), from).node(to, MUL, from, to + ".s");
            case 4 -> builder.node(to, ADD, from, other);
            case 5 ->
                builder.node(to + ".a", ADD, from, "three").node(to + ".c", new Op.Clip(), to + ".a", "zero", "six")
                        .node(to + ".m", MUL, from, to + ".c")
                        .node(to, new Op.Binary(Op.Binary.Kind.DIV), to + ".m", "six");
            case 6 -> builder.node(to + ".s", new Op.ShapeOf(0, 4), from)
                    .node(to + ".r", new Op.Reshape(false), from, "rows")
                    .node(to, new Op.Reshape(false), to + ".r", to + ".s");
            default -> builder.node(to, new Op.Identity(), from);
        }
    }
}
