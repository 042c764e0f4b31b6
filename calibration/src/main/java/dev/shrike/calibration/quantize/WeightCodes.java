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

    /** The codes by that name: uniform or power-of-two. */
    public static WeightCodes parse(String name) {
        for (WeightCodes codes : values()) {
            if (codes.label.equals(name)) {
                return codes;
            }
        }
        throw new IllegalArgumentException("'" + name + "' is none of uniform, power-of-two");
    }

    @Override
    public String toString() {
        return label;
    }
}
