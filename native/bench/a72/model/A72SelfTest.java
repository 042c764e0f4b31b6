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
        String is = Rewriter.rewrite(from, true);
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
        check(Rewriter.rewrite(untouched, false).equals(untouched), "LLVM's own model is corrected");
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

    private void traces() {
        List<Traces.Trace> traces = Traces.of(Dump.parse("a", Stream.of("B 0 4000 1000 d503201f d503201f",
                "E 0 1:1000", "B 1 4008 1000 d503201f", "E 1 0:990 2:10", "B 2 5000 10 d503201f", "E 2 0:10",
                "T instructions 3010")));
        check(traces.getFirst().length() == 3, "a loop of two blocks became %s", traces);
        check(traces.size() == 1, "99.5 %% of the instructions are in one trace, not in %d", traces.size());
        check(traces.getFirst().instructions() == 3000, "%d instructions", traces.getFirst().instructions());
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
        check(new Core("", true, List.of(), 20, 3).stalls(dump) == 45 + 120 + 64, "%f stalls with misses",
                new Core("", true, List.of(), 20, 3).stalls(dump));
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

    private void windows() {
        CycleModel model = model("mixed");
        double ratio = model.windowRatio(Core.A72, model.on(Core.A72));
        check(Math.abs(ratio - 1) < WITHIN, "sampled windows take %.3f of what the traces say", ratio);
    }

    private Dump dump(String name) {
        return Dump.read(folder.resolve(name + ".blocks"));
    }

    private CycleModel model(String name) {
        return new CycleModel(llvm, dump(name));
    }
}
