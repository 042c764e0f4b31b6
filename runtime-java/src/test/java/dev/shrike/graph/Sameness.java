package dev.shrike.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.graph.evaluation.ReferenceEvaluator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/** Whether two graphs, or two tensors, hold the same numbers. */
public final class Sameness {
    private Sameness() {}

    /** Runs both graphs on random inputs and compares their outputs, element by element. */
    public static void assertSameOutputs(Graph before, Graph after, long seed, double tolerance) {
        Map<String, Tensor> inputs = randomInputs(after, new SplittableRandom(seed));
        Set<String> wanted = new LinkedHashSet<>();
        before.outputs().forEach(output -> wanted.add(output.name()));
        assertEquals(wanted.stream().toList(), after.outputs().stream().map(ValueInfo::name).toList(),
                "names of the outputs");
        Map<String, Tensor> expected = ReferenceEvaluator.run(before, retyped(before, inputs), wanted);
        Map<String, Tensor> found = ReferenceEvaluator.run(after, inputs, wanted);
        for (String name : wanted) {
            assertClose(expected.get(name), found.get(name), tolerance, "output '" + name + "', seed " + seed);
        }
    }

    /** Compares two tensors: the difference may be {@code tolerance} times the expected value or 1. */
    public static void assertClose(Tensor expected, Tensor found, double tolerance, String what) {
        assertEquals(expected.shape(), found.shape(), what + ": shape");
        for (long i = 0; i < expected.elements(); i++) {
            double want = expected.doubleAt(i);
            double got = found.doubleAt(i);
            boolean same = want == got || (Double.isNaN(want) && Double.isNaN(got))
                    || Math.abs(want - got) <= tolerance * Math.max(1, Math.abs(want));
            assertTrue(same, what + ": element " + i + " is " + got + ", expected " + want);
        }
    }

    /** Uniform numbers from 0 to 1 for every input. */
    public static Map<String, Tensor> randomInputs(Graph graph, SplittableRandom random) {
        Map<String, Tensor> inputs = new HashMap<>();
        for (ValueInfo input : graph.inputs()) {
            inputs.put(input.name(), randomTensor(random, input.type(), input.shape(), 0, 1));
        }
        return inputs;
    }

    public static Tensor randomTensor(SplittableRandom random, DataType type, Shape shape, double from, double to) {
        if (!type.isFloating()) {
            long[] values = random.longs(shape.elements(), (long) from, (long) to + 1).toArray();
            return Tensor.of(type, shape, values);
        }
        return Numbers.real(type, shape, random.doubles(shape.elements(), from, to).toArray());
    }

    private static Map<String, Tensor> retyped(Graph graph, Map<String, Tensor> inputs) {
        Map<String, Tensor> result = new HashMap<>();
        for (ValueInfo input : graph.inputs()) {
            result.put(input.name(), Numbers.cast(inputs.get(input.name()), input.type()));
        }
        return result;
    }
}
