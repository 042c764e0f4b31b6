package dev.shrike.training;

import dev.shrike.calibration.quantize.BitWidths;
import java.util.Locale;
import java.util.Objects;

/**
 * How a network learns to be rounded.
 *
 * @param scheme widths of weights and activations, such as {@code w2a2}, or {@code auto}
 * @param averageBits bits a weight on the average, for {@code auto}, and with {@link Method#NIPQ} bits a value too;
 *     else 0
 * @param bitOperations bit operations an image in thousand millions, for NIPQ; else 0
 * @param method how it is learned through roundings
 * @param network file of the quantised network to start from; null before there is one
 * @param calibration most images that the network to start from is fitted on
 * @param correction whether the codes of weights stay as they are in the last epoch, in which their scales, the biases
 *     and the steps of values are corrected (Gupta et al. 2024)
 */
public record QuantizedTraining(String scheme, double averageBits, double bitOperations, Method method, String network,
        int calibration,
        boolean correction) {
    /** Ways through roundings. */
    public enum Method {
        /** Learned steps, straight through (Esser et al. 2020). */
        LSQ,
        /**
         * As LSQ, but gradients of weights are scaled by the rounding error (Lee et al. 2021, EWGS) and a weight near
         * the
         * border of two codes is rounded to where its last update led.
         */
        DRGS,
        /**
         * Noise in place of rounding while widths are learned under a budget, then as LSQ with these widths (Shin et
         * al. 2023).
         */
        NIPQ;

        /** The method of a name such as {@code lsq}. */
        public static Method of(String name) {
            for (Method method : values()) {
                if (method.name().equalsIgnoreCase(name)) {
                    return method;
                }
            }
            throw new IllegalArgumentException("'" + name + "' is none of lsq, drgs, nipq");
        }

        /** Its name: {@code lsq}. */
        public String label() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final int BEFORE_NIPQ = 5;

    public QuantizedTraining {
        Objects.requireNonNull(scheme, "scheme");
        Objects.requireNonNull(method, "method");
        if (calibration < 1) {
            throw new IllegalArgumentException(calibration + " images to calibrate with");
        }
    }

    /** Codes of one width each, learned with LSQ or DRGS. */
    public QuantizedTraining(String scheme, double averageBits, Method method, String network, int calibration,
            boolean correction) {
        this(scheme, averageBits, 0, method, network, calibration, correction);
    }

    /**
     * The widths of a text such as {@code w2a2}, in lower case: 1 to 8 bits each.
     *
     * @throws IllegalArgumentException if the text is of another form
     */
    public static String scheme(String text) {
        String lower = text.strip().toLowerCase(Locale.ROOT);
        if (lower.matches("w[1-8]a[1-8]") && lower.contains("1")) {
            return lower;
        }
        try {
            return BitWidths.parse(lower).toString();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "--scheme '" + text + "' is neither auto nor of the form w4a4, with 1 to 8 bits"
                            + " each",
                    e);
        }
    }

    /** Bits that weights or values have in the scheme, at their place in it. */
    private int bits(char what) {
        int at = scheme.indexOf(what);
        return at >= 0 && scheme.startsWith("w") && at + 1 < scheme.length()
                ? Character.digit(scheme.charAt(at + 1), 10) : 0;
    }

    /** Whether weights have one bit. */
    boolean hasOneBitWeights() {
        return !isAuto() && bits('w') == 1;
    }

    /** Whether values have one bit. */
    boolean hasOneBitValues() {
        return !isAuto() && bits('a') == 1;
    }

    /** Whether widths are chosen, not given. */
    boolean isAuto() {
        return scheme.equals("auto");
    }

    /** The scheme of the network that training begins with: of widths that 'shrike quantize' has. */
    String startScheme() {
        if (method == Method.NIPQ) {
            // One bit more than there will be on the average, since widths go both ways; 8 bits are not learned.
            int bits = bitOperations > 0 ? BEFORE_NIPQ : (int) Math.clamp(Math.ceil(averageBits) + 1, 3, 7);
            return "w" + bits + "a" + bits;
        }
        String widths = hasOneBitWeights() ? scheme.replace("w1", "w2") : scheme;
        return hasOneBitValues() ? widths.replace("a1", "a2") : widths;
    }

    /** The same that starts from this file. */
    QuantizedTraining from(String file) {
        return new QuantizedTraining(scheme, averageBits, bitOperations, method, file, calibration, correction);
    }
}
