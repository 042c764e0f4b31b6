package dev.shrike.training.qat;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.quantization.WeightRounding;
import java.util.HashMap;
import java.util.Map;

/**
 * Codes of one bit in place of those of two bits of a quantised network, as training of such networks begins with.
 *
 * <p>Weights become -1 and +1 times the mean of their absolute values in an output channel, which has the least squared
 * error (Rastegari et al. 2016, XNOR-Net). Values become 0 and the code 2 of the four that they had: the border of the
 * two is where 1 began. Where most of the four stood for values below 0, the second one is below 0 as well.
 */
public final class OneBitCodes {
    private static final int TWO_BITS = 2;

    private OneBitCodes() {}

    /**
     * The network with narrower codes.
     *
     * @param quantized the network with codes of two bits
     * @param real the float network that it was made from, nothing fused and batch normalisation folded
     * @param weights whether weights of two bits get one
     * @param values whether values of two bits get one
     */
    public static Graph of(Graph quantized, Graph real, boolean weights, boolean values) {
        Map<String, Tensor> constants = new HashMap<>(quantized.constants());
        Map<String, Quantization> quantization = new HashMap<>(quantized.quantization());
        Map<String, Node> originals = new HashMap<>();
        real.nodes().forEach(node -> originals.put(node.name(), node));
        for (Node node : quantized.nodes()) {
            String name = node.inputs().size() > 1 ? node.input(1) : "";
            Quantization how = quantized.quantization().get(name);
            if (!weights || how == null || how.bits() != TWO_BITS || !constants.containsKey(name)) {
                continue;
            }
            Node original = originals.get(node.name());
            Tensor floats = original == null ? null : real.constants().get(original.input(1));
            if (floats == null || !floats.shape().equals(constants.get(name).shape())) {
                throw new UnsupportedModelException("'" + node.name() + "' has quantised weights that the float network"
                        + " does not have, so they cannot be given one bit");
            }
            WeightRounding.Rounded signs = WeightRounding.round(floats, 0, 1);
            constants.put(name, signs.codes());
            quantization.put(name, signs.how());
        }
        quantized.quantization().forEach((name, how) -> {
            if (values && how.bits() == TWO_BITS && !constants.containsKey(name)) {
                quantization.put(name, value(how));
            }
        });
        return quantized.withNodes(quantized.nodes(), constants, quantization);
    }

    private static Quantization value(Quantization how) {
        boolean below = how.zeroPoint().longAt(0) - how.minCode() >= 2;
        return Quantization.perTensor(2 * how.scale().floatAt(0), below ? 1 : 0, 1, false);
    }
}
