package dev.shrike.cpu.steps;

import dev.shrike.cpu.binding.NativeLibrary;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/**
 * Switches of the CPU engine, read from system properties.
 *
 * @param featureMask CPU features that kernels may use, as the bits of {@code shrike.h}; can only lower what the CPU
 *     has ({@code shrike.cpu.features}, hexadecimal)
 * @param codeKernel which convolutions of codes to use ({@code shrike.cpu.codes})
 * @param convolution which float convolutions to use ({@code shrike.cpu.convolution})
 */
public record CpuSettings(long featureMask, Convolution convolution, CodeKernel codeKernel) {
    /** Integer convolution kernels; those of libshrike come first, in the order of {@code enum shrike_qkernel}. */
    public enum CodeKernel {
        /** The first in the library's table that takes the layer. */
        AUTO,
        /** Multiplication of bytes. */
        INT8,
        /** AND and popcount of bit-planes. */
        BITSERIAL,
        /** The scalar reference: slow, for checking. */
        REFERENCE,
        /** oneDNN wherever it gives the same bits. */
        ONEDNN
    }

    /** Float convolution kernels. */
    public enum Convolution {
        /** For each layer the kernel that suits its layout and size. */
        AUTO,
        /** Only those of libshrike. */
        NATIVE,
        /** oneDNN wherever it has a quick kernel. */
        ONEDNN,
        /** ARM Compute Library wherever it has a kernel. */
        ACL
    }

    /** The features of this CPU that kernels may use, ours and those of other libraries. */
    public long features(NativeLibrary library) {
        return library.features() & featureMask;
    }

    /** What the property asks for by name for convolutions of floats. */
    public Optional<ConvKernel> realKernel() {
        return switch (convolution) {
            case AUTO -> Optional.empty();
            case NATIVE -> Optional.of(ConvKernel.NATIVE);
            case ONEDNN -> Optional.of(ConvKernel.ONEDNN);
            case ACL -> Optional.of(ConvKernel.ACL);
        };
    }

    /** What the property asks for by name for convolutions of codes. */
    public Optional<ConvKernel> codesKernel() {
        return switch (codeKernel) {
            case AUTO -> Optional.empty();
            case INT8 -> Optional.of(ConvKernel.INT8);
            case BITSERIAL -> Optional.of(ConvKernel.BITSERIAL);
            case REFERENCE -> Optional.of(ConvKernel.REFERENCE);
            case ONEDNN -> Optional.of(ConvKernel.ONEDNN);
        };
    }

    /** Whether networks that nothing was chosen for are tuned when they are opened ({@code shrike.cpu.tune}). */
    public static boolean tunesOnOpening() {
        return Boolean.getBoolean("shrike.cpu.tune");
    }

    public static CpuSettings fromSystemProperties() {
        return new CpuSettings(
                features(System.getProperty("shrike.cpu.features")),
                choice(Convolution.class, "shrike.cpu.convolution"),
                choice(CodeKernel.class, "shrike.cpu.codes"));
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

    private static <E extends Enum<E>> E choice(Class<E> type, String property) {
        String text = System.getProperty(property, "auto").strip();
        try {
            return Enum.valueOf(type, text.toUpperCase(Locale.ROOT));
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("property " + property + ": '" + text + "' is not one of "
                    + Arrays.toString(type.getEnumConstants()).toLowerCase(Locale.ROOT), e);
        }
    }
}
