package dev.shrike.calibration.quantize;

/** Which integers the weights of a layer may be, given their width. */
public enum WeightCodes {
    /** All of them. */
    UNIFORM("uniform") {
        @Override
        public CodeSet of(int bits) {
            return new CodeSet.Uniform(bits);
        }
    },
    /** 0 and plus and minus powers of two. */
    POWER_OF_TWO("power-of-two") {
        @Override
        public CodeSet of(int bits) {
            return new CodeSet.PowersOfTwo(bits);
        }
    },
    /**
     * Those of 8 bits, with steps so wide that the codes of the layer have a given entropy: what they take in a file
     * that is compressed.
     */
    ENTROPY_CODED("entropy-coded") {
        @Override
        public CodeSet of(int bits) {
            return new CodeSet.Uniform(8);
        }
    };

    private final String label;

    WeightCodes(String label) {
        this.label = label;
    }

    /**
     * The codes of a width.
     *
     * @throws IllegalArgumentException if there are none of that width; says which there are
     */
    public abstract CodeSet of(int bits);

    /** The codes by that name: uniform, power-of-two or entropy-coded. */
    public static WeightCodes parse(String name) {
        for (WeightCodes codes : values()) {
            if (codes.label.equals(name)) {
                return codes;
            }
        }
        throw new IllegalArgumentException("'" + name + "' is none of uniform, power-of-two, entropy-coded");
    }

    @Override
    public String toString() {
        return label;
    }
}
