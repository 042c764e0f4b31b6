package dev.shrike.calibration.quantize;

import dev.shrike.calibration.linear.RowGramMatrices;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;

/** What a {@link Quantizer} takes besides the values of images, which an ActivationMemory limits. */
public final class MemoryNeed {
    /** The JVM, the libraries, what an engine keeps for a part of a network, and garbage that is not collected yet. */
    private static final long FIXED = 600_000_000;
    /**
     * Matrices of doubles of the size of a layer's second moments: the sum, the covariance, that with the ridge, that
     * in the order of rounding, its factor and a copy that LAPACK makes.
     */
    private static final long MATRICES = 6;

    /** Bytes of a product of two channels of a layer: the sum, and floats of images under way. */
    private static final long PRODUCT = Double.BYTES + 4 * Float.BYTES;

    private MemoryNeed() {}

    /** An estimate from above, in bytes, for a float network with one image as input. */
    public static long besidesActivations(Graph model) {
        long weights = 0;
        long largest = 0;
        long products = 0;
        for (Node node : model.nodes()) {
            Tensor tensor = model.constants().get(node.input(1));
            if (node.op() instanceof Op.Conv && tensor != null && tensor.shape().rank() == 4) {
                weights += tensor.shape().elements();
                LayerWeights form = LayerWeights.of(tensor);
                products += (long) form.rows() * form.rows();
                long own = (long) form.depth() * form.depth();
                // Layers that are small enough have second moments of their own for every output.
                largest = Math.max(largest,
                        RowGramMatrices.isAffordable(form.depth(), form.rows(), 1) ? own * form.rows() : own);
            }
        }
        return FIXED + 3 * Float.BYTES * weights + MATRICES * Double.BYTES * largest + PRODUCT * products;
    }
}
