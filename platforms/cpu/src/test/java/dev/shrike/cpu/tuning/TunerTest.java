package dev.shrike.cpu.tuning;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.UnsupportedModelException;
import dev.shrike.cpu.CpuBackend;
import dev.shrike.cpu.EngineBits;
import dev.shrike.cpu.FloatBench;
import dev.shrike.cpu.SmallNetworks;
import dev.shrike.cpu.binding.CpuModel;
import dev.shrike.cpu.binding.NativeLoader;
import dev.shrike.cpu.plan.Plan;
import dev.shrike.cpu.plan.PlanBuilder;
import dev.shrike.cpu.plan.PlanMeter;
import dev.shrike.cpu.steps.ConvKernel;
import dev.shrike.cpu.steps.ConvLayer;
import dev.shrike.cpu.steps.CpuSettings;
import dev.shrike.cpu.steps.KernelChoice;
import dev.shrike.graph.Graph;
import dev.shrike.spi.BuildOptions;
import dev.shrike.spi.BuiltModel;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The tuner on real plans, with times that are given. */
class TunerTest {
    private static final CpuSettings SETTINGS =
            new CpuSettings(EngineBits.FEATURES, CpuSettings.Convolution.AUTO, CpuSettings.CodeKernel.AUTO);
    private static final CpuModel CPU = new CpuModel("Test CPU 9000");
    private static final ExecutorOptions TWO_THREADS = ExecutorOptions.DEFAULT.withThreads(2);

    /** Every step of a layer takes what its kernel is said to take, other steps nothing. */
    private static final class GivenTimes implements PlanMeter {
        private final Map<ConvKernel, Long> nanos;
        private int calls;
        private int plans;

        GivenTimes(Map<ConvKernel, Long> nanos) {
            this.nanos = nanos;
        }

        @Override
        public long[][] measure(List<Plan> measured, BuildOptions.Progress progress) {
            calls++;
            plans = measured.size();
            return measured.stream().map(this::times).toArray(long[][]::new);
        }

        private long[] times(Plan plan) {
            Map<String, ConvKernel> kernels = new HashMap<>();
            plan.layers().forEach(layer -> kernels.put(layer.node(), layer.kernel()));
            long[] times = new long[plan.times().size()];
            for (int step = 0; step < times.length; step++) {
                ConvKernel kernel = kernels.get(plan.node(step));
                times[step] = kernel == null ? 0 : nanos.get(kernel);
            }
            return times;
        }
    }

    @TempDir
    private Path folder;

    private TuningCache cache;
    private final Graph low =
            SmallNetworks.quantized(new Random(1), new SmallNetworks.Sizes(16, 32, 20, 14, 3, 1), 2, 2);
    private final Graph real = SmallNetworks.real(new Random(1), new SmallNetworks.Sizes(16, 32, 20, 14, 3, 1));

    @BeforeEach
    void useOwnCache() {
        cache = new TuningCache(folder.resolve("deep/tuning.json"));
        System.setProperty("shrike.cpu.tuning", folder.toString());
    }

    @AfterEach
    void forgetOwnCache() {
        System.clearProperty("shrike.cpu.tuning");
        System.clearProperty("shrike.cpu.tune");
    }

    private Tuning tune(Graph graph, CpuModel cpu, GivenTimes meter) {
        return new Tuner(CpuBackend.library(), SETTINGS, cpu, cache, meter)
                .tune(graph, TWO_THREADS, BuildOptions.Progress.NONE);
    }

    private static GivenTimes codes(long int8, long bitserial) {
        return new GivenTimes(Map.of(ConvKernel.INT8, int8, ConvKernel.BITSERIAL, bitserial));
    }

    private static Map<String, ConvKernel> byNode(List<ConvLayer> layers) {
        return layers.stream().collect(Collectors.toMap(ConvLayer::node, ConvLayer::kernel));
    }

    private static List<ConvKernel> kernels(List<ConvLayer> layers) {
        return layers.stream().map(ConvLayer::kernel).distinct().toList();
    }

    private static List<ConvKernel> opened(Graph graph, Map<String, ConvKernel> choices) {
        try (Plan plan = PlanBuilder.build(
                CpuBackend.library(), graph, TWO_THREADS, SETTINGS, KernelChoice.of(SETTINGS, choices))) {
            return kernels(plan.layers());
        }
    }

    @Test
    void theQuickestIsTaken() {
        Tuning tuning = tune(low, CPU, codes(100, 60));
        assertEquals(List.of(ConvKernel.BITSERIAL), kernels(tuning.layers()));
        assertEquals(3, tuning.choices().kernels().size());
        assertEquals(List.of(ConvKernel.BITSERIAL), opened(low, tuning.choices().kernels()));
        assertTrue(tuning.summary().matches("tuned 3 convolutions in \\d+\\.\\d s: 3 bitserial"), tuning.summary());
        cache = new TuningCache(folder.resolve("other.json"));
        Tuning opposite = tune(low, CPU, codes(60, 100));
        assertEquals(List.of(ConvKernel.INT8), opened(low, opposite.choices().kernels()));
    }

    /** Which kernel is the usual one depends on the layer and on the processor. */
    @Test
    void theUsualOneIsKeptUnlessAnotherIsClearlyAhead() {
        Map<String, ConvKernel> usual;
        try (Plan plan = PlanBuilder.build(CpuBackend.library(), low, TWO_THREADS, SETTINGS)) {
            usual = byNode(plan.layers());
        }
        assertEquals(usual, byNode(tune(low, CPU, codes(100, 98)).layers()));
        cache = new TuningCache(folder.resolve("second.json"));
        assertEquals(usual, byNode(tune(low, CPU, codes(98, 100)).layers()));
        cache = new TuningCache(folder.resolve("third.json"));
        assertEquals(List.of(ConvKernel.BITSERIAL), kernels(tune(low, CPU, codes(100, 96)).layers()));
        cache = new TuningCache(folder.resolve("fourth.json"));
        assertEquals(List.of(ConvKernel.INT8), kernels(tune(low, CPU, codes(96, 100)).layers()));
    }

    @Test
    void whatWasMeasuredIsNotMeasuredAgain() {
        GivenTimes meter = codes(100, 60);
        Tuning first = tune(low, CPU, meter);
        GivenTimes other = codes(60, 100);
        Tuning second = tune(low, CPU, other);
        assertEquals(1, meter.calls);
        assertEquals(0, other.calls);
        assertEquals(first.choices(), second.choices());
        assertEquals("3 convolutions as measured before: 3 bitserial", second.summary());
        assertTrue(Files.isRegularFile(cache.file()));
    }

    @Test
    void anotherCpuAnotherNumberOfThreadsAndOtherSettingsAreMeasuredThemselves() {
        tune(low, CPU, codes(100, 60));
        assertEquals(List.of(ConvKernel.INT8),
                kernels(tune(low, new CpuModel("Other CPU"), codes(60, 100)).layers()));
        GivenTimes one = new GivenTimes(
                Map.of(ConvKernel.INT8, 1L, ConvKernel.BITSERIAL, 2L, ConvKernel.ONEDNN, 3L));
        new Tuner(CpuBackend.library(), SETTINGS, CPU, cache, one)
                .tune(low, ExecutorOptions.DEFAULT.withThreads(1), BuildOptions.Progress.NONE);
        assertEquals(1, one.calls);
        CpuSettings lower = new CpuSettings(0, CpuSettings.Convolution.AUTO, CpuSettings.CodeKernel.INT8);
        GivenTimes restricted = codes(100, 1);
        Tuning tuning = new Tuner(CpuBackend.library(), lower, CPU, cache, restricted)
                .tune(low, TWO_THREADS, BuildOptions.Progress.NONE);
        assertEquals(1, restricted.plans);
        assertEquals(List.of(ConvKernel.INT8), kernels(tuning.layers()));
        // And the first answer stands beside all these.
        assertEquals(List.of(ConvKernel.BITSERIAL), kernels(tune(low, CPU, codes(60, 100)).layers()));
    }

    @Test
    void oneDnnIsNoCandidateBesideOurOwnWorkers() {
        GivenTimes meter = new GivenTimes(Map.of(ConvKernel.NATIVE, 100L));
        assertEquals(List.of(ConvKernel.NATIVE), kernels(tune(real, CPU, meter).layers()));
        assertEquals(1, meter.plans);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "7", "null", "[]", "{\"a\":7}", "{\"a\":{\"b\":7}}", "\u0000\u0001", "{}{}"})
    void aBrokenCacheIsReplaced(String content) throws IOException {
        Files.createDirectories(cache.file().getParent());
        Files.writeString(cache.file(), content);
        assertEquals(List.of(ConvKernel.BITSERIAL), kernels(tune(low, CPU, codes(100, 60)).layers()));
        GivenTimes again = codes(60, 100);
        assertEquals(List.of(ConvKernel.BITSERIAL), kernels(tune(low, CPU, again).layers()));
        assertEquals(0, again.calls);
    }

    @Test
    void aCacheOfAnotherVersionKeepsWhatIsKnown() throws IOException {
        tune(low, CPU, codes(100, 60));
        String text = Files.readString(cache.file());
        Files.writeString(cache.file(), text.replaceFirst("bitserial", "warp"));
        GivenTimes again = codes(100, 60);
        Tuning tuning = tune(low, CPU, again);
        assertEquals(1, again.calls);
        assertEquals(List.of(ConvKernel.BITSERIAL), kernels(tuning.layers()));
    }

    @Test
    void aFolderThatCannotBeWrittenStopsNothing() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "");
        cache = new TuningCache(file.resolve("tuning.json"));
        assertEquals(List.of(ConvKernel.BITSERIAL), kernels(tune(low, CPU, codes(100, 60)).layers()));
    }

    @Test
    void writersAtTheSameTimeLeaveAWholeFile() throws InterruptedException, IOException {
        List<Thread> threads = Stream.of("a", "b", "c", "d").map(target -> Thread.ofPlatform().start(() -> {
            for (int i = 0; i < 25; i++) {
                cache.add(target, Map.of("layer " + i, ConvKernel.INT8));
                cache.read(target);
            }
        })).toList();
        for (Thread thread : threads) {
            thread.join();
        }
        assertTrue(Stream.of("a", "b", "c", "d").anyMatch(target -> !cache.read(target).isEmpty()));
        try (Stream<Path> files = Files.list(cache.file().getParent())) {
            assertEquals(List.of(cache.file()), files.toList());
        }
    }

    @Test
    void choicesGoThroughTheFile() throws IOException {
        Path file = folder.resolve("model.shrike");
        CpuBackend backend = new CpuBackend();
        List<String> notes = backend.build(low, file, BuildOptions.TUNED.withThreads(1));
        assertEquals(1, notes.size());
        assertTrue(notes.getFirst().startsWith("tuned 3 convolutions in "), notes.getFirst());
        BuiltModel built = backend.read(file);
        assertEquals(4, built.choices().size());
        float[] pixels = new float[16 * 14 * 14];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = i % 17 / 17f;
        }
        List<float[]> untuned = run(backend, low, Map.of(), pixels);
        List<float[]> tuned = run(backend, built.graph(), built.choices(), pixels);
        for (int i = 0; i < untuned.size(); i++) {
            assertArrayEquals(untuned.get(i), tuned.get(i));
        }
        backend.build(low, file, BuildOptions.UNTUNED);
        assertEquals(Map.of(), backend.read(file).choices());
    }

    private static List<float[]> run(CpuBackend backend, Graph graph, Map<String, String> choices, float[] pixels) {
        ExecutorOptions options = ExecutorOptions.DEFAULT.withThreads(1).withChoices(choices);
        try (GraphExecutor executor = backend.open(graph, options)) {
            FloatBench.fill(executor.inputs().getFirst(), pixels);
            executor.run();
            return executor.outputs().stream().map(FloatBench::read).toList();
        }
    }

    /** The kernels of a model that the backend opened with these choices. */
    private static List<ConvKernel> opened(Graph graph, Map<String, String> choices, int threads) {
        return kernels(layers(graph, choices, threads));
    }

    private static List<ConvLayer> layers(Graph graph, Map<String, String> choices, int threads) {
        ExecutorOptions options = ExecutorOptions.DEFAULT.withThreads(threads).withChoices(choices);
        try (Plan plan = (Plan) new CpuBackend().open(graph, options)) {
            return plan.layers();
        }
    }

    @Test
    void choicesForAnotherMachineAreIgnoredAndThoseForAnyAreNot() {
        List<ConvLayer> usual = layers(low, Map.of(), 2);
        List<ConvLayer> other = usual.stream().map(
                layer -> layer.by(layer.kernel() == ConvKernel.INT8 ? ConvKernel.BITSERIAL : ConvKernel.INT8)).toList();
        Map<String, ConvKernel> all = other.stream().collect(Collectors.toMap(ConvLayer::key, ConvLayer::kernel));
        String here = Choices.target(CpuModel.here(), CpuBackend.library(), SETTINGS, 2);
        assertEquals(other, layers(low, new Choices(here, all).toTexts(), 2));
        assertEquals(usual, layers(low, new Choices(here, all).toTexts(), 3));
        assertEquals(usual, layers(low, new Choices("a Pi", all).toTexts(), 2));
        assertEquals(other, layers(low, new Choices(Choices.ANYWHERE, all).toTexts(), 3));
        Map<String, String> unmarked = new HashMap<>(new Choices(here, all).toTexts());
        unmarked.remove("for");
        assertEquals(usual, layers(low, unmarked, 2));
    }

    @Test
    void oneKernelCanBeForced() {
        Path file = folder.resolve("model.shrike");
        CpuBackend backend = new CpuBackend();
        for (ConvKernel kernel : List.of(ConvKernel.INT8, ConvKernel.BITSERIAL, ConvKernel.REFERENCE)) {
            List<String> notes = backend.build(low, file, BuildOptions.TUNED.withKernel(kernel.label()));
            assertEquals(List.of("kernel " + kernel.label() + " runs 3 of 3 convolutions"), notes);
            BuiltModel built = backend.read(file);
            assertEquals(List.of(kernel), opened(built.graph(), built.choices(), 2));
        }
        UnsupportedModelException refused = assertThrows(UnsupportedModelException.class,
                () -> backend.build(low, file, BuildOptions.UNTUNED.withKernel("native")));
        assertTrue(refused.getMessage().startsWith("no layer can use the kernel 'native' here: a (w2a2 3x3s1 16->32 "),
                refused.getMessage());
        assertThrows(IllegalArgumentException.class,
                () -> backend.build(low, file, BuildOptions.UNTUNED.withKernel("warp")));
    }

    @Test
    void aNetworkIsTunedWhenItIsOpenedIfThatIsWanted() throws IOException {
        System.setProperty("shrike.cpu.tune", "true");
        opened(low, Map.of(), 1);
        Path file = TuningCache.here(CpuModel.here()).file();
        assertEquals(folder, file.getParent());
        assertTrue(Files.readString(file).contains("w2a2 3x3 "));
    }

    @Test
    void processorsAreNamed() {
        String amd = "processor\t: 0\nmodel name\t: AMD EPYC 9\nflags\t: a b\n\nprocessor : 1\nmodel name : other\n";
        assertEquals("AMD EPYC 9", CpuModel.of(amd).name());
        String pi =
                "processor : 0\nCPU implementer : 0x41\nCPU variant : 0x0\nCPU part : 0xd08\n\nModel : Raspberry Pi 4"
                        + " Model B Rev 1.4\n";
        assertEquals("0x41 0xd08 0x0 Raspberry Pi 4 Model B Rev 1.4", CpuModel.of(pi).name());
        assertEquals("0x41-0xd08-0x0-raspberry-pi-4-model-b-rev-1-4", CpuModel.of(pi).slug());
        assertEquals(NativeLoader.platform(), CpuModel.of("").name());
        assertFalse(new CpuModel("../../etc").slug().contains("."));
        assertEquals("cpu", new CpuModel("//").slug());
        assertFalse(CpuModel.here().name().isBlank());
        assertTrue(Choices.target(CPU, CpuBackend.library(), SETTINGS, 2)
                .getBytes(StandardCharsets.UTF_8).length < 200);
    }

    @Test
    void theCacheIsWhereOthersKeepTheirs() {
        assertEquals(Path.of("/x/shrike"), TuningCache.folder("/x", "/home/me"));
        assertEquals(Path.of("/home/me/.cache/shrike"), TuningCache.folder("relative", "/home/me"));
        assertEquals(Path.of("/home/me/.cache/shrike"), TuningCache.folder(null, "/home/me"));
        assertEquals(Path.of("/nonexistent/.cache/shrike"), TuningCache.folder(null, "?"));
    }
}
