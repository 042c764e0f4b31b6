package dev.shrike.calibration.quantize.rounding;

/** Codes of a row of weights under way. */
final class RowCodes {
    private final int[] codes;
    private final Codebook set;
    private float scale;
    private double error;

    /**
     * @param set what the codes are taken from
     * @param error the objective
     */
    RowCodes(int[] codes, Codebook set, float scale, double error) {
        this.codes = codes;
        this.set = set;
        this.scale = scale;
        this.error = error;
    }

    /** The codes themselves, no copy. */
    int[] codes() {
        return codes;
    }

    Codebook set() {
        return set;
    }

    float scale() {
        return scale;
    }

    double error() {
        return error;
    }

    void setScale(float scale) {
        this.scale = scale;
    }

    void setError(double error) {
        this.error = error;
    }
}
