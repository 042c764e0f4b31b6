package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.shrike.cpu.steps.CpuSettings;
import dev.shrike.cpu.OracleNetworks.Network;
import dev.shrike.cpu.OracleNetworks.Operation;
import dev.shrike.cpu.OracleNetworks.Widths;
import dev.shrike.graph.Graph;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.oracle.Formulas;
import dev.shrike.oracle.IntervalTensor;
import dev.shrike.oracle.NearTies;
import dev.shrike.oracle.OnnxOracle;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * The whole engine, passes and kernels, against an evaluation that shares nothing with it ({@link OnnxOracle}).
 *
 * <p>The engine counts in float32. A code may differ from the exact one by one, and only where the exact position lies
 * within eight roundings of a tie ({@link Formulas#slack}); the number of such near ties is that of chance
 * ({@link NearTies}). A code computed from such open codes may be any of those that they lead to: by more than one
 * where their steps are longer than its own.
 */
class OracleTest {
    private static final int ROUNDS = Integer.getInteger("shrike.oracle.rounds", 2);
    private static final List<Widths> WIDTHS = List.of(new Widths(8, 8), new Widths(4, 8), new Widths(4, 4),
            new Widths(3, 3), new Widths(2, 2), new Widths(1, 2));

    /** How engine and oracle differ. */
    private static final class Differences {
        private final NearTies ties = new NearTies();
        private long codes;
        private long different;
        private long wrong;
        private String first = "";

        void compare(Network network, float[] found, OnnxOracle.Results expected, String hint) {
            IntervalTensor y = expected.values().get("y");
            assertEquals(y.value().length, found.length, hint);
            double step = network.step();
            for (int i = 0; i < found.length; i++) {
                // Floats of codes are a product rounded once; codes themselves are a step apart.
                double slip = 1e-6 * (Math.abs(found[i]) + 256 * step);
                codes++;
                different += Math.abs(found[i] - y.value()[i]) > step / 2 ? 1 : 0;
                if (found[i] < y.low()[i] - slip || found[i] > y.high()[i] + slip) {
                    wrong++;
                    first = first.isEmpty() ? hint + ": y[" + i + "] is " + found[i] / step + " steps, expected "
                            + y.low()[i] / step + " to " + y.high()[i] / step : first;
                }
            }
            ties.add(expected.ties());
        }
    }

    private static float[] input(Graph graph, Random random) {
        float[] values = new float[(int) graph.inputs().getFirst().shape().elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian() * 0.8f;
        }
        return values;
    }

    /** In 128ths, so that powers of two as scales have ties. */
    private static float[] coarse(float[] values) {
        float[] result = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            result[i] = Math.round(values[i] * 128) / 128f;
        }
        return result;
    }

    private static float[] run(Network network, float[] input, CpuSettings.CodeKernel kernel, long seed, String hint) {
        long tier = EngineBits.TIERS.get((int) (seed % EngineBits.TIERS.size()));
        EngineBits.Way way = new EngineBits.Way(tier, kernel, 1 + (int) (seed / 3 % 2));
        try {
            Graph graph = GraphPasses.forInference(network.graph(), Map.of());
            return EngineBits.run(graph, input, Set.of(), way).get("y");
        } catch (RuntimeException e) {
            throw new AssertionError(hint + " " + way, e);
        }
    }

    private static Differences over(Set<Operation> operations, boolean exact, CpuSettings.CodeKernel kernel,
            Formulas formulas) {
        Differences differences = new Differences();
        long first = Long.getLong("shrike.seed", System.nanoTime() & 0xffffff);
        for (long seed = first; seed < first + ROUNDS; seed++) {
            for (Operation operation : operations) {
                for (Widths widths : WIDTHS) {
                    Random random = new Random(Objects.hash(seed, operation.ordinal(), widths));
                    String hint = operation + " " + widths + " " + kernel + ": shrike.seed " + seed;
                    Network network = exact ? OracleNetworks.exact(operation, widths, random)
                            : OracleNetworks.make(operation, widths, random);
                    float[] noise = input(network.graph(), random);
                    float[] input = exact ? coarse(noise) : noise;
                    differences.compare(network, run(network, input, kernel, seed, hint),
                            OnnxOracle.run(network.graph(), input, formulas), hint);
                }
            }
        }
        return differences;
    }

    @ParameterizedTest
    @EnumSource(CpuSettings.CodeKernel.class)
    void everyCodeIsRightButForNearTies(CpuSettings.CodeKernel kernel) {
        Differences found = over(Set.of(Operation.values()), false, kernel, Formulas.ONNX);
        NearTies ties = found.ties;
        assertEquals(0, found.wrong, found.first);
        assertTrue(found.codes > 1000L * ROUNDS && ties.positions() > 1000 * ROUNDS, found.codes + " codes");
        assertTrue(ties.found() <= ties.bound(), ties.found() + " near ties of " + ties.positions() + " positions, "
                + ties.expected() + " expected");
        if (Boolean.getBoolean("shrike.oracle.report")) {
            System.out.printf("%s: %d codes, %d differ; %d positions, %d near ties, %.1f expected%n", kernel,
                    found.codes, found.different, ties.positions(), ties.found(), ties.expected());
        }
    }

    /** With an odd zero point a tie may go either way: fused steps add it before they round, as QONNX has it. */
    @ParameterizedTest
    @EnumSource(CpuSettings.CodeKernel.class)
    void everyTieIsRoundedToEven(CpuSettings.CodeKernel kernel) {
        Differences found = over(Set.of(Operation.values()), true, kernel, Formulas.ONNX.exact());
        assertEquals(0, found.wrong + found.different, found.first);
    }

    /** Wrong formulas of engine and evaluator would pass a comparison of the two; they do not pass this one. */
    @Test
    void aWrongFormulaShows() {
        Map<String, DoubleUnaryOperator> roundings = Map.of("half up", x -> Math.floor(x + 0.5),
                "half away from 0", x -> Math.copySign(Math.floor(Math.abs(x) + 0.5), x), "down", Math::floor);
        roundings.forEach((name, round) -> assertShows(name, Operation.QUANTIZE, true,
                Formulas.ONNX.exact().withRound(round)));
        for (Operation operation : Operation.values()) {
            assertShows("zero point", operation, false, Formulas.ONNX.withZeroPointShift(1));
        }
        assertShows("bias", Operation.CONVOLUTION, false, Formulas.ONNX.withBiasFactor(1.01));
        assertShows("padding", Operation.CONVOLUTION, false, Formulas.ONNX.withPaddingInCodes());
    }

    private static void assertShows(String what, Operation operation, boolean exact, Formulas wrong) {
        for (int i = 0; i < 20; i++) {
            Differences found = over(Set.of(operation), exact, CpuSettings.CodeKernel.AUTO, wrong);
            if (found.wrong + (exact ? found.different : 0) > 0) {
                return;
            }
        }
        fail(what + " of " + operation + " shows nowhere");
    }

    /** Networks of many layers, in which an open code leaves those behind it open too. */
    @ParameterizedTest
    @EnumSource(CpuSettings.CodeKernel.class)
    void networksOfManyLayersLieWithinTheirIntervals(CpuSettings.CodeKernel kernel) {
        long first = Long.getLong("shrike.seed", System.nanoTime() & 0xffffff);
        for (long seed = first; seed < first + 5L * ROUNDS; seed++) {
            Random random = new Random(seed);
            Graph graph = RandomQuantization.network(random);
            float[] input = RandomQuantization.input(graph, random);
            Map<String, IntervalTensor> expected = OnnxOracle.run(graph, input, Formulas.ONNX).values();
            EngineBits.Way way = new EngineBits.Way(EngineBits.TIERS.get((int) (seed % EngineBits.TIERS.size())),
                    kernel, 1);
            for (Map.Entry<String, float[]> output : EngineBits.run(graph, input, Set.of(), way).entrySet()) {
                IntervalTensor right = expected.get(output.getKey());
                for (int i = 0; i < output.getValue().length; i++) {
                    float found = output.getValue()[i];
                    double slip = 1e-6 * (Math.abs(found) + right.span());
                    assertTrue(found >= right.low()[i] - slip && found <= right.high()[i] + slip,
                            way + ": shrike.seed " + seed + " " + output.getKey() + "[" + i + "] is " + found
                                    + ", expected " + right.low()[i] + " to " + right.high()[i]);
                }
            }
        }
    }
}
