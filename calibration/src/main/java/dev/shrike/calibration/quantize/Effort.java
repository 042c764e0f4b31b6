package dev.shrike.calibration.quantize;

/**
 * How layers are fitted.
 *
 * @param steps of rounding weights
 * @param fit whether weights are fitted to the quantised input before they are rounded
 * @param refitBias whether biases are
 * @param places most places of a picture that count for a layer
 * @param ridge how strongly fitted weights are drawn to the given ones, as a share of the mean variance of the input
 */
public record Effort(WeightRounding.Steps steps, boolean fit, boolean refitBias, int places, double ridge) {
    /** Everything that helps. */
    public static final Effort FULL = new Effort(WeightRounding.Steps.ALL, true, true, 128, 0.01);
    /** Rounding to nearest and nothing else, as a measure of what the rest brings. */
    public static final Effort NEAREST = new Effort(WeightRounding.Steps.NEAREST, false, false, 1, 0.01);

    public Effort {
        if (places < 1 || !(ridge > 0)) {
            throw new IllegalArgumentException(places + " places, ridge " + ridge);
        }
    }

    /** The effort by that name: full, no-fit, gptq, nearest-bias or nearest. */
    public static Effort parse(String name) {
        WeightRounding.Steps compensated = new WeightRounding.Steps(true, false, 0, 10);
        WeightRounding.Steps search = new WeightRounding.Steps(false, false, 0, 10);
        return switch (name) {
            case "full" -> FULL;
            case "no-descent" -> new Effort(compensated, true, true, FULL.places(), FULL.ridge());
            case "no-fit" -> new Effort(WeightRounding.Steps.ALL, false, true, FULL.places(), FULL.ridge());
            case "scale-search" -> new Effort(search, false, true, FULL.places(), FULL.ridge());
            case "bias" -> new Effort(WeightRounding.Steps.NEAREST, false, true, FULL.places(), FULL.ridge());
            case "nearest" -> NEAREST;
            default -> throw new IllegalArgumentException("'" + name
                    + "' is none of full, no-descent, no-fit, scale-search, bias, nearest");
        };
    }
}
