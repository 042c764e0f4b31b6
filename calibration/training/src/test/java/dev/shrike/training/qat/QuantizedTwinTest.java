package dev.shrike.training.qat;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.evaluation.IntegerEvaluator;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("any-processor")
class QuantizedTwinTest {
    private static final Set<String> HEADS = Set.of("head", "coarse");

    private static QuantizedTwin twin(int bits) {
        Graph real = TinyNetwork.real(5);
        return new QuantizedTwin(TinyNetwork.quantized(real, bits, bits), real, HEADS);
    }

    /** What a twin begins with. */
    private static Map<String, float[]> given(QuantizedTwin twin) {
        Map<String, float[]> values = new HashMap<>();
        twin.graph().constants().forEach((name, tensor) -> values.put(name, tensor.toFloats()));
        twin.layers().forEach(layer -> values.put(layer.step(), new float[layer.rows()]));
        twin.values().forEach(value -> values.put(value.step(), new float[1]));
        return values;
    }

    private static float[] output(Graph graph, String name) {
        return IntegerEvaluator.run(graph, Map.of("images", TinyNetwork.image(3)), Set.of(name)).floats().get(name)
                .toFloats();
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 8})
    void nothingLearnedGivesTheSameCodesAndResults(int bits) {
        Graph real = TinyNetwork.real(5);
        Graph quantized = TinyNetwork.quantized(real, bits, bits);
        QuantizedTwin twin = new QuantizedTwin(quantized, real, HEADS);
        Graph assembled = twin.assembled(given(twin)::get);
        for (QuantizedLayer layer : twin.layers()) {
            assertArrayEquals(quantized.constants().get(layer.weights()).toLongs(),
                    assembled.constants().get(layer.weights()).toLongs(), layer.node());
        }
        for (String head : HEADS) {
            float[] expected = output(quantized, head);
            float[] actual = output(assembled, head);
            for (int i = 0; i < expected.length; i++) {
                assertEquals(expected[i], actual[i], 1e-3 * Math.max(1, Math.abs(expected[i])), head + " " + i);
            }
        }
    }

    @Test
    void theTwinWithRoundedWeightsAndValuesComputesWhatItsAssemblyDoes() {
        QuantizedTwin twin = twin(4);
        Map<String, float[]> learned = moved(twin);
        Graph assembled = twin.assembled(learned::get);
        // The twin itself, with the learned constants, rounded by hand.
        Map<String, Tensor> constants = new HashMap<>(twin.graph().constants());
        constants.replaceAll((name, tensor) -> tensor.type() == dev.shrike.graph.DataType.FLOAT32
                ? Tensor.ofFloats(tensor.shape(), learned.get(name)) : tensor);
        Map<String, Quantization> quantization = new HashMap<>();
        for (QuantizedLayer layer : twin.layers()) {
            float[] weights = learned.get(layer.weights()).clone();
            float[] factors = layer.factors(learned::get);
            int depth = weights.length / factors.length;
            for (int i = 0; i < weights.length; i++) {
                long zero = layer.how().zeroPoint().longAt(i / depth);
                weights[i] = layer.how().scale().floatAt(i / depth) * factors[i / depth] * (float) Math.clamp(
                        Math.rint(weights[i] / factors[i / depth]),
                        layer.how().minCode() - zero, layer.how().maxCode() - zero);
            }
            constants.put(layer.weights(), Tensor.ofFloats(constants.get(layer.weights()).shape(), weights));
        }
        twin.values().forEach(value -> value.names()
                .forEach(name -> quantization.put(name, value.quantization(learned::get))));
        Graph rounded = twin.graph().withNodes(twin.graph().nodes(), constants, quantization);
        for (String head : HEADS) {
            float[] expected = ReferenceEvaluator.run(rounded, Map.of("images", TinyNetwork.image(3)), Set.of(head))
                    .get(head).toFloats();
            float[] actual = output(assembled, head);
            int far = 0;
            for (int i = 0; i < expected.length; i++) {
                far += Math.abs(expected[i] - actual[i]) > 1e-4 * Math.max(1, Math.abs(expected[i])) ? 1 : 0;
            }
            // A value on the border of two codes may go either way, and then some results behind it differ.
            assertTrue(far <= expected.length / 20, far + " of " + expected.length + " differ at " + head);
        }
    }

    /** Everything learned a little. */
    private static Map<String, float[]> moved(QuantizedTwin twin) {
        Random random = new Random(8);
        Map<String, float[]> learned = given(twin);
        for (QuantizedLayer layer : twin.layers()) {
            move(learned.get(layer.step()), random, 0.2);
            move(learned.get(layer.weights()), random, 0.05);
            move(learned.get(layer.beta()), random, 0.1);
            if (layer.normalized()) {
                for (int row = 0; row < layer.rows(); row++) {
                    learned.get(layer.gamma())[row] = 0.5f + random.nextFloat();
                    learned.get(layer.variance())[row] = 0.5f + random.nextFloat();
                    learned.get(layer.mean())[row] = random.nextFloat() - 0.5f;
                }
            }
        }
        twin.values().forEach(value -> move(learned.get(value.step()), random, 0.1));
        return learned;
    }

    private static void move(float[] values, Random random, double by) {
        for (int i = 0; i < values.length; i++) {
            values[i] += (float) (by * random.nextGaussian());
        }
    }

    @Test
    void headsAndInputsAreLeftAsTheyAre() {
        QuantizedTwin twin = twin(3);
        Function<String, QuantizedLayer> layer = node -> twin.layers().stream()
                .filter(each -> each.node().equals(node)).findFirst().orElseThrow();
        assertFalse(layer.apply("head.conv.node").normalized());
        assertTrue(layer.apply("down.conv.node").normalized());
        assertFalse(twin.values().stream().filter(value -> value.names().contains("images")).findFirst()
                .orElseThrow().learned());
    }

    @Test
    void aLayerThatTheFloatNetworkLacksIsNamed() {
        Graph quantized = TinyNetwork.quantized(TinyNetwork.real(5), 4, 4);
        Graph real = TinyNetwork.real(5);
        Graph other = real.withNodes(real.nodes().stream().map(node -> node.name().equals("deep.conv.node")
                ? new dev.shrike.graph.Node("else", node.op(), node.inputs(), node.outputs()) : node).toList());
        assertTrue(assertThrows(UnsupportedModelException.class, () -> new QuantizedTwin(quantized, other, HEADS))
                .getMessage().contains("'deep.conv.node'"));
    }
}
