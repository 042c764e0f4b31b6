import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/**
 * A model of the core: LLVM's Cortex-A72, corrected or not, with its buffers as they are or changed, and what a miss
 * costs.
 *
 * @param name what the table calls it
 * @param corrections what {@link Rewriter} mends of LLVM's model
 * @param options further options of llvm-mca
 * @param cyclesPerL1Miss cycles that a miss of the first cache costs that a prefetcher would not have foreseen
 * @param bytesPerCycle bytes a cycle from memory that nothing overlaps; 0 if all of it is overlapped
 */
record Core(String name, Set<Rewriter.Correction> corrections, List<String> options, double cyclesPerL1Miss,
        double bytesPerCycle) {
    /** Cycles of a branch that was predicted wrongly: about the length of the pipeline. */
    static final double CYCLES_PER_MISPREDICTION = 15;

    private static final List<String> HALF = List.of("-register-file-size=64", "-lqueue=8", "-squeue=8");

    /** The core that the table's figures are of. */
    static final Core A72 = new Core("cortex-a72", EnumSet.allOf(Rewriter.Correction.class), List.of(), 0, 0);

    /**
     * All of them, whose ratios are the range. Slow divisions are as long as in LLVM's model. Half the registers to
     * rename into, and a queue of loads and stores half as long, stand for the small issue queues that LLVM's model
     * does not have. The last two are the extremes of what a cache miss may cost: 20 cycles each that no prefetcher
     * foresees, and all traffic at 3 bytes a cycle (5.5 GB/s at 1.8 GHz) with nothing else going on meanwhile.
     */
    static final List<Core> ALL = List.of(A72, new Core("as LLVM has it", Set.of(), List.of(), 0, 0),
            new Core("slow divisions", Set.of(Rewriter.Correction.STORES), List.of(), 0, 0),
            new Core("half the buffers", A72.corrections, HALF, 0, 0),
            new Core("misses of the first cache", A72.corrections, List.of(), 20, 0),
            new Core("memory not overlapped", A72.corrections, List.of(), 0, 3));

    /** Cycles beside those of the pipelines. */
    double stalls(Dump dump) {
        double branches = CYCLES_PER_MISPREDICTION
                * (dump.total("mispredicted") + dump.total("indirect_mispredicted"));
        double misses = cyclesPerL1Miss * (dump.total("l1_misses") - dump.total("l1_streamed"));
        return branches + misses + (bytesPerCycle > 0 ? dump.memoryBytes() / bytesPerCycle : 0);
    }
}
