package dev.shrike.calibration.quantize;

import dev.shrike.calibration.quantize.rounding.WeightRounding;

/**
 * How layers are fitted.
 *
 * @param steps of rounding weights
 * @param fit whether weights are fitted to the quantised input before they are rounded
 * @param refitBias whether biases are
 * @param weighOutputs whether errors count as much as the activation behind a layer lets them through
 * @param weighPositions whether an error at a position counts as much as its gradient at the head of the network says
 * @param coupleRows whether rows of weights of fewer than 8 bits are rounded so that their errors cancel where the head
 *     of the network is sensitive to them
 * @param positions most positions of an image that count for a layer
 * @param ridge how strongly fitted weights of fewer than 8 bits are drawn to the given ones, as a share of the mean
 *     variance of the input
 */
public record PtqOptions(WeightRounding.Steps steps, boolean fit, boolean refitBias, boolean weighOutputs,
        boolean weighPositions, boolean coupleRows, int positions, double ridge) {
    /**
     * What a layer reads in a narrow network is the real thing with noise, and least squares on noisy inputs shrinks
     * weights (attenuation; Fuller 1987), layer after layer; the record on quantisation has what was measured.
     */
    private static final double RIDGE = 1;
    private static final double WIDE_RIDGE = 0.01;
    /** Rounding errors of more bits than these are too small to be worth much work. */
    private static final double WIDE = 7;

    /** Everything that helps. */
    public static final PtqOptions FULL = new PtqOptions(WeightRounding.Steps.ALL, true, true, true, true, true,
            128, RIDGE);
    /** Rounding to nearest and nothing else, as a measure of what the rest brings. */
    public static final PtqOptions NEAREST =
            new PtqOptions(WeightRounding.Steps.NEAREST, false, false, false, false, false, 1,
                    RIDGE);

    public PtqOptions {
        if (positions < 1 || !(ridge > 0)) {
            throw new IllegalArgumentException(positions + " positions, ridge " + ridge);
        }
    }

    /** The ridge for a layer whose weights have this width. */
    double ridge(double bits) {
        return bits > WIDE ? Math.min(WIDE_RIDGE, ridge) : ridge;
    }

    /** Whether rows of a layer whose weights have this width are coupled. */
    boolean couplesRows(double bits) {
        return coupleRows && bits <= WIDE;
    }

    /**
     * The effort by that name: full, single-rows, even-positions (also even-places), plain-errors, no-descent, no-fit,
     * scale-search, bias or
     * nearest.
     */
    public static PtqOptions parse(String name) {
        WeightRounding.Steps compensated = new WeightRounding.Steps(true, false, 0, 10);
        WeightRounding.Steps search = new WeightRounding.Steps(false, false, 0, 10);
        return switch (name) {
            case "full" -> FULL;
            case "single-rows" -> full(WeightRounding.Steps.ALL, true, true, true, false);
            case "even-positions", "even-places" -> full(WeightRounding.Steps.ALL, true, true, false, false);
            case "plain-errors" -> full(WeightRounding.Steps.ALL, true, false, false, false);
            case "no-descent" -> full(compensated, true, true, true, true);
            case "no-fit" -> full(WeightRounding.Steps.ALL, false, true, true, true);
            // Biases that equalise the means of what activation functions ignore make those of what they give worse.
            case "scale-search" -> full(search, false, true, false, false);
            case "bias" -> full(WeightRounding.Steps.NEAREST, false, true, false, false);
            case "nearest" -> NEAREST;
            default -> throw new IllegalArgumentException("'" + name
                    + "' is none of full, single-rows, even-positions, plain-errors, no-descent, no-fit, scale-search,"
                    + " bias, nearest");
        };
    }

    private static PtqOptions full(WeightRounding.Steps steps, boolean fit, boolean weighOutputs,
            boolean weighPositions,
            boolean coupleRows) {
        return new PtqOptions(steps, fit, true, weighOutputs, weighPositions, coupleRows, FULL.positions(),
                FULL.ridge());
    }
}
