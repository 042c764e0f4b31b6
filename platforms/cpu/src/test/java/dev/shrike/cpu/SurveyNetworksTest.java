package dev.shrike.cpu;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.testing.MinMaxQuantizer;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The blocks of compressed YOLOv5 variants: in float as ONNX Runtime, in 8 bits as the evaluator and near float. */
class SurveyNetworksTest {
    private static final int IMAGES = 3;

    private final SplittableRandom random = new SplittableRandom(Long.getLong("shrike.seed", 51));

    @ParameterizedTest
    @EnumSource
    void floatNetworksEqualOnnxRuntime(SurveyNetworks.Block block) {
        OnnxFile file = SurveyNetworks.of(block, random);
        OnnxAgreement.check(file, OnnxAgreement.random(file, random, 0, 1), 2e-4, block.name());
    }

    @ParameterizedTest
    @EnumSource
    void networksOfEightBitsEqualTheEvaluatorAndStayNearFloat(SurveyNetworks.Block block) {
        OnnxFile file = SurveyNetworks.of(block, random);
        Graph real = MinMaxQuantizer.prepare(GraphPasses.forInference(
                OnnxModels.read(file.toBytes(Map.of("y", new int[] {1, 4})), block.name(), null), Map.of()));
        MinMaxQuantizer.Options options = MinMaxQuantizer.Options.of(8, 8);
        Map<String, float[]> ranges = new HashMap<>();
        float[] pixels = null;
        for (int i = 0; i < IMAGES; i++) {
            pixels = OnnxAgreement.random(file, random, 0, 1).get("x");
            evaluate(real, pixels, MinMaxQuantizer.rangesNeeded(real, options))
                    .forEach((name, tensor) -> ranges.merge(name, range(tensor.toFloats()), SurveyNetworksTest::union));
        }
        Graph quantized = MinMaxQuantizer.quantize(real, ranges, options);
        float[] exact = evaluate(real, pixels, Set.of("y")).get("y").toFloats();
        float[] expected = EngineBits.evaluate(quantized, pixels, Set.of("y")).get("y").toFloats();
        float[] range = range(exact);
        double span = range[1] - range[0];
        double loss = meanDifference(exact, expected) / span;
        System.out.printf("%s at w8a8: mean error %.5f of the range%n", block, loss);
        assertTrue(loss < 0.02, block + ": " + loss + " of the range off");
        // Floats between codes may fall on either side of a tie between two codes.
        for (EngineBits.Way way : EngineBits.tiersAndThreads()) {
            float[] found = EngineBits.run(quantized, pixels, Set.of(), way).get("y");
            double difference = meanDifference(expected, found) / span;
            assertTrue(difference < 1e-3, block + ", " + way + ": " + difference + " of the range off");
        }
    }

    private static Map<String, Tensor> evaluate(Graph graph, float[] pixels, Set<String> wanted) {
        return ReferenceEvaluator.run(graph, Map.of("x", Tensor.ofFloats(Shape.of(1, 3, 32, 32), pixels)), wanted);
    }

    private static float[] range(float[] values) {
        float[] range = {values[0], values[0]};
        for (float value : values) {
            range[0] = Math.min(range[0], value);
            range[1] = Math.max(range[1], value);
        }
        return range;
    }

    private static float[] union(float[] a, float[] b) {
        return new float[] {Math.min(a[0], b[0]), Math.max(a[1], b[1])};
    }

    private static double meanDifference(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += Math.abs(a[i] - b[i]);
        }
        return sum / a.length;
    }
}
