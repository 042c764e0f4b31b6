package dev.shrike.calibration.prune;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPasses;
import dev.shrike.graph.ReferenceEvaluator;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Backends;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChannelRemovalTest {
    private static final int GRAPHS = 200;
    private static final Backend BACKEND = Backends.usable(Backends.installed(), "").getFirst();

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void removingChannelsThatAreConstantLeavesTheResult(boolean shifts) {
        int removedInAll = 0;
        int tied = 0;
        for (long seed = 0; seed < GRAPHS; seed++) {
            Random random = new Random(seed);
            Graph graph = GraphPasses.simplify(RandomNetwork.graph(seed, shifts), Map.of());
            ChannelDependencies dependencies = ChannelDependencies.of(graph);
            Set<Integer> units = some(dependencies, random);
            tied += (int) units.stream().filter(unit -> dependencies.members(unit).size() > 1).count();
            Graph masked = ChannelMask.apply(dependencies, units);
            Map<String, double[]> means = ConstantChannels.of(dependencies, units, BACKEND);
            Graph pruned = OnnxModels.read(OnnxModels.toBytes(ChannelRemoval.apply(dependencies, units,
                    ConstantChannels.shifts(dependencies, units, means))), "pruned", null);
            Tensor input = input(graph, random);
            Set<String> outputs = graph.outputs().stream().map(ValueInfo::name).collect(Collectors.toSet());
            Map<String, Tensor> expected = ReferenceEvaluator.run(masked, Map.of("images", input), outputs);
            Map<String, Tensor> actual = ReferenceEvaluator.run(pruned, Map.of("images", input), outputs);
            for (String name : outputs) {
                assertNear(expected.get(name), actual.get(name), "seed " + seed);
            }
            removedInAll += units.size();
        }
        assertTrue(removedInAll > 10 * GRAPHS, removedInAll + " units removed");
        assertTrue(tied > GRAPHS, tied + " of them in several layers");
    }

    private static void assertNear(Tensor expected, Tensor actual, String what) {
        assertEquals(expected.shape(), actual.shape(), what);
        float[] a = expected.toFloats();
        float[] b = actual.toFloats();
        for (int i = 0; i < a.length; i++) {
            assertEquals(a[i], b[i], 1e-4 * Math.max(1, Math.abs(a[i])), what + ", element " + i);
        }
    }

    private static Tensor input(Graph graph, Random random) {
        Shape shape = graph.inputs().getFirst().shape();
        float[] values = new float[(int) shape.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat();
        }
        return Tensor.ofFloats(shape, values);
    }

    /** Some of the removable units, so that no value is left without channels. */
    private static Set<Integer> some(ChannelDependencies dependencies, Random random) {
        List<Integer> all = new ArrayList<>(dependencies.removable());
        Collections.shuffle(all, random);
        Set<Integer> chosen = new TreeSet<>();
        for (int unit : all.subList(0, all.size() * 2 / 3)) {
            Set<Integer> more = new TreeSet<>(chosen);
            more.add(unit);
            if (dependencies.emptied(more).isEmpty()) {
                chosen = more;
            }
        }
        return chosen;
    }

    @Test
    void aLayerIsNeverEmptied() {
        Graph graph = GraphPasses.simplify(RandomNetwork.graph(1, false), Map.of());
        ChannelDependencies dependencies = ChannelDependencies.of(graph);
        ModelException e = assertThrows(ModelException.class,
                () -> ChannelRemoval.apply(dependencies, dependencies.removable(), Map.of()));
        assertTrue(e.getMessage().contains("without channels"), e.getMessage());
        assertTrue(e.getMessage().contains("conv"), e.getMessage());
    }
}
