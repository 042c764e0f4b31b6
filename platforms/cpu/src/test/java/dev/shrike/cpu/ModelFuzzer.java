package dev.shrike.cpu;

import dev.shrike.ShrikeException;
import dev.shrike.cpu.file.ShrikeFile;
import dev.shrike.cpu.plan.Plan;
import dev.shrike.cpu.plan.PlanBuilder;
import dev.shrike.cpu.steps.ConvKernel;
import dev.shrike.cpu.steps.CpuSettings;
import dev.shrike.cpu.steps.KernelChoice;
import dev.shrike.graph.Graph;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.StepTime;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Opens and runs damaged models in this process: whatever is in a file, only a {@link ShrikeException} may come out.
 * Case {@code n} of seed {@code s} is the same file every time. The number of the case under way is kept in a mapped
 * file, so that it is known even if the process dies.
 */
final class ModelFuzzer implements AutoCloseable {
    /** What is damaged. */
    enum Format {
        SHRIKE,
        ONNX
    }

    /** More than this is not run, but only opened. */
    private static final long MOST_BYTES = 16 << 20;
    private static final long MOST_PRODUCTS = 1 << 24;

    private static final boolean VERBOSE = Boolean.getBoolean("shrike.fuzz.verbose");

    private static final long AVX2_ONLY = ~(0xFFFL << 6);
    private static final long[] TIERS = {-1, -1, AVX2_ONLY, 0};

    private final Format format;
    private final long seed;
    private final long secondsPerCase;
    private final MappedByteBuffer underWay;
    private final List<Function<Random, byte[]>> corpus = new ArrayList<>();
    private final Map<String, Integer> outcomes = new TreeMap<>();
    private final Map<String, String> failures = new TreeMap<>();
    private final Thread watchdog;
    private final Thread worker = Thread.currentThread();
    private volatile long current = -1;

    /**
     * A fuzzer of one format, to be used by the thread that makes it.
     *
     * @param secondsPerCase a case that takes more of the processor ends the process
     * @param folder where the number of the case under way is kept
     */
    ModelFuzzer(Format format, long seed, long secondsPerCase, Path folder) throws IOException {
        this.format = format;
        this.seed = seed;
        this.secondsPerCase = secondsPerCase;
        FuzzCorpus models = new FuzzCorpus();
        if (format == Format.SHRIKE) {
            models.built().values().forEach(built -> corpus.add(random -> ShrikeMutation.of(built, random)));
        } else {
            models.onnx().values().forEach(file -> corpus.add(random -> OnnxMutation.of(file, random)));
        }
        Files.createDirectories(folder);
        Path mark = folder.resolve("case-under-way-" + format.name().toLowerCase(Locale.ROOT) + ".txt");
        try (FileChannel channel = FileChannel.open(mark, StandardOpenOption.CREATE, StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
            this.underWay = channel.map(FileChannel.MapMode.READ_WRITE, 0, 64);
        }
        this.watchdog = Thread.ofPlatform().daemon().name("fuzz-watchdog").start(this::watch);
    }

    /** Runs cases {@code from} to {@code to - 1}. */
    void run(long from, long to) {
        for (long number = from; number < to; number++) {
            runCase(number);
        }
    }

    /** What came out, by kind, with the number of cases. */
    Map<String, Integer> outcomes() {
        return outcomes;
    }

    /** What must not come out, with the first case that gave it. */
    Map<String, String> failures() {
        return failures;
    }

    /** The file of a case. */
    byte[] file(long number) {
        Random random = random(number);
        return corpus.get(random.nextInt(corpus.size())).apply(random);
    }

    private Random random(long number) {
        // Numbers in a row give unrelated streams.
        long mixed = (seed + 1) * 0x9E3779B97F4A7C15L + number;
        mixed = (mixed ^ mixed >>> 30) * 0xBF58476D1CE4E5B9L;
        mixed = (mixed ^ mixed >>> 27) * 0x94D049BB133111EBL;
        return new Random(mixed ^ mixed >>> 31);
    }

    private void runCase(long number) {
        byte[] text = String.format("%-63s\n", "seed " + seed + " case " + number).getBytes(StandardCharsets.US_ASCII);
        underWay.put(0, text);
        current = number;
        byte[] file = file(number);
        String outcome;
        try {
            outcome = openAndRun(file, number);
        } catch (ShrikeException e) {
            outcome = e.getClass().getSimpleName();
            if (VERBOSE) {
                System.out.println(number + " " + e.getMessage());
            }
            if (e.getMessage() == null || e.getMessage().isBlank()) {
                failures.putIfAbsent("a message of nothing", describe(number, e));
            }
        } catch (Throwable e) {
            outcome = "! " + e.getClass().getSimpleName();
            failures.putIfAbsent(outcome + " at " + place(e), describe(number, e));
        }
        outcomes.merge(outcome, 1, Integer::sum);
    }

    private String openAndRun(byte[] file, long number) {
        Random random = random(number + 1);
        long tier = TIERS[random.nextInt(TIERS.length)];
        // oneDNN makes machine code for each layer, which takes longer than all the rest.
        CpuSettings.Convolution convolution = random.nextInt(8) == 0 ? CpuSettings.Convolution.AUTO
                : CpuSettings.Convolution.NATIVE;
        CpuSettings settings = new CpuSettings(tier, convolution, CpuSettings.CodeKernel.AUTO);
        ExecutorOptions options = ExecutorOptions.DEFAULT.withThreads(random.nextInt(8) == 0 ? 2 : 1);
        try (Arena arena = Arena.ofConfined()) {
            ShrikeFile model = format == Format.SHRIKE
                    ? ShrikeFile.read(exactly(file, arena), "fuzz")
                    : new ShrikeFile(OnnxModels.read(file, "fuzz", null), Map.of());
            Graph graph = model.graph();
            Map<String, ConvKernel> kernels = new TreeMap<>();
            model.choices().forEach((key, label) -> ConvKernel.named(label).ifPresent(k -> kernels.put(key, k)));
            try (Plan plan = PlanBuilder.build(CpuBackend.library(), graph, options, settings,
                    KernelChoice.of(settings, kernels))) {
                return run(plan) ? "ran" : "opened, too large to run";
            }
        }
    }

    /** The bytes in native memory of just that size, so that a sanitizer sees who reads past them. */
    private static MemorySegment exactly(byte[] file, Arena arena) {
        MemorySegment memory = arena.allocate(Math.max(1, file.length), 64);
        MemorySegment.copy(MemorySegment.ofArray(file), 0, memory, 0, file.length);
        return memory.asSlice(0, file.length);
    }

    private static boolean run(Plan plan) {
        long products = plan.times().stream().mapToLong(StepTime::macs).sum();
        if (plan.nativeBytes() > MOST_BYTES || products > MOST_PRODUCTS) {
            return false;
        }
        for (Binding input : plan.inputs()) {
            MemorySegment memory = input.memory();
            for (long at = 0; at + Float.BYTES <= memory.byteSize(); at += Float.BYTES) {
                memory.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, at * 7919 % 1000 / 1000f - 0.5f);
            }
        }
        plan.run();
        float sum = 0;
        for (Binding output : plan.outputs()) {
            MemorySegment memory = output.memory();
            for (long at = 0; at + Float.BYTES <= memory.byteSize(); at += Float.BYTES) {
                sum += memory.get(ValueLayout.JAVA_FLOAT_UNALIGNED, at);
            }
        }
        return sum != 0.123f;
    }

    private String describe(long number, Throwable e) {
        return "seed " + seed + ", case " + number + ": " + e;
    }

    /** The innermost place of ours that it passed. */
    private static String place(Throwable e) {
        for (StackTraceElement element : e.getStackTrace()) {
            if (element.getClassName().startsWith("dev.shrike.") && !element.getClassName().contains("Fuzz")) {
                return element.toString();
            }
        }
        return "an unknown place";
    }

    /** Ends the process if a case takes too much of the processor, or does nothing for ten times as long. */
    private void watch() {
        ThreadMXBean threads = ManagementFactory.getThreadMXBean();
        long watched = -1;
        long cpu = 0;
        long clock = 0;
        try {
            while (true) {
                Thread.sleep(1000);
                long usedNow = threads.getThreadCpuTime(worker.threadId());
                if (current != watched) {
                    watched = current;
                    cpu = usedNow;
                    clock = System.nanoTime();
                }
                long limit = secondsPerCase * 1_000_000_000L;
                if (watched >= 0 && (usedNow - cpu > limit || System.nanoTime() - clock > 10 * limit)) {
                    giveUp(watched);
                }
            }
        } catch (InterruptedException e) {
            // The fuzzer is closed.
        }
    }

    private void giveUp(long number) {
        System.err.println("seed " + seed + ", case " + number + " takes longer than " + secondsPerCase + " s, here:");
        for (StackTraceElement element : worker.getStackTrace()) {
            System.err.println("    at " + element);
        }
        Runtime.getRuntime().halt(3);
    }

    @Override
    public void close() {
        watchdog.interrupt();
    }

    /**
     * Arguments: the format, then optionally the number of one case, whose file is written to the folder before it
     * runs. Properties: shrike.fuzz.seed, .first, .cases, .seconds and .folder.
     */
    public static void main(String[] arguments) throws IOException {
        Format format = Format.valueOf(arguments[0].toUpperCase(Locale.ROOT));
        long seed = Long.getLong("shrike.fuzz.seed", 1);
        Path folder = Path.of(System.getProperty("shrike.fuzz.folder", "target/fuzz"));
        try (ModelFuzzer fuzzer =
                new ModelFuzzer(format, seed, Long.getLong("shrike.fuzz.seconds-per-case", 60), folder)) {
            if (arguments.length > 1) {
                long number = Long.parseLong(arguments[1]);
                Files.write(folder.resolve("case." + arguments[0]), fuzzer.file(number));
                fuzzer.run(number, number + 1);
                System.out.println(fuzzer.outcomes());
            } else {
                runInParts(fuzzer);
            }
            fuzzer.failures().forEach((kind, first) -> System.out.println("FAILED " + kind + "\n    " + first));
            System.exit(fuzzer.failures().isEmpty() ? 0 : 1);
        }
    }

    private static void runInParts(ModelFuzzer fuzzer) {
        long first = Long.getLong("shrike.fuzz.first", 0);
        long end = first + Long.getLong("shrike.fuzz.cases", 10_000);
        long deadline = System.nanoTime() + 1_000_000_000L * Long.getLong("shrike.fuzz.seconds", 1L << 30);
        long began = System.nanoTime();
        long at = first;
        while (at < end && System.nanoTime() < deadline) {
            long next = Math.min(end, at + 1000);
            fuzzer.run(at, next);
            at = next;
            if ((at - first) % 10_000 == 0 || at == end) {
                double seconds = (System.nanoTime() - began) / 1e9;
                System.out.printf(Locale.ROOT, "%s seed %d, cases %d to %d in %.0f s: %s%n", fuzzer.format,
                        fuzzer.seed, first, at - 1, seconds, fuzzer.outcomes());
            }
        }
    }
}
