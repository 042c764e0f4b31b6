package dev.shrike.graph.quantization;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * The integer weights of a convolution or matrix product in the form that engines take: rows of one output channel
 * each. {@code real = scale[row] * (code - zero[row])}. Codes of UINT8 constants come shifted down by 128, and so do
 * their zero points, where they need the eighth bit.
 *
 * @param rows number of output channels
 * @param depth codes a row: input channels of a group times kernel rows times kernel columns, in that order
 * @param codes the codes, row by row
 * @param scale one per row; of Gemm times its alpha
 * @param zero one per row
 * @param bits width of the codes
 * @param bipolar whether the codes are -1 and +1
 */
public record IntegerWeights(
        int rows, int depth, byte[] codes, double[] scale, int[] zero, int bits, boolean bipolar) {

    /** For any zero point that is measured, a code is at most as far from it as from that of these. */
    private static final QuantParams MEASURED = new QuantParams(1, 0, 0, 255, false);

    /**
     * Whether the node is a convolution or product of a quantised value, or one rounded by its own range, and quantised
     * constant weights.
     */
    public static boolean isIntegerProduct(Graph graph, Node node) {
        return isIntegerProduct(graph, node, name -> isMeasured(graph, name));
    }

    /** As {@link #isIntegerProduct(Graph, Node)} where it is known already which values are {@link #isMeasured}. */
    public static boolean isIntegerProduct(Graph graph, Node node, Predicate<String> isMeasured) {
        return isProduct(graph, node)
                && graph.quantization().containsKey(node.input(1))
                && !graph.constants().containsKey(node.input(0))
                && (isPerTensor(graph.quantization().get(node.input(0))) || isMeasured.test(node.input(0)))
                && followsRows(node, graph.constants().get(node.input(1)), graph.quantization().get(node.input(1)));
    }

    /** Whether the node is a convolution or a product that has a row of constant weights for each output channel. */
    public static boolean isProduct(Graph graph, Node node) {
        Tensor weights = graph.constants().get(node.input(1));
        return weights != null && switch (node.op()) {
            case Op.Conv _ -> true;
            case Op.MatMul _ -> weights.shape().rank() == 2;
            case Op.Gemm gemm -> !gemm.transA();
            default -> false;
        };
    }

    /**
     * The bias of every output channel of such a node, of Gemm times its beta; 0 where it has none. Null if it is not
     * constant, is codes, or has neither one element nor one for each channel.
     */
    public static double[] bias(Graph graph, Node node, int rows) {
        double[] values = new double[rows];
        if (node.op() instanceof Op.MatMul || !node.hasInput(2)) {
            return values;
        }
        Tensor tensor = graph.constants().get(node.input(2));
        boolean perRow = tensor != null && tensor.elements() == rows && tensor.shape().dim(-1) == rows;
        if (tensor == null || graph.quantization().containsKey(node.input(2)) || !perRow && tensor.elements() != 1) {
            return null;
        }
        double beta = node.op() instanceof Op.Gemm gemm ? gemm.beta() : 1;
        for (int i = 0; i < rows; i++) {
            values[i] = tensor.doubleAt(perRow ? i : 0) * beta;
        }
        return values;
    }

    /** Whether a value is rounded by its own range, and to no other codes. */
    public static boolean isMeasured(Graph graph, String value) {
        return measuredValues(graph).contains(value);
    }

    /** The values that are rounded by their own range, and to no other codes; one walk over the graph. */
    public static Set<String> measuredValues(Graph graph) {
        return graph.nodes().stream()
                .filter(node -> node.op() instanceof Op.DynamicQuant
                        && !graph.quantization().containsKey(node.output()))
                .map(Node::output)
                .collect(Collectors.toSet());
    }

    private static boolean isPerTensor(Quantization how) {
        return how != null && how.isPerTensor();
    }

    /** Whether the weights have one scale, or one per output channel. */
    private static boolean followsRows(Node node, Tensor weights, Quantization how) {
        return how.isPerTensor() || how.axis() == rowAxis(node) && weights.shape().rank() > how.axis();
    }

    /** The dimension of the output channels in the weights of a product. */
    public static int rowAxis(Node node) {
        return switch (node.op()) {
            case Op.Gemm gemm -> gemm.transB() ? 0 : 1;
            case Op.MatMul _ -> 1;
            default -> 0;
        };
    }

    /**
     * The weights of a node that {@link #isIntegerProduct} approves.
     *
     * @throws UnsupportedModelException if sums could exceed 32 bits with that input; names the node
     * @throws ModelException if a code or a zero point does not fit its width; names the node
     */
    public static IntegerWeights of(Graph graph, Node node) {
        Tensor tensor = graph.constants().get(node.input(1));
        Quantization how = graph.quantization().get(node.input(1));
        int axis = rowAxis(node);
        int rows = Math.toIntExact(tensor.shape().dim(axis));
        int depth = rows == 0 ? 0 : Math.toIntExact(tensor.elements() / rows);
        double alpha = node.op() instanceof Op.Gemm gemm ? gemm.alpha() : 1;
        int shift = tensor.type() == DataType.UINT8 && how.bits() == 8 ? 128 : 0;
        byte[] codes = codes(node, tensor, axis, rows, depth, shift);
        requireWidth(node, codes, how);
        double[] scale = new double[rows];
        int[] zero = new int[rows];
        for (int row = 0; row < rows; row++) {
            int index = how.isPerTensor() ? 0 : row;
            scale[row] = how.scale().doubleAt(index) * alpha;
            long stored = how.zeroPoint().longAt(index) - shift;
            if (stored < Byte.MIN_VALUE || stored > 255) {
                throw new ModelException(NodeView.describe(node) + ": the weights '" + node.input(1)
                        + "' have the zero point " + (stored + shift) + ", which does not fit 8 bits");
            }
            zero[row] = (int) stored;
        }
        IntegerWeights weights = new IntegerWeights(rows, depth, codes, scale, zero, how.bits(), how.bipolar());
        Quantization from = graph.quantization().get(node.input(0));
        weights.checkSums(node, from == null ? MEASURED : QuantParams.of(from));
        return weights;
    }

    /** Kernels pack as many bits of each code as the quantisation says, so no code may have more. */
    private static void requireWidth(Node node, byte[] codes, Quantization how) {
        if (how.bits() == 8) {
            return;
        }
        int high = how.bipolar() ? 1 : how.signed() ? (1 << (how.bits() - 1)) - 1 : (1 << how.bits()) - 1;
        int low = how.bipolar() ? -1 : how.signed() ? -high - 1 : 0;
        for (byte code : codes) {
            if (code < low || code > high || how.bipolar() && code == 0) {
                throw new ModelException(NodeView.describe(node) + ": the code " + code + " of its weights is not"
                        + " one of " + how.bits()
                        + (how.bipolar() ? " bit, -1 and 1" : " bits, " + low + " to " + high));
            }
        }
    }

    private static byte[] codes(Node node, Tensor tensor, int axis, int rows, int depth, int shift) {
        if (axis == 0 && shift == 0 && (tensor.type() == DataType.INT8 || tensor.type() == DataType.UINT8)) {
            // Nearly always; a copy is quick even in a JVM that still interprets.
            return tensor.data().toArray(ValueLayout.JAVA_BYTE);
        }
        byte[] codes = new byte[rows * depth];
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < depth; i++) {
                long at = axis == 0 ? (long) row * depth + i : (long) i * rows + row;
                long code = tensor.longAt(at) - shift;
                if (code != (byte) code) {
                    throw new ModelException(NodeView.describe(node) + ": the weights '" + node.input(1)
                            + "' have the code " + (code + shift) + ", which does not fit 8 bits");
                }
                codes[row * depth + i] = (byte) code;
            }
        }
        return codes;
    }

    private void checkSums(Node node, QuantParams x) {
        long reach = Math.max(x.zero() - x.low(), x.high() - x.zero());
        long farthest = 128 + Arrays.stream(zero).mapToLong(z -> Math.abs((long) z)).max().orElse(0);
        // Nearly always the bound for codes of a whole byte will do, and the walk over all weights is spared.
        if ((double) depth * reach * farthest > Integer.MAX_VALUE && largestSum(x) > Integer.MAX_VALUE) {
            throw new UnsupportedModelException(NodeView.describe(node) + ": sums over " + depth
                    + " products can exceed 32 bits; use fewer bits or leave the node in float");
        }
    }

    /** The largest absolute sum that some input of these codes can give. */
    public long largestSum(QuantParams x) {
        long largest = Math.max(x.zero() - x.low(), x.high() - x.zero());
        long most = 0;
        for (int row = 0; row < rows; row++) {
            long sum = 0;
            for (int i = 0; i < depth; i++) {
                sum += Math.abs((long) codes[row * depth + i] - zero[row]) * largest;
            }
            most = Math.max(most, sum);
        }
        return most;
    }
}
