import java.nio.file.Path;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Whether the model of a72.sh tells what it must: {@code A72SelfTest LLVM_BIN FOLDER}, with the dumps of loops.c in the
 * folder. Ends with 1 and says what is wrong.
 */
final class A72SelfTest {
    private static final double WITHIN = 0.02;

    private final Llvm llvm;
    private final Path folder;
    private int checks;
    private int failures;

    private A72SelfTest(Llvm llvm, Path folder) {
        this.llvm = llvm;
        this.folder = folder;
    }

    public static void main(String[] args) {
        A72SelfTest test = new A72SelfTest(new Llvm(Path.of(args[0])), Path.of(args[1]));
        test.rewriting();
        test.dumps();
        test.traces();
        test.functions();
        test.stalls();
        test.disassembly();
        test.storesWithWriteBack();
        test.loopsAcrossPages();
        test.windows();
        System.out.println("a72 self-test: " + (test.checks - test.failures) + " of " + test.checks + " checks hold");
        System.exit(test.failures == 0 ? 0 : 1);
    }

    private void check(boolean holds, String what, Object... values) {
        checks++;
        if (!holds) {
            failures++;
            System.err.println("a72 self-test: " + String.format(Locale.ROOT, what, values));
        }
    }

    private void rewritten(String from, String to) {
        String is = Rewriter.rewrite(from, Core.A72.corrections());
        check(is.equals(to), "'%s' became '%s', not '%s'", from, is, to);
    }

    private void rewriting() {
        rewritten("str\tq0, [x1], #16", "str\tq0, [x1]\nadd x1, x1, #16");
        rewritten("str\tx3, [sp, #-32]!", "sub sp, sp, #32\nstr\tx3, [sp]");
        rewritten("stp\tx29, x30, [sp, #-16]!", "sub sp, sp, #16\nstp\tx29, x30, [sp]");
        rewritten("st1\t{ v0.16b, v1.16b }, [x10], #32", "st1\t{ v0.16b, v1.16b }, [x10]\nadd x10, x10, #32");
        rewritten("st1\t{ v0.s }[1], [x10], x3", "st1\t{ v0.s }[1], [x10]\nadd x10, x10, x3");
        rewritten("str\tw1, [x2, #-4]", "str\tw1, [x2, #-4]");
        rewritten("str\tw1, [x2, x3, lsl #2]", "str\tw1, [x2, x3, lsl #2]");
        rewritten("ldr\tq0, [x1], #16", "ldr\tq0, [x1], #16");
        rewritten("fdiv\tv1.4s, v2.4s, v31.4s", "fdiv s1, s2, s31");
        rewritten("fdiv\tv1.2s, v2.2s, v3.2s", "fdiv\tv1.2s, v2.2s, v3.2s");
        rewritten("bl\t#64", "b #64");
        rewritten("blr\tx8", "br x8");
        rewritten("ret", "br x30");
        rewritten("hint\t#104", "nop");
        String untouched = "str\tq0, [x1], #16";
        check(Rewriter.rewrite(untouched, Set.of()).equals(untouched), "LLVM's own model is corrected");
        check(Rewriter.rewrite(untouched, Set.of(Rewriter.Correction.DIVISIONS)).equals(untouched),
                "a store is corrected with the divisions");
        String division = "fdiv\tv1.4s, v2.4s, v31.4s";
        check(Rewriter.rewrite(division, Set.of(Rewriter.Correction.STORES)).equals(division),
                "a division is corrected with the stores");
    }

    private void dumps() {
        Dump dump = Dump.parse("a", Stream.of("S 0 1 0", "B 0 4000 3 d503201f d503201f", "E 0 1:2",
                "B 1 4008 2 d503201f", "E 1 0:2", "T instructions 8 l2_misses 3 l2_write_backs 1"));
        check(dump.blocks().get(0).count() == 3 && dump.blocks().get(0).code().size() == 2, "block 0 is %s",
                dump.blocks().get(0));
        check(dump.blocks().get(0).next().get(1) == 2, "the successors of block 0 are %s",
                dump.blocks().get(0).next());
        check(dump.windows().equals(List.of(List.of(0, 1, 0))), "the windows are %s", dump.windows());
        check(dump.memoryBytes() == 256, "%d bytes of memory", dump.memoryBytes());
        refused("a line of no kind", "X 1");
        refused("a block without its count", "B 0 4000");
        refused("successors of no block", "E 7 1:2");
        refused("no run", "T instructions 0");
        refused("blocks that do not sum to the total", "B 0 4000 3 d503201f", "T instructions 4");
    }

    private void refused(String what, String... lines) {
        try {
            Dump.parse("broken.blocks", Stream.of(lines));
            check(false, "%s was read", what);
        } catch (IllegalArgumentException e) {
            check(e.getMessage().startsWith("broken.blocks: "), "%s: '%s' names no file", what, e.getMessage());
        }
    }

    /** A loop of two blocks, a hundred rounds of it for each of the block around it. */
    private void traces() {
        List<Traces.Trace> traces = Traces.of(Dump.parse("a", Stream.of("B 0 4000 1000 d503201f d503201f",
                "E 0 1:1000", "B 1 4008 1000 d503201f", "E 1 0:990 2:10", "B 2 5000 10 d503201f", "E 2 0:10",
                "T instructions 3010")));
        check(traces.size() == 1, "%d traces of two loops within each other", traces.size());
        check(traces.getFirst().blocks().size() == 3, "the trace has %d blocks", traces.getFirst().blocks().size());
        check(traces.getFirst().length() == 301, "%d instructions of one way through", traces.getFirst().length());
        check(traces.getFirst().instructions() == 3010, "%d instructions", traces.getFirst().instructions());
        fewRounds();
        entryOfALoop();
        longLoops();
    }

    /** Four rounds and a half each time: 40 times a block, then 180 times the loop. */
    private void fewRounds() {
        List<Integer> path = pathOf("B 0 4000 180 d503201f", "E 0 0:140 1:40", "B 1 5000 40 d503201f", "E 1 0:40",
                "T instructions 220");
        int rounds = 0;
        int least = Integer.MAX_VALUE;
        int most = 0;
        for (int from = path.indexOf(1); from < path.size(); from += rounds + 1) {
            rounds = 0;
            while (from + rounds + 1 < path.size() && path.get(from + rounds + 1) == 0) {
                rounds++;
            }
            least = Math.min(least, rounds);
            most = Math.max(most, rounds);
        }
        check(least == 4 && most == 5, "%d to %d rounds where there are 4.5", least, most);
        long all = path.stream().filter(id -> id == 0).count();
        long times = path.stream().filter(id -> id == 1).count();
        check(all * 2 == times * 9, "%d rounds for %d times, where there are 4.5 each", all, times);
    }

    /** Of blocks 0 to 2 in a circle 0 is the hottest, and 1 the one that is come to from outside. */
    private void entryOfALoop() {
        List<Integer> path = pathOf("B 0 4000 98 d503201f d503201f d503201f", "E 0 1:98", "B 1 4008 100 d503201f",
                "E 1 2:100", "B 2 4010 100 d503201f", "E 2 0:98 3:2", "B 3 5000 2 d503201f", "E 3 1:2",
                "T instructions 496");
        check(path.subList(path.indexOf(3), path.indexOf(3) + 4).equals(List.of(3, 1, 2, 0)), "the path is %s", path);
    }

    /** What goes round longer than a trace may be is in its steady state by far the most of the time. */
    private void longLoops() {
        List<Integer> path = pathOf("B 0 4000 100000 d503201f", "E 0 0:99990 1:10", "B 1 5000 10 d503201f", "E 1 0:10",
                "T instructions 100010");
        check(path.equals(List.of(0)), "the path is %s", path);
    }

    private List<Integer> pathOf(String... lines) {
        return Traces.of(Dump.parse("a", Stream.of(lines))).getFirst().path().stream().map(Dump.Block::id).toList();
    }

    private void functions() {
        Functions functions = new Functions(List.of("7000-8000 r--p 00000000 08:01 5 /lib/a b.so",
                "8000-9000 r-xp 00001000 08:01 5 /lib/a b.so", "a000-b000 rwxp 00000000 00:00 0"));
        functions.addSymbols("/lib/a b.so", List.of("0000000000001010 T first", "0000000000001020 t $x",
                "0000000000001040 t second", "0000000000001000 D data"));
        check(functions.at(0x8018).equals("first"), "0x8018 is in %s", functions.at(0x8018));
        check(functions.at(0x8fff).equals("second"), "0x8fff is in %s", functions.at(0x8fff));
        check(functions.at(0x8004).equals("a b.so"), "0x8004 is in %s", functions.at(0x8004));
        check(functions.at(0xa004).equals("compiled Java"), "0xa004 is in %s", functions.at(0xa004));
        check(functions.at(0x9004).equals("compiled Java"), "0x9004 is in %s", functions.at(0x9004));
    }

    private void stalls() {
        Dump dump = Dump.parse("a", Stream.of("B 0 4000 1 d503201f", "T instructions 1 mispredicted 2"
                + " indirect_mispredicted 1 l1_misses 10 l1_streamed 4 l2_misses 3"));
        check(Core.A72.stalls(dump) == 45, "%f stalls", Core.A72.stalls(dump));
        check(new Core("", Set.of(), List.of(), 20, 3).stalls(dump) == 45 + 120 + 64, "%f stalls with misses",
                new Core("", Set.of(), List.of(), 20, 3).stalls(dump));
    }

    private void disassembly() {
        check(llvm.disassemble(new LinkedHashSet<>(List.of("d503201f", "ffffffff", "3c810420")))
                .equals(Map.of("d503201f", "nop", "ffffffff", "nop", "3c810420", "str\tq0, [x1], #16")),
                "three codes are %s", llvm.disassemble(Set.of("d503201f", "ffffffff", "3c810420")));
    }

    /** The new address must not wait for the stored value. */
    private void storesWithWriteBack() {
        CycleModel.Result back = model("store-back").on(Core.A72);
        CycleModel.Result apart = model("store-apart").on(Core.A72);
        double ratio = back.pipelines() / apart.pipelines();
        check(Math.abs(ratio - 1) < WITHIN, "a store with write-back takes %.3f of a store and an addition", ratio);
        double own = model("store-back").on(Core.ALL.get(1)).pipelines() / back.pipelines();
        check(own > 2, "LLVM's own model takes %.2f of the corrected one: is the correction still needed?", own);
    }

    private void loopsAcrossPages() {
        double ratio = model("two-pages").on(Core.A72).pipelines() / model("one-page").on(Core.A72).pipelines();
        check(Math.abs(ratio - 1) < WITHIN, "a loop across two pages takes %.3f of one within a page", ratio);
        Dump dump = dump("two-pages");
        check(dump.blocks().values().stream().anyMatch(block -> block.count() > 4000 && block.code().size() == 4),
                "QEMU did not cut the loop at the end of its page, so this tests nothing");
    }

    /** Of many loops, and of one that waits for a sum but seldom long enough to be in its steady state. */
    private void windows() {
        for (String name : List.of("mixed", "few-rounds")) {
            CycleModel model = model(name);
            double ratio = model.windowRatio(Core.A72, model.on(Core.A72));
            check(Math.abs(ratio - 1) < WITHIN, "%s: sampled windows take %.3f of what the traces say", name, ratio);
        }
    }

    private Dump dump(String name) {
        return Dump.read(folder.resolve(name + ".blocks"));
    }

    private CycleModel model(String name) {
        return new CycleModel(llvm, dump(name));
    }
}
