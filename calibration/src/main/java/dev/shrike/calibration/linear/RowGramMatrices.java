package dev.shrike.calibration.linear;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * As {@link GramMatrix}, but each output has moments of its own, in which a pair weighs as much as that output matters
 * there. Takes {@code outputs} times the memory and time. The owner closes it; confined to one thread.
 */
public final class RowGramMatrices implements AutoCloseable {
    private static final int BATCH = 1024;

    private final int size;
    private final int outputs;
    private final int extended;
    private final Arena arena = Arena.ofShared();
    private final float[] x;
    private final MemorySegment scaled;
    private final MemorySegment gram;
    private final float[] y;
    private final float[] weights;
    private final double[][] sums;
    private int filled;
    private long count;

    /**
     * No pairs yet.
     *
     * @param size length of x
     * @param outputs length of y
     */
    public RowGramMatrices(int size, int outputs) {
        this.size = size;
        this.outputs = outputs;
        // x, then 1 for the means, then y for what both have in common.
        this.extended = size + 2;
        x = new float[BATCH * size];
        y = new float[BATCH * outputs];
        weights = new float[BATCH * outputs];
        scaled = arena.allocate(4L * BATCH * extended, 64);
        gram = arena.allocate(4L * extended * extended, 64);
        sums = new double[outputs][Math.multiplyExact(extended, extended)];
    }

    /** Whether a layer is small enough for moments of every output. */
    public static boolean isAffordable(int size, int outputs, long pairs) {
        double entries = (double) outputs * size * size;
        return entries <= 1.2e7 && entries * pairs <= 1.5e11;
    }

    /**
     * Takes in a pair.
     *
     * @param weight positive, one for each output
     */
    public void add(float[] xs, int xAt, float[] ys, int yAt, float[] weight) {
        System.arraycopy(xs, xAt, x, filled * size, size);
        System.arraycopy(ys, yAt, y, filled * outputs, outputs);
        System.arraycopy(weight, 0, weights, filled * outputs, outputs);
        count++;
        if (++filled == BATCH) {
            flush();
        }
    }

    private void flush() {
        float[] row = new float[extended];
        for (int output = 0; filled > 0 && output < outputs; output++) {
            for (int i = 0; i < filled; i++) {
                float root = (float) Math.sqrt(weights[i * outputs + output]);
                for (int j = 0; j < size; j++) {
                    row[j] = root * x[i * size + j];
                }
                row[size] = root;
                row[size + 1] = root * y[i * outputs + output];
                MemorySegment.copy(row, 0, scaled, ValueLayout.JAVA_FLOAT, 4L * i * extended, extended);
            }
            gram.fill((byte) 0);
            OpenBlas.gram(scaled, filled, extended, gram);
            double[] sum = sums[output];
            for (int i = 0; i < extended; i++) {
                for (int j = i; j < extended; j++) {
                    sum[i * extended + j] += gram.getAtIndex(ValueLayout.JAVA_FLOAT, (long) i * extended + j);
                }
            }
        }
        filled = 0;
    }

    /** Number of pairs. */
    public long count() {
        return count;
    }

    /** The moments of one output about its means, per unit of weight. */
    public RidgeRegression fit(int output) {
        if (count == 0) {
            throw new IllegalStateException("no pairs");
        }
        flush();
        double[] sum = sums[output];
        double total = sum[size * extended + size];
        double meanY = sum[size * extended + size + 1] / total;
        double[] meanX = new double[size];
        double[] cross = new double[size];
        for (int i = 0; i < size; i++) {
            meanX[i] = sum[i * extended + size] / total;
            cross[i] = sum[i * extended + size + 1] / total - meanX[i] * meanY;
        }
        double[] covariance = new double[size * size];
        for (int i = 0; i < size; i++) {
            for (int j = i; j < size; j++) {
                double value = sum[i * extended + j] / total - meanX[i] * meanX[j];
                covariance[i * size + j] = value;
                covariance[j * size + i] = value;
            }
        }
        double spread = sum[(size + 1) * extended + size + 1] / total - meanY * meanY;
        return new RidgeRegression(size, 1, covariance, cross, meanX, new double[] {meanY}, Math.max(0, spread));
    }

    @Override
    public void close() {
        arena.close();
    }
}
