package dev.shrike.calibration.quantize.rounding;

import java.util.List;

/** Which integers the weights of a layer may be, given their width. */
public enum WeightFormat {
    /** Consecutive ones from where each channel needs them: fewer than 8 bits have a zero point for each channel. */
    UNIFORM("uniform") {
        @Override
        public List<Codebook> sets(int bits) {
            return Codebook.Uniform.all(bits);
        }
    },
    /** Those about 0, for engines that take no zero points of weights. */
    SYMMETRIC("symmetric") {
        @Override
        public List<Codebook> sets(int bits) {
            return List.of(new Codebook.Uniform(bits));
        }
    },
    /** 0 and plus and minus powers of two. */
    POWER_OF_TWO("power-of-two") {
        @Override
        public List<Codebook> sets(int bits) {
            return List.of(new Codebook.PowersOfTwo(bits));
        }
    },
    /**
     * Those of 8 bits, with steps so wide that the codes of the layer have a given entropy: what they take in a file
     * that is compressed.
     */
    ENTROPY_CODED("entropy-coded") {
        @Override
        public List<Codebook> sets(int bits) {
            return List.of(new Codebook.Uniform(8));
        }
    };

    private final String label;

    WeightFormat(String label) {
        this.label = label;
    }

    /**
     * The codes of a width: sets of which each output channel takes one.
     *
     * @throws IllegalArgumentException if there are none of that width; says which there are
     */
    public abstract List<Codebook> sets(int bits);

    /** Whether codes of a width are all integers from one on, in steps of the channel's scale. */
    public boolean isConsecutive() {
        return this == UNIFORM || this == SYMMETRIC;
    }

    /** The codes by that name: uniform, symmetric, power-of-two or entropy-coded. */
    public static WeightFormat parse(String name) {
        for (WeightFormat codes : values()) {
            if (codes.label.equals(name)) {
                return codes;
            }
        }
        throw new IllegalArgumentException("'" + name + "' is none of uniform, symmetric, power-of-two, entropy-coded");
    }

    @Override
    public String toString() {
        return label;
    }
}
