package dev.shrike.graph;

import dev.shrike.ModelException;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What every graph must obey, checked whenever one is made. */
final class GraphCheck {
    /** Whole numbers up to this are exact in float32, and integer arithmetic with them does not overflow. */
    private static final long FARTHEST_ZERO = 1 << 24;

    private GraphCheck() {}

    /** Whether scales can be divided by, and what is said of constants fits them. */
    static void check(Map<String, Quantization> quantization, Map<String, Tensor> constants) {
        if (quantization.containsKey("")) {
            throw new ModelException("a quantised value has no name");
        }
        quantization.forEach((name, how) -> {
            Tensor scale = how.scale();
            for (long i = 0; i < scale.elements(); i++) {
                if (!scale.type().isFloating() || !(scale.doubleAt(i) > 0) || Double.isInfinite(scale.doubleAt(i))) {
                    throw new ModelException("value '" + name + "' is quantised with scale " + scale.doubleAt(i)
                            + " (" + scale.type() + "), expected a positive real number");
                }
            }
            Tensor zero = how.zeroPoint();
            for (long i = 0; i < zero.elements(); i++) {
                double at = zero.doubleAt(i);
                if (at != Math.rint(at) || Math.abs(at) > FARTHEST_ZERO) {
                    throw new ModelException("value '" + name + "' is quantised with zero point " + at
                            + ", expected a whole number within " + FARTHEST_ZERO + " of 0");
                }
            }
            Tensor codes = constants.get(name);
            if (codes == null) {
                return;
            }
            if (codes.type() != DataType.INT8 && codes.type() != DataType.UINT8) {
                throw new ModelException("constant '" + name + "' is quantised, but holds " + codes
                        + ", expected codes of type INT8 or UINT8");
            }
            if (!how.isPerTensor() && (how.axis() >= codes.shape().rank()
                    || codes.shape().dim(how.axis()) != scale.elements())) {
                throw new ModelException("constant '" + name + "' has " + scale.elements() + " scales along axis "
                        + how.axis() + " of " + codes.shape() + ", expected one for each index");
            }
        });
    }

    static void check(List<ValueInfo> inputs, List<ValueInfo> outputs, List<Node> nodes,
            Map<String, Tensor> constants) {
        Set<String> written = new HashSet<>(constants.keySet());
        if (written.contains("") || inputs.stream().anyMatch(input -> input.name().isEmpty())) {
            // The empty name stands for what is left out.
            throw new ModelException("an input or a constant has no name");
        }
        for (ValueInfo input : inputs) {
            if (!written.add(input.name())) {
                throw new ModelException("value '" + input.name() + "' is given twice: as an input and as a constant"
                        + " or another input");
            }
        }
        for (Node node : nodes) {
            for (String name : node.inputs()) {
                if (!name.isEmpty() && !written.contains(name)) {
                    throw new ModelException("node '" + node.name() + "' reads '" + name
                            + "', which no input, constant or earlier node gives");
                }
            }
            if (node.outputs().isEmpty()) {
                throw new ModelException("node '" + node.name() + "' has no outputs");
            }
            for (String name : node.outputs()) {
                if (!name.isEmpty() && !written.add(name)) {
                    throw new ModelException("node '" + node.name() + "' writes '" + name
                            + "', which something else gives already");
                }
            }
        }
        for (ValueInfo output : outputs) {
            if (!written.contains(output.name())) {
                throw new ModelException("output '" + output.name() + "' is given by no node");
            }
        }
    }
}
