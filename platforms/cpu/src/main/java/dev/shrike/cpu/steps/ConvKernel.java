package dev.shrike.cpu.steps;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Ways to run a convolution, by the names that people give and that files keep. */
public enum ConvKernel {
    /** libshrike's float kernels. */
    NATIVE(true, false),
    /** oneDNN: of floats, and of codes where it gives the same bits. */
    ONEDNN(true, true),
    /** ARM Compute Library. */
    ACL(true, false),
    /** libshrike's multiplication of bytes. */
    INT8(false, true),
    /** libshrike's AND and popcount of bit-planes. */
    BITSERIAL(false, true),
    /** libshrike's scalar reference: slow, for checking. */
    REFERENCE(false, true);

    private final boolean floats;
    private final boolean codes;

    ConvKernel(boolean floats, boolean codes) {
        this.floats = floats;
        this.codes = codes;
    }

    /** Whether it runs convolutions of floats. */
    boolean takesReals() {
        return floats;
    }

    /** Whether it runs convolutions of codes. */
    boolean takesCodes() {
        return codes;
    }

    /** The name that people give. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /** The kernel of that name, or nothing. */
    public static Optional<ConvKernel> named(String label) {
        return Arrays.stream(values()).filter(kernel -> kernel.label().equals(label)).findFirst();
    }

    /** The names of all. */
    public static List<String> labels() {
        return Arrays.stream(values()).map(ConvKernel::label).toList();
    }
}
