package dev.shrike.calibration.training;

/** Ranks of matrices of floats. */
final class MatrixRank {
    /** What counts as zero, as a share of the largest element: single precision with the noise of a convolution. */
    private static final double TOLERANCE = 1e-4;

    private MatrixRank() {}

    /**
     * The rank of each channel of an image as a matrix of {@code height x width}.
     *
     * @param pixels row by row, the channels of each together
     */
    static double[] ofChannels(float[] pixels, int height, int width, int channels) {
        double[] ranks = new double[channels];
        double[] matrix = new double[height * width];
        for (int channel = 0; channel < channels; channel++) {
            for (int i = 0; i < matrix.length; i++) {
                matrix[i] = pixels[i * channels + channel];
            }
            ranks[channel] = rank(matrix, height, width);
        }
        return ranks;
    }

    /** The rank by elimination with full rows of the largest pivot; the matrix is overwritten. */
    static int rank(double[] matrix, int rows, int columns) {
        double largest = 0;
        for (double element : matrix) {
            largest = Math.max(largest, Math.abs(element));
        }
        int rank = 0;
        for (int column = 0; column < columns && rank < rows; column++) {
            int pivot = rank;
            for (int row = rank + 1; row < rows; row++) {
                if (Math.abs(matrix[row * columns + column]) > Math.abs(matrix[pivot * columns + column])) {
                    pivot = row;
                }
            }
            double value = matrix[pivot * columns + column];
            if (!(Math.abs(value) > TOLERANCE * largest)) {
                continue;
            }
            for (int i = column; i < columns; i++) {
                double swapped = matrix[pivot * columns + i];
                matrix[pivot * columns + i] = matrix[rank * columns + i];
                matrix[rank * columns + i] = swapped;
            }
            for (int row = rank + 1; row < rows; row++) {
                double factor = matrix[row * columns + column] / value;
                if (factor != 0) {
                    for (int i = column; i < columns; i++) {
                        matrix[row * columns + i] -= factor * matrix[rank * columns + i];
                    }
                }
            }
            rank++;
        }
        return rank;
    }
}
