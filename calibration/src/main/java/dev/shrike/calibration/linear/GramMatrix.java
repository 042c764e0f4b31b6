package dev.shrike.calibration.linear;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * First and second moments of pairs (x, y) that come in batches: what a least-squares fit of y by x needs, in memory
 * that does not grow with their number. Batches are summed up in single precision, their sums in double. The owner
 * closes it; confined to one thread.
 */
public final class GramMatrix implements AutoCloseable {
    private static final int BATCH = 1024;

    private final int size;
    private final int outputs;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment x;
    private final MemorySegment y;
    private final MemorySegment gram;
    private final MemorySegment cross;
    private final double[] gramSum;
    private final double[] crossSum;
    private final double[] xSum;
    private final double[] ySum;
    private double yEnergy;
    private int filled;
    private long count;
    private double total;

    /**
     * No pairs yet.
     *
     * @param size length of x
     * @param outputs length of y
     */
    public GramMatrix(int size, int outputs) {
        this.size = size;
        this.outputs = outputs;
        x = arena.allocate(4L * BATCH * size, 64);
        y = arena.allocate(4L * BATCH * outputs, 64);
        gram = arena.allocate(4L * size * size, 64);
        cross = arena.allocate(4L * size * outputs, 64);
        gramSum = new double[Math.multiplyExact(size, size)];
        crossSum = new double[Math.multiplyExact(size, outputs)];
        xSum = new double[size];
        ySum = new double[outputs];
    }

    /**
     * Takes in a pair, {@code size} elements of the first array and {@code outputs} of the second one.
     *
     * @param weight positive
     */
    public void add(float[] xs, int xAt, float[] ys, int yAt, float weight) {
        float root = (float) Math.sqrt(weight);
        for (int i = 0; i < size; i++) {
            x.setAtIndex(ValueLayout.JAVA_FLOAT, (long) filled * size + i, root * xs[xAt + i]);
            xSum[i] += (double) weight * xs[xAt + i];
        }
        for (int i = 0; i < outputs; i++) {
            y.setAtIndex(ValueLayout.JAVA_FLOAT, (long) filled * outputs + i, root * ys[yAt + i]);
            ySum[i] += (double) weight * ys[yAt + i];
            yEnergy += (double) weight * ys[yAt + i] * ys[yAt + i];
        }
        total += weight;
        count++;
        if (++filled == BATCH) {
            flush();
        }
    }

    private void flush() {
        if (filled == 0) {
            return;
        }
        gram.fill((byte) 0);
        cross.fill((byte) 0);
        OpenBlas.gram(x, filled, size, gram);
        OpenBlas.cross(y, outputs, x, size, filled, cross);
        for (int i = 0; i < size; i++) {
            for (int j = i; j < size; j++) {
                gramSum[i * size + j] += gram.getAtIndex(ValueLayout.JAVA_FLOAT, (long) i * size + j);
            }
        }
        for (int i = 0; i < crossSum.length; i++) {
            crossSum[i] += cross.getAtIndex(ValueLayout.JAVA_FLOAT, i);
        }
        filled = 0;
    }

    /** Number of pairs. */
    public long count() {
        return count;
    }

    /**
     * The moments about the means, per unit of weight.
     *
     * @throws IllegalStateException if there are no pairs
     */
    public RidgeRegression fit() {
        if (count == 0) {
            throw new IllegalStateException("no pairs");
        }
        flush();
        double[] meanX = new double[size];
        double[] meanY = new double[outputs];
        for (int i = 0; i < size; i++) {
            meanX[i] = xSum[i] / total;
        }
        double spread = yEnergy / total;
        for (int i = 0; i < outputs; i++) {
            meanY[i] = ySum[i] / total;
            spread -= meanY[i] * meanY[i];
        }
        double[] covariance = new double[size * size];
        for (int i = 0; i < size; i++) {
            for (int j = i; j < size; j++) {
                double value = gramSum[i * size + j] / total - meanX[i] * meanX[j];
                covariance[i * size + j] = value;
                covariance[j * size + i] = value;
            }
        }
        double[] crossed = new double[outputs * size];
        for (int i = 0; i < outputs; i++) {
            for (int j = 0; j < size; j++) {
                crossed[i * size + j] = crossSum[i * size + j] / total - meanY[i] * meanX[j];
            }
        }
        return new RidgeRegression(size, outputs, covariance, crossed, meanX, meanY, Math.max(0, spread));
    }

    @Override
    public void close() {
        arena.close();
    }
}
