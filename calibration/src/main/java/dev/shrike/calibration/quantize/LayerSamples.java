package dev.shrike.calibration.quantize;

import dev.shrike.calibration.linear.GramMatrix;
import dev.shrike.calibration.linear.RidgeRegression;
import dev.shrike.calibration.linear.RowGramMatrices;
import dev.shrike.calibration.quantize.rounding.KroneckerRounding;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;

/**
 * Takes in pairs of what a layer reads and what it is to give. If the layer is small enough and an activation follows,
 * a pair weighs for each output as much as the activation lets its error through: where SiLU is flat, an error is none.
 */
final class LayerSamples implements AutoCloseable {
    /** Half the distance over which the slope of the activation is taken, about the size of errors. */
    private static final double REACH = 0.25;
    /** The least weight, so that an output that never shows is still defined. */
    private static final double LEAST = 0.03;

    private final DoubleUnaryOperator activation;
    private final int outputs;
    private final GramMatrix all;
    private final RowGramMatrices rows;
    private final float[] weights;

    /**
     * @param activation what follows, or null if all of the result shows
     * @param most most pairs that will come
     */
    LayerSamples(int size, int outputs, DoubleUnaryOperator activation, long most) {
        this.activation = activation;
        this.outputs = outputs;
        boolean own = activation != null && RowGramMatrices.isAffordable(size, outputs, most);
        this.all = own ? null : new GramMatrix(size, outputs);
        this.rows = own ? new RowGramMatrices(size, outputs) : null;
        this.weights = new float[outputs];
    }

    void add(float[] x, int xAt, float[] y, int yAt, float weight) {
        if (all != null) {
            all.add(x, xAt, y, yAt, weight);
            return;
        }
        for (int i = 0; i < outputs; i++) {
            double slope = (activation.applyAsDouble(y[yAt + i] + REACH) - activation.applyAsDouble(y[yAt + i] - REACH))
                    / (2 * REACH);
            weights[i] = (float) (weight * Math.max(LEAST, slope * slope));
        }
        rows.add(x, xAt, y, yAt, weights);
    }

    /** Of a layer whose weights are to have this width. */
    LayerFit fit(double[] prior, PtqOptions effort, double bits, KroneckerRounding coupling) {
        List<RidgeRegression> parts =
                all != null ? List.of(all.fit()) : IntStream.range(0, outputs).mapToObj(rows::fit).toList();
        return new LayerFit(parts, prior, effort, bits, coupling);
    }

    @Override
    public void close() {
        if (all != null) {
            all.close();
        } else {
            rows.close();
        }
    }
}
