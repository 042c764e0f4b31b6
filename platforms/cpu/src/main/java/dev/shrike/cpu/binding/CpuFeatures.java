package dev.shrike.cpu.binding;

import java.util.ArrayList;
import java.util.List;

/** The feature bits of {@code shrike.h} by name. */
public enum CpuFeatures {
    SSE4_2(0),
    POPCNT(1),
    AVX(2),
    AVX2(3),
    FMA(4),
    F16C(5),
    AVX512F(6),
    AVX512BW(7),
    AVX512DQ(8),
    AVX512VL(9),
    AVX512VNNI(10),
    AVX512VPOPCNTDQ(11),
    AVX512VBMI(12),
    AVXVNNI(13),
    NEON(32),
    DOTPROD(33),
    FP16(34),
    I8MM(35),
    SVE(36);

    private final int bit;

    CpuFeatures(int bit) {
        this.bit = bit;
    }

    /** The mask of this feature alone. */
    public long mask() {
        return 1L << bit;
    }

    /** Whether features have this one. */
    public boolean isIn(long features) {
        return (features & mask()) != 0;
    }

    /** The names of the bits set, in lower case. */
    public static String describe(long features) {
        List<String> names = new ArrayList<>();
        for (CpuFeatures feature : values()) {
            if (feature.isIn(features)) {
                names.add(feature.name().toLowerCase(java.util.Locale.ROOT));
            }
        }
        return names.isEmpty() ? "no SIMD beyond the baseline" : String.join(" ", names);
    }
}
