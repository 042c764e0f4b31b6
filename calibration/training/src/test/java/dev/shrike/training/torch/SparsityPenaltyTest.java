package dev.shrike.training.torch;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.Graph;
import dev.shrike.training.SparseTraining.Method;
import dev.shrike.training.SparseTraining;
import dev.shrike.training.qat.QuantizedTwin;
import dev.shrike.training.qat.TinyNetwork;
import java.util.Map;
import java.util.Set;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Device;
import org.bytedeco.pytorch.Tensor;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("any-processor")
class SparsityPenaltyTest {
    private static final float[] GAMMAS = {0.5f, -0.1f, 0, 1};

    private static float[] penalty(Method method, double cost, double threshold, double progress) {
        return SparsityPenalty.penalty(new SparseTraining(method, 0.01), GAMMAS, cost, threshold, progress);
    }

    @Test
    void theConstantPenaltyIsTheSubgradientOfL1() {
        assertArrayEquals(new float[] {0.01f, -0.01f, 0, 0.01f}, penalty(Method.CONSTANT, 7, 0, 0.9), 1e-9f);
    }

    @Test
    void theCosineFallsForLargeGammasAlone() {
        assertArrayEquals(new float[] {0.01f, -0.01f, 0, 0.01f}, penalty(Method.COSINE, 1, 0.3, 0), 1e-9f);
        assertArrayEquals(new float[] {0.005f, -0.01f, 0, 0.005f}, penalty(Method.COSINE, 1, 0.3, 0.5), 1e-8f);
        assertArrayEquals(new float[] {0, -0.01f, 0, 0}, penalty(Method.COSINE, 1, 0.3, 1), 1e-8f);
    }

    @Test
    void theFilterWisePenaltyGrowsAsGammasFall() {
        float[] found = penalty(Method.FILTER_WISE, 1, 0, 0);
        assertEquals(0.01 * 2 * 0.4 / 0.9, found[0], 1e-8);
        assertEquals(-0.01 * 2 * 0.4 / 0.5, found[1], 1e-8);
    }

    @Test
    void theComputeWeightedPenaltyFollowsTheCost() {
        assertEquals(0.03, penalty(Method.COMPUTE_WEIGHTED, 3, 0, 0)[3], 1e-8);
    }

    @Test
    void costsAreMultiplicationsOfAChannelOverTheMean() {
        Graph real = TinyNetwork.real(1);
        Graph graph = new QuantizedTwin(TinyNetwork.quantized(real, 8, 8), real, Set.of("head", "coarse")).graph();
        Map<String, Double> costs = SparsityPenalty.costs(graph);
        double first = 3 * 9 * 16 * 16;
        double fine = 32 * 9 * 8 * 8;
        assertEquals(fine / first, costs.get("fine.conv.node.norm.gamma") / costs.get("first.conv.node.norm.gamma"),
                1e-9);
        assertEquals(1, costs.values().stream().mapToDouble(Double::doubleValue).average().orElseThrow(), 1e-9);
    }

    @Test
    void gradientsOfGammasGetThePenalty() {
        Graph real = TinyNetwork.real(1);
        Graph graph = new QuantizedTwin(TinyNetwork.quantized(real, 8, 8), real, Set.of("head", "coarse")).graph();
        try (PointerScope _ = new PointerScope(); GraphNetwork network = new GraphNetwork(graph, new Device("cpu"))) {
            network.train(false);
            network.forward(TensorMath.ofFloats(TinyNetwork.image(1).toFloats(), 1, 3, TinyNetwork.SIDE,
                    TinyNetwork.SIDE)).getFirst().sum().backward();
            String name = network.gammas().getFirst();
            Tensor gradient = network.parameters().get(name).grad();
            float[] before = TensorMath.floats(gradient);
            new SparsityPenalty(new SparseTraining(Method.CONSTANT, 0.25), graph).addGradients(network, 0);
            float[] after = TensorMath.floats(gradient);
            for (int i = 0; i < before.length; i++) {
                assertEquals(before[i] + 0.25f, after[i], 1e-3f + 1e-5f * Math.abs(before[i]));
            }
            assertTrue(before.length > 0);
        }
    }
}
