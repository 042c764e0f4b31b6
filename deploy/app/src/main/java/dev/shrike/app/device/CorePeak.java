package dev.shrike.app.device;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a core could multiply and add at best, where that is known: from the throughputs of its vector instructions.
 *
 * @param core which core
 */
public record CorePeak(Core core) {
    private static final Pattern BITS = Pattern.compile("w(\\d)a(\\d)");

    /** Cores whose throughputs are known. */
    public enum Core {
        /**
         * Two 128-bit pipes: FMLA.4s and SMULL/SMLAL one a cycle; AND and CNT two, of which two make 128 products of a
         * bit
         * with a third operation to add them.
         */
        CORTEX_A72,
        /** AVX2 without VNNI: two multiply-adds of 256 bits a cycle; int8 in three operations. */
        AVX2,
        /** Nothing is known. */
        UNKNOWN
    }

    /** The core of the machine. */
    public static CorePeak of(SystemFiles files) {
        String info = files.text("proc/cpuinfo").orElse("");
        if (SystemFiles.find(info, "(?m)^CPU part\\s{0,8}:\\s{0,8}(0xd08)").isPresent()) {
            return new CorePeak(Core.CORTEX_A72);
        }
        Optional<String> flags = SystemFiles.find(info, "(?m)^flags\\s{0,8}:([^\n]{0,8000})");
        boolean avx2 = flags.filter(text -> text.contains(" avx2") && text.contains(" fma")
                && !text.contains(" avx512f") && !text.contains("avx_vnni")).isPresent();
        return new CorePeak(avx2 ? Core.AVX2 : Core.UNKNOWN);
    }

    /** Multiply-accumulates a cycle of one core at best in such a kernel; empty if that is not known. */
    public Optional<Double> macsPerCycle(String kernel) {
        boolean codes = BITS.matcher(kernel).find();
        boolean planes = codes && kernel.contains("bits");
        boolean real = !codes && kernel.contains("f32");
        return switch (core) {
            case CORTEX_A72 -> real ? Optional.of(4.0) : planes ? planes(kernel) : codes ? Optional.of(8.0)
                    : Optional.empty();
            case AVX2 -> real ? Optional.of(16.0) : codes && !planes ? Optional.of(32.0) : Optional.empty();
            case UNKNOWN -> Optional.empty();
        };
    }

    /** Blocked AND, CNT, ADD gives 85 products of one bit with one a cycle; more bits take as many passes. */
    private static Optional<Double> planes(String kernel) {
        Matcher matcher = BITS.matcher(kernel);
        if (!matcher.find()) {
            return Optional.empty();
        }
        int passes = Integer.parseInt(matcher.group(1)) * Integer.parseInt(matcher.group(2));
        return passes == 0 ? Optional.empty() : Optional.of(85.3 / passes);
    }
}
