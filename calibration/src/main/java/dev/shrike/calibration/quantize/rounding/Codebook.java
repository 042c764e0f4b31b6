package dev.shrike.calibration.quantize.rounding;

import java.util.List;
import java.util.stream.IntStream;

/**
 * The codes that the weights of a layer may have: integers, of which a weight is the channel's scale times one.
 */
public sealed interface Codebook {
    /** Smallest code. */
    int lowest();

    /** Largest code. */
    int highest();

    /** The code nearest to a real number. */
    int nearest(double position);

    /** Bits of the integers that hold the codes. */
    int storedBits();

    /** What is added to a code where it is stored. */
    default int zero() {
        return 0;
    }

    /**
     * A scale to try, as a share of that at which the largest weight has the largest code.
     *
     * @param number 0 for the largest scale worth trying
     * @param last number of the smallest one, 1 or more
     */
    double scale(int number, int last);

    /**
     * As many consecutive integers as a width has, 0 among them.
     *
     * @param bits 2 to 8
     * @param lowest the smallest one
     */
    record Uniform(int bits, int lowest) implements Codebook {
        public Uniform {
            if (bits < 2 || bits > 8) {
                throw new IllegalArgumentException("uniform codes of " + bits + " bits; 2 to 8 are possible");
            }
            if (bits == 8 ? lowest != -127 : lowest > 0 || lowest <= -(1 << bits)) {
                throw new IllegalArgumentException("codes of " + bits + " bits from " + lowest + " on");
            }
        }

        /** Those about 0: 8 bits are symmetric, fewer use the whole range of signed integers. */
        public Uniform(int bits) {
            this(bits, bits == 8 ? -127 : -(1 << (bits - 1)));
        }

        /** All sets of a width: one for each zero point that its signed integers can hold; of 8 bits a single one. */
        static List<Codebook> all(int bits) {
            if (bits < 2 || bits >= 8) {
                return List.of(new Uniform(bits));
            }
            return IntStream.range(0, 1 << bits).<Codebook>mapToObj(i -> new Uniform(bits, -i)).toList();
        }

        @Override
        public int zero() {
            return bits == 8 ? 0 : -(1 << (bits - 1)) - lowest;
        }

        @Override
        public int highest() {
            return bits == 8 ? 127 : lowest + (1 << bits) - 1;
        }

        @Override
        public int nearest(double position) {
            return (int) Math.clamp(Math.rint(position), lowest, highest());
        }

        @Override
        public int storedBits() {
            return bits;
        }

        @Override
        public double scale(int number, int last) {
            // At few bits the best scale leaves out much more of the largest weights.
            double least = bits >= 8 ? 0.8 : bits >= 4 ? 0.45 : bits == 3 ? 0.3 : 0.2;
            return 1 - (1 - least) * number / last;
        }
    }

    /**
     * 0 and plus and minus powers of two (Miyashita et al. 2016), as many as Zhou et al. 2017 (INQ) have at that width:
     * a bit tells zero, one the sign, and the others the exponent. 2 bits have 1, 3 have 1 and 2, 4 have 1 to 8, and 5
     * have 1 to 64; the eighth exponent of 5 bits, 128, does not fit into a byte.
     *
     * @param bits 2 to 5
     */
    record PowersOfTwo(int bits) implements Codebook {
        /** Largest exponent of a signed byte. */
        private static final int MOST = 6;

        public PowersOfTwo {
            if (bits < 2 || bits > 5) {
                throw new IllegalArgumentException("power-of-two codes of " + bits + " bits; 2 to 5 are possible");
            }
        }

        @Override
        public int lowest() {
            return -highest();
        }

        @Override
        public int highest() {
            return 1 << Math.min(MOST, (1 << (bits - 2)) - 1);
        }

        @Override
        public int nearest(double position) {
            double size = Math.abs(position);
            if (!(size > 0.5)) {
                return 0;
            }
            int code = highest();
            // Half-way between a power and the next smaller one is three quarters of it.
            while (code > 1 && size < 0.75 * code) {
                code >>= 1;
            }
            return position < 0 ? -code : code;
        }

        @Override
        public int storedBits() {
            return 8;
        }

        @Override
        public double scale(int number, int last) {
            // From where the largest weight is as near to the largest code as to none larger, down by more than the
            // octave after which the same codes return with one exponent less.
            double most = bits == 2 ? 1 : 4.0 / 3;
            double least = bits == 2 ? 0.2 : 0.4;
            return most * Math.pow(least / most, (double) number / last);
        }
    }
}
