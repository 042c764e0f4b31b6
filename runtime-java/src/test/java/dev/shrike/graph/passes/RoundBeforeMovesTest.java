package dev.shrike.graph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Sameness;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import dev.shrike.graph.quantization.QuantParams;
import dev.shrike.graph.quantization.Requantization;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RoundBeforeMovesTest {
    private static final Quantization CODES = Quantization.perTensor(0.1f, 3, 4, false);
    private static final Quantization OTHERS = Quantization.perTensor(0.2f, 3, 4, false);
    private static final Op TANH = Op.Unary.of(Op.Unary.Kind.TANH);
    private static final Op POOL = new Op.MaxPool(Window.square(2, 2, 0), false);

    private static GraphBuilder start() {
        return new GraphBuilder().input("x", 1, 4, 4, 4).node("t", TANH, "x");
    }

    @Test
    void aChainOfMovesIsRoundedInFront() {
        Graph graph = start().node("a", POOL, "t").node("b", new Op.DepthToSpace(2, false), "a")
                .node("y", new Op.Transpose(List.of(0, 1, 3, 2)), "b").quantized("y", CODES).output("y").build();
        Graph moved = new RoundBeforeMoves().apply(graph);
        assertEquals(Set.of("t", "a", "b", "y"), moved.quantization().keySet());
        Sameness.assertSameOutputs(graph, moved, 1, 0);
        assertSame(moved, new RoundBeforeMoves().apply(moved));
    }

    @Test
    void operandsOfConcatAreRoundedAlike() {
        Graph graph = start().node("u", Op.Unary.of(Op.Unary.Kind.EXP), "x").node("y", new Op.Concat(1), "t", "u")
                .quantized("y", CODES).output("y").build();
        Graph moved = new RoundBeforeMoves().apply(graph);
        assertEquals(Set.of("t", "u", "y"), moved.quantization().keySet());
        Sameness.assertSameOutputs(graph, moved, 2, 0);
    }

    @Test
    void whatOthersReadOrOtherCodesStay() {
        Graph shared = start().node("y", POOL, "t").quantized("y", CODES).node("z", TANH, "t").output("y").output("z")
                .build();
        assertSame(shared, new RoundBeforeMoves().apply(shared));
        Graph seen = start().node("y", POOL, "t").quantized("y", CODES).output("y").output("t").build();
        assertSame(seen, new RoundBeforeMoves().apply(seen));
        Graph halves = start().constant("sizes", Tensor.vector(2, 2)).node(List.of("y", "z"), new Op.Split(1), "t",
                "sizes").quantized("y", CODES).quantized("z", OTHERS).output("y").output("z").build();
        assertSame(halves, new RoundBeforeMoves().apply(halves));
        Graph operands = start().node("y", new Op.Concat(1), "x", "t").quantized("y", CODES).node("z", TANH, "x")
                .output("y").output("z").build();
        assertSame(operands, new RoundBeforeMoves().apply(operands));
    }

    @Test
    void clampingInFrontOfCodesIsDropped() {
        Quantization unsigned = Quantization.perTensor(0.1f, 0, 4, false);
        Op relu = Op.Unary.of(Op.Unary.Kind.RELU);
        Graph graph = start().node("y", relu, "t").quantized("y", unsigned).output("y").build();
        Graph dropped = new DropClamps().apply(graph);
        assertEquals(List.of("y"), dropped.nodes().getFirst().outputs());
        assertEquals(1, dropped.nodes().size());
        Sameness.assertSameOutputs(graph, dropped, 3, 0);
        Graph shared = start().node("y", relu, "t").quantized("y", unsigned).output("y").output("t").build();
        assertEquals(Map.of("Unary", 1L, "Identity", 1L), GraphBuilder.counts(new DropClamps().apply(shared)));
        Sameness.assertSameOutputs(shared, new DropClamps().apply(shared), 4, 0);
        // Codes below 0 exist here.
        Graph signed = start().node("y", relu, "t").quantized("y", CODES).output("y").build();
        assertSame(signed, new DropClamps().apply(signed));
    }

    @Test
    void signsOfSumsAreExact() {
        QuantParams from = QuantParams.of(Quantization.perTensor(0.037f, 9, 6, false));
        java.util.SplittableRandom random = new java.util.SplittableRandom(5);
        for (int round = 0; round < 2000; round++) {
            int largest = 1 + random.nextInt(round % 2 == 0 ? 300 : Requantization.LARGEST_SIGNED_SUM);
            double[] weights = {random.nextDouble(1e-4, 0.3), -random.nextDouble(1e-4, 0.3), 1e-60};
            double bound = weights[0] * from.scale() * largest;
            double[] bias = {random.nextDouble(-1.2, 1.2) * bound, random.nextDouble(-1.2, 1.2) * bound,
                    random.nextInt(3) - 1};
            Requantization floats = Requantization.toReals(from, weights, bias);
            Requantization signs = Requantization.toSigns(from, weights, bias, largest);
            for (int c = 0; c < 3; c++) {
                int zero = (int) Math.clamp(-bias[c] / weights[c] / from.scale(), -largest, largest);
                for (int k = -200; k <= 200; k++) {
                    for (int sum : new int[] {Math.clamp(zero + k, -largest, largest),
                            random.nextInt(2 * largest + 1) - largest}) {
                        assertEquals(floats.real(c, sum) >= 0 ? 2 : 0, signs.code(c, sum), "round " + round);
                    }
                }
            }
        }
    }
}
