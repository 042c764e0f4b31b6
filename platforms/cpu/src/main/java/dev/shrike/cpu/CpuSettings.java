package dev.shrike.cpu;

import java.util.Locale;

/**
 * Switches of the CPU engine, read from system properties.
 *
 * @param featureMask CPU features that kernels may use, as the bits of {@code shrike.h}; can only lower what the CPU
 *     has ({@code shrike.cpu.features}, hexadecimal)
 * @param convolution which float convolutions to use ({@code shrike.cpu.convolution})
 */
record CpuSettings(long featureMask, Convolution convolution) {
    /** Float convolution kernels. */
    enum Convolution {
        /** For each layer the kernel that suits its layout and size. */
        AUTO,
        /** Only those of libshrike. */
        NATIVE,
        /** oneDNN wherever it has a quick kernel. */
        ONEDNN
    }

    static CpuSettings fromSystemProperties() {
        return new CpuSettings(
                features(System.getProperty("shrike.cpu.features")),
                convolution(System.getProperty("shrike.cpu.convolution", "auto")));
    }

    private static long features(String text) {
        if (text == null || text.isBlank()) {
            return -1L;
        }
        try {
            return Long.parseUnsignedLong(text.strip().replaceFirst("^0[xX]", ""), 16);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "property shrike.cpu.features: '" + text + "' is no hexadecimal mask", e);
        }
    }

    private static Convolution convolution(String text) {
        try {
            return Convolution.valueOf(text.strip().toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(
                    "property shrike.cpu.convolution: '" + text + "' is not auto, native or onednn", e);
        }
    }
}
