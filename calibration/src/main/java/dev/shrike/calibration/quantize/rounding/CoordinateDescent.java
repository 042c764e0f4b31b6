package dev.shrike.calibration.quantize.rounding;

import java.util.Arrays;

/**
 * Coordinate descent on the codes of a row: each code in turn takes its best value given all others, until nothing
 * changes; then the least-squares scale for the codes found, and descent again.
 */
final class CoordinateDescent {
    private static final int MOST_SWEEPS = 30;

    private final int size;
    private final double[] hessian;

    CoordinateDescent(double[] hessian, int size) {
        this.hessian = hessian;
        this.size = size;
    }

    /** The objective of rounding every weight to nearest. */
    RowCodes nearest(double[] wanted, ScaledCodebook grid) {
        int[] codes = new int[size];
        double[] rest = new double[size];
        for (int i = 0; i < size; i++) {
            codes[i] = grid.set().nearest(wanted[i] / grid.scale());
            rest[i] = wanted[i] - codes[i] * (double) grid.scale();
        }
        return new RowCodes(codes, grid.set(), grid.scale(), dot(rest, product(rest)));
    }

    /**
     * Makes a row better in place.
     *
     * @param refits how often the scale is fitted and the descent repeated
     */
    void descend(double[] wanted, RowCodes row, int refits) {
        double[] wantedProduct = product(wanted);
        double[] codeProduct = product(Arrays.stream(row.codes()).asDoubleStream().toArray());
        sweep(row, wantedProduct, codeProduct);
        double energy = dot(wanted, wantedProduct);
        row.setError(error(row, energy, wantedProduct, codeProduct));
        for (int i = 0; i < refits; i++) {
            double own = 0;
            double shared = 0;
            for (int j = 0; j < size; j++) {
                own += row.codes()[j] * codeProduct[j];
                shared += row.codes()[j] * wantedProduct[j];
            }
            float scale = (float) (shared / own);
            if (!(own > 0) || !(scale > 1e-30f)) {
                return;
            }
            RowCodes next = new RowCodes(row.codes().clone(), row.set(), scale, 0);
            double[] nextProduct = codeProduct.clone();
            sweep(next, wantedProduct, nextProduct);
            next.setError(error(next, energy, wantedProduct, nextProduct));
            if (!(next.error() < row.error())) {
                return;
            }
            System.arraycopy(next.codes(), 0, row.codes(), 0, size);
            row.setScale(scale);
            row.setError(next.error());
            codeProduct = nextProduct;
        }
    }

    private double error(RowCodes row, double energy, double[] wantedProduct, double[] codeProduct) {
        double sum = energy;
        double scale = row.scale();
        for (int i = 0; i < size; i++) {
            sum += scale * row.codes()[i] * (scale * codeProduct[i] - 2 * wantedProduct[i]);
        }
        return sum;
    }

    private void sweep(RowCodes row, double[] wantedProduct, double[] codeProduct) {
        double scale = row.scale();
        int[] codes = row.codes();
        boolean changed = true;
        for (int sweep = 0; changed && sweep < MOST_SWEEPS; sweep++) {
            changed = false;
            for (int i = 0; i < size; i++) {
                double slope = wantedProduct[i] / scale - codeProduct[i];
                double wish = slope / hessian[i * size + i];
                int code = row.set().nearest(codes[i] + wish);
                int step = code - codes[i];
                // Half a step gains nothing, and could go back and forth for ever.
                if (step == 0 || Math.abs(wish) < 0.5 * Math.abs(step) + 1e-9) {
                    continue;
                }
                codes[i] = code;
                changed = true;
                int at = i * size;
                for (int j = 0; j < size; j++) {
                    codeProduct[j] += step * hessian[at + j];
                }
            }
        }
    }

    private double[] product(double[] row) {
        double[] result = new double[size];
        for (int i = 0; i < size; i++) {
            double factorOf = row[i];
            if (factorOf == 0) {
                continue;
            }
            int at = i * size;
            for (int j = 0; j < size; j++) {
                result[j] += factorOf * hessian[at + j];
            }
        }
        return result;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
