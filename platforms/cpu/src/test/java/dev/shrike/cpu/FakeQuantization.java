package dev.shrike.cpu;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.evaluation.IntegerEvaluator;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Every node of a quantised graph as "fake quantisation" defines it: codes stand for floats, the node computes with
 * these, its result is rounded to codes. All of it in double, from the codes that the integer evaluation has for the
 * node's inputs; so the position of a result between two codes is known to 1e-12 or so, and which of them is right is
 * no matter of how sums are rounded.
 *
 * <p>The integer evaluation rounds a product of int32 and float32 and a sum to float32 on that way ({@link
 * dev.shrike.graph.quantization.Requantization}), so it may take the other code where the position is that close to the
 * middle.
 */
final class FakeQuantization {
    /** Three roundings of float32 about positions of up to a thousand codes: 3 * 1000 * 2^-24, and some more. */
    static final double FLOAT_NOISE = 2.5e-4;

    private static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final Graph graph;
    private final Map<String, Tensor> floats;
    private final Map<String, Tensor> codes;
    private long compared;
    private long differing;
    private double farthest;

    private FakeQuantization(Graph graph, IntegerEvaluator.Values values) {
        this.graph = graph;
        this.floats = values.floats();
        this.codes = values.codes();
    }

    /**
     * What was found.
     *
     * @param compared number of codes
     * @param differing how many of them are the other neighbour of their exact position
     * @param farthest how far such a position is from the middle between the two, in codes
     */
    record Report(long compared, long differing, double farthest) {
        Report plus(Report other) {
            return new Report(compared + other.compared, differing + other.differing,
                    Math.max(farthest, other.farthest));
        }

        @Override
        public String toString() {
            return compared + " codes, " + differing + " rounded the other way, at most " + farthest
                    + " codes from the middle";
        }
    }

    /** Compares the integer evaluation of the whole graph on an input, node by node. */
    static Report compare(Graph graph, float[] input) {
        ValueInfo x = graph.inputs().getFirst();
        Set<String> wanted = new HashSet<>();
        for (Node node : graph.nodes()) {
            wanted.addAll(node.outputs());
            wanted.addAll(node.inputs());
        }
        wanted.remove("");
        wanted.removeAll(graph.constants().keySet());
        FakeQuantization comparison = new FakeQuantization(graph,
                IntegerEvaluator.run(graph, Map.of(x.name(), Tensor.ofFloats(x.shape(), input)), wanted));
        graph.nodes().forEach(comparison::node);
        return new Report(comparison.compared, comparison.differing, comparison.farthest);
    }

    private void node(Node node) {
        List<String> outputs = node.outputs().stream().filter(codes::containsKey).toList();
        if (outputs.isEmpty()) {
            return;
        }
        Map<String, Tensor> constants = new HashMap<>();
        Map<String, Tensor> inputs = new HashMap<>();
        List<ValueInfo> infos = new ArrayList<>();
        for (String name : new HashSet<>(node.inputs())) {
            Tensor constant = graph.constants().get(name);
            if (constant != null) {
                constants.put(name, node.op() instanceof Op.Resize ? constant : constantReal(name, constant));
            } else if (!name.isEmpty()) {
                Tensor real = exact(name);
                inputs.put(name, real);
                infos.add(new ValueInfo(name, DataType.FLOAT64, real.shape()));
            }
        }
        List<ValueInfo> results =
                outputs.stream().map(name -> new ValueInfo(name, DataType.FLOAT64, Shape.of())).toList();
        Graph alone = new Graph(node.name(), infos, results, List.of(node), constants, Map.of(), Map.of());
        ReferenceEvaluator.run(alone, inputs, Set.copyOf(outputs)).forEach(this::compare);
    }

    /** The floats that a value stands for: of codes exactly, else as it is. */
    private Tensor exact(String name) {
        Tensor stored = codes.get(name);
        if (stored == null) {
            return doubles(floats.get(name), 1, 0);
        }
        Quantization how = graph.quantization().get(name);
        int shift = how.signed() ? 1 << (how.bits() - 1) : 0;
        return doubles(stored, how.scale().floatAt(0), how.zeroPoint().longAt(0) + shift);
    }

    private Tensor constantReal(String name, Tensor tensor) {
        Quantization how = graph.quantization().get(name);
        if (how == null) {
            return tensor.type() == DataType.FLOAT32 ? doubles(tensor, 1, 0) : tensor;
        }
        int inner = 1;
        for (int d = how.axis() + 1; d < tensor.shape().rank() && how.axis() >= 0; d++) {
            inner *= (int) tensor.shape().dim(d);
        }
        int scales = (int) how.scale().elements();
        double[] values = new double[(int) tensor.elements()];
        for (int i = 0; i < values.length; i++) {
            int at = i / inner % scales;
            values[i] = how.scale().doubleAt(at) * (tensor.longAt(i) - how.zeroPoint().longAt(at));
        }
        return tensor(tensor.shape(), values);
    }

    private static Tensor doubles(Tensor tensor, double scale, long zero) {
        double[] values = new double[(int) tensor.elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = scale * (tensor.doubleAt(i) - zero);
        }
        return tensor(tensor.shape(), values);
    }

    private static Tensor tensor(Shape shape, double[] values) {
        MemorySegment data = MemorySegment.ofArray(new byte[8 * values.length]);
        for (int i = 0; i < values.length; i++) {
            data.set(DOUBLE, 8L * i, values[i]);
        }
        return new Tensor(DataType.FLOAT64, shape, data);
    }

    private void compare(String name, Tensor exact) {
        Quantization how = graph.quantization().get(name);
        int shift = how.signed() ? 1 << (how.bits() - 1) : 0;
        Tensor found = codes.get(name);
        for (long i = 0; i < exact.elements(); i++) {
            compared++;
            double position = exact.doubleAt(i) / how.scale().doubleAt(0) + how.zeroPoint().longAt(0);
            long code = found.longAt(i) - shift;
            double right = how.bipolar() ? (position >= 0 ? 1 : -1)
                    : Math.clamp(Math.rint(position), how.minCode(), how.maxCode());
            if (code == right) {
                continue;
            }
            differing++;
            double middle = how.bipolar() ? 0 : (code + right) / 2;
            double off = Math.abs(code - right) > (how.bipolar() ? 2 : 1)
                    ? Double.POSITIVE_INFINITY : Math.abs(position - middle);
            farthest = Math.max(farthest, off);
        }
    }
}
