package dev.shrike.calibration.linear;

import dev.shrike.ShrikeException;

/**
 * Moments of pairs (x, y) about their means: what decides how well {@code y = W x + b} can be fitted. With the best b,
 * the mean of {@code |y - W x - b|^2} is {@code spread - 2 tr(W cross^T) + tr(W covariance W^T)}.
 *
 * @param size length of x
 * @param outputs length of y
 * @param covariance of x, {@code size x size}
 * @param cross covariance of y and x, {@code outputs x size}
 * @param meanX mean of x
 * @param meanY mean of y
 * @param spread mean of the squared distance of y from its mean
 */
public record RidgeRegression(int size, int outputs, double[] covariance, double[] cross, double[] meanX,
        double[] meanY,
        double spread) {

    /** The mean of the diagonal of the covariance. */
    public double meanVariance() {
        double sum = 0;
        for (int i = 0; i < size; i++) {
            sum += covariance[i * size + i];
        }
        return sum / size;
    }

    /** The covariance with that much more on its diagonal. */
    public double[] damped(double ridge) {
        double[] matrix = covariance.clone();
        for (int i = 0; i < size; i++) {
            matrix[i * size + i] += ridge;
        }
        return matrix;
    }

    /**
     * The weights with the least mean of {@code |y - W x - b|^2 + ridge |W - prior|^2}, {@code outputs x size}.
     *
     * @param ridge positive
     */
    public double[] weights(double ridge, double[] prior) {
        double[] factor = damped(ridge);
        if (!OpenBlas.cholesky(factor, size)) {
            throw new ShrikeException("a Gram matrix of " + size + " channels is not positive definite");
        }
        double[] result = cross.clone();
        for (int i = 0; i < result.length; i++) {
            result[i] += ridge * prior[i];
        }
        OpenBlas.solve(factor, size, result, outputs);
        return result;
    }

    /** The best b of {@code y = W x + b}. */
    public double[] offsets(double[] weights) {
        double[] offsets = meanY.clone();
        for (int i = 0; i < outputs; i++) {
            for (int j = 0; j < size; j++) {
                offsets[i] -= weights[i * size + j] * meanX[j];
            }
        }
        return offsets;
    }

    /** The mean of {@code |y - W x - b|^2} with the best b, for one output: without its part of the spread. */
    private double excess(double[] weights, int output) {
        double sum = 0;
        int row = output * size;
        for (int i = 0; i < size; i++) {
            double product = 0;
            for (int j = 0; j < size; j++) {
                product += covariance[i * size + j] * weights[row + j];
            }
            sum += weights[row + i] * (product - 2 * cross[row + i]);
        }
        return sum;
    }

    /** The mean of {@code |y - W x - b|^2} with the best b, as a share of the spread of y. */
    public double relativeError(double[] weights) {
        double sum = java.util.stream.IntStream.range(0, outputs).parallel().mapToDouble(i -> excess(weights, i)).sum();
        return spread == 0 ? 0 : Math.max(0, spread + sum) / spread;
    }

    /**
     * The upper factor U of the inverse of a positive definite matrix, {@code inverse = U^T U}, as error-compensated
     * rounding wants it.
     *
     * @param matrix {@code size x size}; overwritten
     */
    public static double[] inverseFactor(double[] matrix, int size) {
        if (!OpenBlas.cholesky(matrix, size) || !OpenBlas.invert(matrix, size) || !OpenBlas.cholesky(matrix, size)) {
            throw new ShrikeException("a Gram matrix of " + size + " channels is not positive definite");
        }
        return matrix;
    }
}
