import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Cycles of a dump on a model of the core. */
final class CycleModel {
    private static final int LEAST_WINDOW = 500;
    private static final int MOST_WINDOW = 1500;
    /** So many that their choice moves the ratio by less than what it is asked for: of 280 it was off by .009. */
    private static final int MOST_WINDOWS = 1000;

    private final Llvm llvm;
    private final Dump dump;
    private final Map<String, String> assembly;
    private final List<Traces.Trace> traces;

    CycleModel(Llvm llvm, Dump dump) {
        this.llvm = llvm;
        this.dump = dump;
        this.assembly = llvm.disassemble(dump.blocks().values().stream().map(Dump.Block::code)
                .flatMap(Collection::stream).collect(Collectors.toSet()));
        this.traces = Traces.of(dump);
    }

    /**
     * What the model says.
     *
     * @param pipelines cycles of the pipelines
     * @param stalls cycles beside those: mispredicted branches, and misses where the core has them
     * @param perInstruction cycles of an instruction of each block that a trace has, by the block's number
     */
    record Result(double pipelines, double stalls, Map<Integer, Double> perInstruction) {
        double cycles() {
            return pipelines + stalls;
        }
    }

    /** The assembly of an instruction's code. */
    String assembly(String code) {
        return assembly.get(code);
    }

    /** Cycles of each trace in its steady state, times how often it ran. */
    Result on(Core core) {
        double[] steady = steady(traces.stream().map(trace -> body(codes(trace.path()), core)).toList(),
                traces.stream().mapToInt(Traces.Trace::length).toArray(), core);
        Map<Integer, Double> perInstruction = new HashMap<>();
        double cycles = 0;
        long covered = 0;
        for (int i = 0; i < steady.length; i++) {
            Traces.Trace trace = traces.get(i);
            double each = steady[i] / trace.length();
            cycles += each * trace.instructions();
            covered += trace.instructions();
            trace.blocks().forEach(block -> perInstruction.put(block.id(), each));
        }
        double rest = dump.total("instructions") / (double) covered;
        return new Result(cycles * rest, core.stalls(dump), perInstruction);
    }

    /**
     * Cycles of the sampled windows as they ran, over what the traces say of the same windows. With all blocks linked
     * rightly this is 1.
     */
    double windowRatio(Core core, Result result) {
        List<String> bodies = new ArrayList<>();
        double traced = 0;
        int stride = Math.max(1, dump.windows().size() / MOST_WINDOWS);
        for (int i = 0; i < dump.windows().size(); i += stride) {
            List<Dump.Block> blocks = whole(dump.windows().get(i));
            int length = blocks.stream().mapToInt(block -> block.code().size()).sum();
            if (length < LEAST_WINDOW) {
                continue;
            }
            for (Dump.Block block : blocks) {
                traced += result.perInstruction.getOrDefault(block.id(),
                        result.pipelines / dump.total("instructions")) * block.code().size();
            }
            bodies.add(body(codes(blocks), core));
        }
        if (bodies.isEmpty()) {
            throw new IllegalArgumentException("the dump has no windows of " + LEAST_WINDOW + " instructions");
        }
        double sampled = 0;
        long[] once = llvm.cycles(bodies, core, 1);
        long[] twice = llvm.cycles(bodies, core, 2);
        for (int i = 0; i < once.length; i++) {
            sampled += twice[i] - once[i];
        }
        return sampled / traced;
    }

    private List<Dump.Block> whole(List<Integer> window) {
        List<Dump.Block> blocks = new ArrayList<>();
        int length = 0;
        for (int id : window) {
            Dump.Block block = dump.blocks().get(id);
            length += block.code().size();
            if (length > MOST_WINDOW && !blocks.isEmpty()) {
                break;
            }
            blocks.add(block);
        }
        return blocks;
    }

    private static List<String> codes(List<Dump.Block> blocks) {
        return blocks.stream().map(Dump.Block::code).flatMap(Collection::stream).toList();
    }

    private String body(List<String> codes, Core core) {
        return codes.stream().map(code -> Rewriter.rewrite(assembly.get(code), core.corrections()))
                .collect(Collectors.joining("\n"));
    }

    /** Cycles of one iteration once the pipelines are full: 2n iterations less n of them. */
    private double[] steady(List<String> bodies, int[] lengths, Core core) {
        Map<Integer, List<Integer>> byIterations = new TreeMap<>();
        for (int i = 0; i < lengths.length; i++) {
            int iterations = Integer.highestOneBit(Math.clamp(1500 / lengths[i], 1, 128));
            byIterations.computeIfAbsent(iterations, _ -> new ArrayList<>()).add(i);
        }
        double[] steady = new double[lengths.length];
        byIterations.forEach((iterations, indices) -> {
            List<String> some = indices.stream().map(bodies::get).toList();
            long[] once = llvm.cycles(some, core, iterations);
            long[] twice = llvm.cycles(some, core, 2 * iterations);
            for (int i = 0; i < once.length; i++) {
                steady[indices.get(i)] = (twice[i] - once[i]) / (double) iterations;
            }
        });
        return steady;
    }
}
