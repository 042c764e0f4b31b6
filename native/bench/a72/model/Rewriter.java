import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Makes of an instruction what llvm-mca shall run in its place. */
final class Rewriter {
    private static final Set<String> WITHOUT_COST = Set.of("mrs", "msr", "svc", "dmb", "isb", "dsb", "hint", "prfm",
            "prfum", "brk", "sys", "dc", "ic", "yield", "wfe", "sevl", "xpaclri", "bti", "paciasp", "autiasp", "udf");
    private static final String BASE = "(x\\d+|sp)";
    private static final Pattern STORE_THEN_ADD =
            Pattern.compile("(st\\w*\\s.*)\\[" + BASE + "\\], (#-?\\w+|x\\d+)");
    private static final Pattern ADD_THEN_STORE = Pattern.compile("(st\\w*\\s.*)\\[" + BASE + ", (#-?\\w+)\\]!");
    private static final Pattern DIVISION = Pattern.compile("fdiv\\s+v(\\d+)\\.4s, v(\\d+)\\.4s, v(\\d+)\\.4s");

    /** What LLVM's model of the core has otherwise than the Cortex-A72. */
    enum Correction {
        /** Stores that also move their address: LLVM's new address waits for the stored value. */
        STORES,
        /** Divisions of four floats. */
        DIVISIONS
    }

    private Rewriter() {}

    /**
     * The instruction, or those in its place, one a line. Calls become jumps, as llvm-mca counts a hundred cycles for a
     * call; what the model does not know costs nothing.
     *
     * @param corrections what to mend of the model of the core as well
     */
    static String rewrite(String instruction, Set<Correction> corrections) {
        String[] words = instruction.split("\\s+", 2);
        return switch (words[0]) {
            case "bl" -> "b " + words[1];
            case "blr" -> "br " + words[1];
            case "ret" -> "br " + (words.length > 1 ? words[1] : "x30");
            default -> WITHOUT_COST.contains(words[0]) ? "nop" : correct(instruction, corrections);
        };
    }

    private static String correct(String instruction, Set<Correction> corrections) {
        String corrected = corrections.contains(Correction.STORES) ? splitStore(instruction) : instruction;
        return corrections.contains(Correction.DIVISIONS) ? shorterDivision(corrected) : corrected;
    }

    /**
     * A division of one float, 17 cycles, in place of one of four, for which LLVM's model has the 36 of a Cortex-A57's
     * slowest. That the Cortex-A72 divides more quickly is an assumption: the time depends on the values, and it was
     * not measured here. What it does to the result shows in the range, which has LLVM's own divisions too.
     */
    private static String shorterDivision(String instruction) {
        return DIVISION.matcher(instruction).replaceFirst("fdiv s$1, s$2, s$3");
    }

    /** The core has the new address a cycle later, as from an addition of its own. */
    private static String splitStore(String instruction) {
        Matcher after = STORE_THEN_ADD.matcher(instruction);
        if (after.matches()) {
            return after.group(1) + "[" + after.group(2) + "]\n" + add(after.group(2), after.group(3));
        }
        Matcher before = ADD_THEN_STORE.matcher(instruction);
        if (before.matches()) {
            return add(before.group(2), before.group(3)) + "\n" + before.group(1) + "[" + before.group(2) + "]";
        }
        return instruction;
    }

    private static String add(String register, String step) {
        return step.startsWith("#-") ? "sub " + register + ", " + register + ", #" + step.substring(2)
                : "add " + register + ", " + register + ", " + step;
    }
}
