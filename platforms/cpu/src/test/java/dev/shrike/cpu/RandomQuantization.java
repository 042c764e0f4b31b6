package dev.shrike.cpu;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.passes.GraphPasses;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Random quantisation of random networks, and their random inputs. */
public final class RandomQuantization {
    private RandomQuantization() {}

    /** A quantised network, ready for the engine. */
    public static Graph network(Random random) {
        Graph real = GraphPasses.forInference(RandomGraphs.make(random, 4 + random.nextInt(14)), Map.of());
        return GraphPasses.forInference(quantize(real, random), Map.of());
    }

    /**
     * A network, ready for the engine, in which what convolutions read is mostly rounded by its own range. What only
     * such convolutions, moves and exact sums have made has the same bits everywhere.
     */
    public static Graph dynamicNetwork(Random random) {
        Graph real = GraphPasses.forInference(RandomGraphs.make(random, 4 + random.nextInt(14)), Map.of());
        return GraphPasses.forInference(dynamic(real, random), Map.of());
    }

    private static Graph dynamic(Graph graph, Random random) {
        Map<String, Quantization> quantization = new HashMap<>();
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        Map<String, String> rounded = new HashMap<>();
        List<Node> nodes = new ArrayList<>();
        Set<String> inexact = new HashSet<>();
        for (Node node : graph.nodes()) {
            String x = node.input(0);
            boolean convolution = node.op() instanceof Op.Conv;
            boolean exact = node.inputs().stream().noneMatch(inexact::contains);
            Node used = node;
            if (convolution && exact && random.nextInt(6) > 0) {
                if (!rounded.containsKey(x)) {
                    rounded.put(x, x + ".rounded");
                    nodes.add(new Node(x + ".rounded", new Op.DynamicQuant(), List.of(x), List.of(x + ".rounded")));
                }
                List<String> inputs = new ArrayList<>(node.inputs());
                inputs.set(0, rounded.get(x));
                used = node.withInputs(inputs);
                quantizeWeights(node.input(1), constants, quantization, random);
            } else if (convolution || node.op() instanceof Op.Unary unary && unary.kind() != Op.Unary.Kind.RELU) {
                exact = false;
            }
            nodes.add(used);
            for (String output : node.outputs()) {
                if (!exact) {
                    inexact.add(output);
                } else if (random.nextInt(8) == 0) {
                    quantization.put(output, codes(random));
                }
            }
        }
        return new Graph(graph.name(), graph.inputs(), graph.outputs(), nodes, constants, quantization,
                graph.metadata());
    }

    public static float[] input(Graph graph, Random random) {
        float[] values = new float[(int) graph.inputs().getFirst().shape().elements()];
        for (int i = 0; i < values.length; i++) {
            values[i] = random.nextFloat() - 0.5f;
        }
        return values;
    }

    /** Random widths and scales for most values, integer weights for most convolutions; real ops only before codes. */
    public static Graph quantize(Graph graph, Random random) {
        Map<String, Quantization> quantization = new HashMap<>();
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        boolean whole = random.nextBoolean();
        for (ValueInfo input : graph.inputs()) {
            quantization.put(input.name(), codes(random));
        }
        Set<String> inexact = new HashSet<>();
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.Conv && (whole || random.nextInt(5) > 0)) {
                quantizeWeights(node.input(1), constants, quantization, random);
            }
            boolean exact = isExact(node, quantization) && node.inputs().stream().noneMatch(inexact::contains);
            for (String output : node.outputs()) {
                if (exact && (whole || random.nextInt(4) > 0)) {
                    quantization.put(output, codes(random));
                } else if (!exact) {
                    inexact.add(output);
                }
            }
        }
        return new Graph(graph.name(), graph.inputs(), graph.outputs(), graph.nodes(), constants, quantization,
                graph.metadata());
    }

    /**
     * Whether engine and evaluator give the same bits: float sums and the functions of floats may differ in the last
     * one, and codes rounded from them by a whole code.
     */
    private static boolean isExact(Node node, Map<String, Quantization> quantization) {
        return switch (node.op()) {
            case Op.Conv _ -> quantization.containsKey(node.input(0)) && quantization.containsKey(node.input(1));
            case Op.Unary unary -> quantization.containsKey(node.input(0)) || unary.kind() == Op.Unary.Kind.RELU;
            default -> true;
        };
    }

    /** Unsigned and signed codes with zero points, the lowest left out or not, and bipolar ones. */
    private static Quantization codes(Random random) {
        int bits = 1 + random.nextInt(8);
        float scale = 2.5f / (1 << bits) * (0.5f + random.nextFloat());
        int kind = random.nextInt(10);
        if (kind == 0) {
            return Quantization.bipolar(Tensor.scalar(scale), -1);
        }
        boolean signed = kind < 4 && bits > 1;
        boolean narrow = kind < 3 && signed;
        int low = signed ? -(1 << (bits - 1)) + (narrow ? 1 : 0) : 0;
        int zero = random.nextInt(3) == 0 ? Math.max(low, 0) : low + random.nextInt((1 << bits) - (narrow ? 1 : 0));
        return new Quantization(Tensor.scalar(scale), Tensor.of(DataType.INT32, Shape.of(), zero), bits, signed,
                narrow, -1);
    }

    private static void quantizeWeights(
            String name, Map<String, Tensor> constants, Map<String, Quantization> quantization, Random random) {
        Tensor weights = constants.get(name);
        int bits = 1 + random.nextInt(8);
        boolean bipolar = bits == 1 && random.nextBoolean();
        int low = bits == 1 ? 0 : -(1 << (bits - 1));
        int high = bits == 1 ? 1 : (1 << (bits - 1)) - 1;
        long[] codes = new long[(int) weights.elements()];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = bipolar ? 2 * random.nextInt(2) - 1 : low + random.nextInt(high - low + 1);
        }
        int rows = (int) weights.shape().dim(0);
        float[] scales = new float[rows];
        long[] zeros = new long[rows];
        for (int i = 0; i < rows; i++) {
            scales[i] = (0.2f + random.nextFloat()) / (1 << bits);
        }
        Tensor scale = Tensor.ofFloats(Shape.of(rows), scales);
        Tensor zero = Tensor.of(DataType.INT32, Shape.of(rows), zeros);
        constants.put(name, Tensor.of(DataType.INT8, weights.shape(), codes));
        quantization.put(name, bipolar
                ? Quantization.bipolar(scale, 0)
                : new Quantization(scale, zero, bits, bits > 1, false, 0));
    }
}
