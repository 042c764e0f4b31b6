package dev.shrike.testing;

import dev.shrike.ModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.NewNames;
import dev.shrike.graph.Node;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.passes.EliminateDeadNodes;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.graph.passes.UnfuseConvolutions;
import dev.shrike.graph.quantization.IntegerWeights;
import dev.shrike.graph.quantization.WeightRounding;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Quantises a float network from the smallest and largest value seen of each activation: for tests of what runs such
 * networks, which do not see the tools, and as what the quantiser of the tools is compared with.
 *
 * <p>Steps of a caller: take the float graph ({@link GraphPasses#forInference}, then {@link #prepare}), run it on
 * images while tapping {@link #rangesNeeded}, and give the ranges to {@link #quantize}. What comes out:
 * <ul>
 * <li>weights of Conv, Gemm and MatMul as codes with a scale per output channel, symmetric about 0;
 * <li>activations as unsigned codes with one scale and a zero point that is a code, so that padding is exact;
 * <li>what a convolution itself gives, before its activation, in 8 bits; so is a summand that nothing else reads;
 * <li>one scale for the operands and result of a Concat, and for what MaxPool, Resize and Split make of a value;
 * <li>the results of the last products real, so that a detection head is decoded in float.
 * </ul>
 * A value that several products read has the width of the widest wish among them.
 */
public final class MinMaxQuantizer {
    private MinMaxQuantizer() {}

    /** What becomes of the first and the last products, which lose most. */
    public enum FirstAndLast {
        EIGHT,
        FLOAT
    }

    /**
     * Widths of one product.
     *
     * @param weights 1 to 8
     * @param activations of its input, 1 to 8
     */
    public record Bits(int weights, int activations) {
        public Bits {
            if (weights < 1 || weights > 8 || activations < 1 || activations > 8) {
                throw new IllegalArgumentException("w" + weights + "a" + activations
                        + " is not within 1 to 8 bits each");
            }
        }
    }

    /**
     * How to quantise.
     *
     * @param bits of all products but those below
     * @param firstAndLast what becomes of products that read the input of the network, and of those behind which no
     *     other comes
     * @param overrides widths of single products by the name of the node, the first and last among them too
     */
    public record Options(Bits bits, FirstAndLast firstAndLast, Map<String, Bits> overrides) {
        public Options {
            Objects.requireNonNull(bits, "bits");
            Objects.requireNonNull(firstAndLast, "firstAndLast");
            overrides = Map.copyOf(overrides);
        }

        /** These widths everywhere but in the first and last products, which get 8 bits. */
        public static Options of(int weightBits, int activationBits) {
            return new Options(new Bits(weightBits, activationBits), FirstAndLast.EIGHT, Map.of());
        }
    }

    /** The graph with names for the values inside fused convolutions; ranges may be wanted of these. */
    public static Graph prepare(Graph graph) {
        return new UnfuseConvolutions().apply(graph);
    }

    /** Names of the values of a prepared graph whose ranges {@link #quantize} needs under these options. */
    public static Set<String> rangesNeeded(Graph graph, Options options) {
        return new MinMaxPlacement(prepare(graph), options).sources();
    }

    /**
     * The quantised graph.
     *
     * @param graph a float graph, prepared or not
     * @param ranges smallest and largest value by the name of the value
     * @throws ModelException if a range is missing or no pair of finite numbers, an override names no product, or the
     *     graph is quantised already
     */
    public static Graph quantize(Graph graph, Map<String, float[]> ranges, Options options) {
        if (graph.isQuantized()) {
            throw new ModelException("graph '" + graph.name() + "' is quantised already; give the float network");
        }
        Graph prepared = prepare(graph);
        MinMaxPlacement values = new MinMaxPlacement(prepared, options);
        Map<String, Quantization> quantization = new HashMap<>(values.quantization(ranges));
        Map<String, Tensor> constants = new HashMap<>(prepared.constants());
        NewNames names = new NewNames(prepared);
        List<Node> nodes = prepared.nodes().stream().map(node -> {
            Bits bits = values.bits(node);
            if (bits == null) {
                return node;
            }
            WeightRounding.Rounded rounded = WeightRounding.round(prepared.constants().get(node.input(1)),
                    IntegerWeights.rowAxis(node), bits.weights());
            String name = names.next(node.input(1) + ".codes");
            constants.put(name, rounded.codes());
            quantization.put(name, rounded.how());
            List<String> inputs = new ArrayList<>(node.inputs());
            inputs.set(1, name);
            return node.withInputs(inputs);
        }).toList();
        return new EliminateDeadNodes().apply(prepared.withNodes(nodes, constants, quantization));
    }

    /** Unsigned codes from the smallest to the largest value, 0 among them. */
    static Quantization asymmetric(String name, float[] range, int bits) {
        if (range == null || range.length != 2) {
            throw new ModelException("no range is known of value '" + name + "'; it must be measured first");
        }
        if (!Float.isFinite(range[0]) || !Float.isFinite(range[1]) || range[0] > range[1]) {
            throw new ModelException("the range of value '" + name + "' is " + range[0] + " to " + range[1]
                    + ", expected two finite numbers in order");
        }
        double low = Math.min(0, range[0]);
        double high = Math.max(0, range[1]);
        int steps = (1 << bits) - 1;
        float scale = (float) Math.max((high - low) / steps, 1e-30);
        int zero = (int) Math.clamp(Math.rint(-low / scale), 0, steps);
        return Quantization.perTensor(scale, zero, bits, false);
    }
}
