package dev.shrike.jetson;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.BackendUnavailableException;
import dev.shrike.DeviceException;
import dev.shrike.Frame;
import dev.shrike.ShrikeException;
import dev.shrike.SourceException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.jetson.binding.TensorRt;
import dev.shrike.jetson.binding.TensorRt.Calibration;
import dev.shrike.jetson.engine.CalibrationImages;
import dev.shrike.jetson.engine.EngineFile;
import dev.shrike.jetson.engine.EngineOptions;
import dev.shrike.jetson.engine.EngineOptions.Decode;
import dev.shrike.jetson.engine.EngineOptions.Precision;
import dev.shrike.jetson.engine.EngineRecord;
import dev.shrike.jetson.engine.NetworkSource;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.vision.Images;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The builder, the cache and the executor on a GPU and a TensorRT that this processor plays. */
class TensorRtEnginesTest {
    @TempDir
    private Path folder;

    private final HostGpu gpu = new HostGpu();
    private final FakeTensorRt tensorRt = new FakeTensorRt(gpu);

    private EngineOptions options(Precision precision, Path data, int dla) {
        return new EngineOptions(precision, Calibration.ENTROPY, Optional.ofNullable(data), 500, dla, 0,
                folder.resolve("cache"), false, Decode.AUTO, Optional.empty());
    }

    private TensorRtEngines engines(EngineOptions options) {
        return new TensorRtEngines(gpu, tensorRt, options);
    }

    private Path images(int count) throws IOException {
        Path data = Files.createDirectories(folder.resolve("pictures"));
        for (int i = 0; i < count; i++) {
            Frame frame = Frame.allocate(40 + i, 30);
            frame.pixels().fill((byte) (20 * i));
            Images.write(frame, data.resolve("p" + i + ".png"));
        }
        return data;
    }

    private static float[] run(GraphExecutor executor, float[] image) {
        Binding input = executor.inputs().getFirst();
        MemorySegment.copy(image, 0, input.memory(), ValueLayout.JAVA_FLOAT, 0, image.length);
        executor.run();
        Binding output = executor.outputs().getFirst();
        return output.memory().asSlice(0, 4L * output.elements()).toArray(ValueLayout.JAVA_FLOAT);
    }

    private static float[] randomImage() {
        Random random = new Random(1);
        float[] image = new float[3 * 32 * 32];
        for (int i = 0; i < image.length; i++) {
            image[i] = random.nextFloat();
        }
        return image;
    }

    private static float[] expected(Graph graph, float[] image) {
        Graph ready = GraphPasses.forInference(graph, Map.of());
        return ReferenceEvaluator.run(ready, Map.of("images", Tensor.ofFloats(Shape.of(1, 3, 32, 32), image)),
                Set.of("output")).get("output").toFloats();
    }

    @Test
    void runsWhatTheGraphSays() {
        Graph graph = SmallDetector.make(1);
        try (GraphExecutor executor = engines(options(Precision.AUTO, null, -1)).open(graph, ExecutorOptions.DEFAULT,
                null)) {
            assertArrayEquals(expected(graph, randomImage()), run(executor, randomImage()));
            assertArrayEquals(expected(graph, randomImage()), run(executor, randomImage()), "a second run");
            assertEquals(3, executor.times().size());
            assertTrue(executor.nativeBytes() > 4 * 3 * 32 * 32);
        }
        assertEquals(0, gpu.open());
        assertEquals(0, tensorRt.open);
        assertTrue(tensorRt.settings.getFirst().fp16());
        assertEquals(1L << 30, tensorRt.settings.getFirst().workspaceBytes(), "a quarter of what is free");
        assertTrue(tensorRt.required.isEmpty(), "nothing to keep from INT8");
    }

    @Test
    void aSecondDetectorSharesTheEngineAndTheCache() {
        TensorRtEngines engines = engines(options(Precision.FP16, null, -1));
        try (GraphExecutor first = engines.open(SmallDetector.make(1), ExecutorOptions.DEFAULT, null);
                GraphExecutor second = engines.open(SmallDetector.make(1), ExecutorOptions.DEFAULT, null)) {
            assertArrayEquals(run(first, randomImage()), run(second, randomImage()));
            assertEquals(1, tensorRt.builds);
            assertEquals(1, tensorRt.loads);
        }
        assertEquals(0, tensorRt.open);
        engines.open(SmallDetector.make(1), ExecutorOptions.DEFAULT, null).close();
        assertEquals(1, tensorRt.builds);
        assertEquals(2, tensorRt.loads);
    }

    @Test
    void buildsAgainForAnotherModelGpuVersionOrPrecision() {
        engines(options(Precision.FP16, null, -1)).engine(NetworkSource.of(SmallDetector.make(1), Map.of()));
        engines(options(Precision.FP16, null, -1)).engine(NetworkSource.of(SmallDetector.make(2), Map.of()));
        assertEquals(2, tensorRt.builds);
        engines(options(Precision.FP32, null, -1)).engine(NetworkSource.of(SmallDetector.make(1), Map.of()));
        assertEquals(3, tensorRt.builds);
        tensorRt.version = "8.6.1";
        engines(options(Precision.FP16, null, -1)).engine(NetworkSource.of(SmallDetector.make(1), Map.of()));
        assertEquals(4, tensorRt.builds);
        gpu.become("another");
        engines(options(Precision.FP16, null, -1)).engine(NetworkSource.of(SmallDetector.make(1), Map.of()));
        assertEquals(5, tensorRt.builds);
    }

    @Test
    void aDamagedEngineIsBuiltAgain() throws IOException {
        TensorRtEngines engines = engines(options(Precision.FP16, null, -1));
        NetworkSource network = NetworkSource.of(SmallDetector.make(1), Map.of());
        engines.engine(network);
        Path file = kept(".engine");
        byte[] bytes = Files.readAllBytes(file);
        Random random = new Random(3);
        for (int round = 1; round <= 20; round++) {
            byte[] damaged = bytes.clone();
            damaged[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            Files.write(file, damaged);
            engines.engine(network);
            assertEquals(1 + round, tensorRt.builds);
            assertArrayEquals(bytes.length > 0 ? new byte[] {(byte) 0x89, 'S'} : null,
                    java.util.Arrays.copyOf(Files.readAllBytes(file), 2));
        }
        assertTrue(Files.readString(kept(".json")).contains("\"tensorRt\" : \"8.5.2\""));
    }

    @Test
    void whateverLiesUnderItsNameIsNeverLoaded() throws IOException {
        TensorRtEngines engines = engines(options(Precision.FP16, null, -1));
        Graph graph = SmallDetector.make(1);
        EngineFile own = engines.engine(NetworkSource.of(graph, Map.of()));
        Path file = kept(".engine");
        byte[] good = Files.readAllBytes(file);
        EngineRecord record = own.record();
        EngineRecord stale =
                new EngineRecord(record.model(), record.precision(), null, null, -1, null, 0, false, "8.4.1",
                        record.gpu(), record.compute(), List.of(), 0);
        EngineRecord foreign = new EngineRecord("another", record.precision(), null, null, -1, null, 0, false,
                record.tensorRt(),
                record.gpu(), record.compute(), List.of(), 0);
        MemorySegment plan = MemorySegment.ofArray("an engine that must not be loaded".getBytes());
        List<byte[]> hostile = new ArrayList<>(List.of(new byte[0], "no engine".getBytes(),
                java.util.Arrays.copyOf(good, good.length / 2), java.util.Arrays.copyOf(good, good.length + 1)));
        for (EngineRecord other : List.of(stale, foreign)) {
            new EngineFile(other, own.onnx(), new byte[0], plan).write(folder.resolve("other.engine"));
            hostile.add(Files.readAllBytes(folder.resolve("other.engine")));
        }
        for (byte[] bytes : hostile) {
            int builds = tensorRt.builds;
            Files.write(file, bytes);
            engines.open(graph, ExecutorOptions.DEFAULT, null).close();
            assertEquals(builds + 1, tensorRt.builds);
            assertEquals(record.key(), EngineFile.read(file).record().key());
        }
        assertEquals(hostile.size(), tensorRt.loads, "the fake TensorRT refuses to load any other");
    }

    private Path kept(String ending) throws IOException {
        try (Stream<Path> files = Files.list(folder.resolve("cache"))) {
            return files.filter(file -> file.toString().endsWith(ending)).findFirst().orElseThrow();
        }
    }

    @Test
    void ofManyAtOnceOneBuilds() throws Exception {
        TensorRtEngines engines = engines(options(Precision.FP16, null, -1));
        NetworkSource network = NetworkSource.of(SmallDetector.make(1), Map.of());
        List<Callable<EngineFile>> wishes = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            wishes.add(() -> engines.engine(network));
        }
        try (ExecutorService threads = Executors.newFixedThreadPool(8)) {
            for (Future<EngineFile> future : threads.invokeAll(wishes)) {
                assertEquals(-1, future.get().plan().mismatch(engines.engine(network).plan()));
            }
        }
        assertEquals(1, tensorRt.builds);
    }

    @Test
    void calibratesWithEveryImageAndKeepsTheTailFromInt8() throws IOException {
        Path data = images(5);
        engines(options(Precision.AUTO, data, -1)).engine(NetworkSource.of(SmallDetector.make(1), Map.of()));
        assertEquals(5, tensorRt.calibrated.size());
        assertTrue(tensorRt.settings.getFirst().int8() && tensorRt.settings.getFirst().fp16());
        assertEquals(Set.of("head", "sigmoid", "join"), tensorRt.required.keySet());
        assertEquals(Set.of(TensorRt.Precision.FP16), Set.copyOf(tensorRt.required.values()));
        assertEquals(0, gpu.open());
        Files.delete(kept(".engine"));
        engines(options(Precision.AUTO, data, -1)).engine(NetworkSource.of(SmallDetector.make(1), Map.of()));
        assertEquals(5, tensorRt.calibrated.size(), "the second time from the calibration cache");
        assertEquals(3, tensorRt.settings.getLast().timingCache().length, "timings of the first build");
        Files.write(data.resolve("p0.png"), Files.readAllBytes(data.resolve("p1.png")));
        engines(options(Precision.AUTO, data, -1)).engine(NetworkSource.of(SmallDetector.make(1), Map.of()));
        assertEquals(10, tensorRt.calibrated.size(), "other images");
    }

    @Test
    void passesOverDamagedImagesButNotOverAllOfThem() throws IOException {
        Path data = images(3);
        Files.writeString(data.resolve("p1.png"), "no image");
        engines(options(Precision.INT8, data, -1)).engine(NetworkSource.of(SmallDetector.make(1), Map.of()));
        assertEquals(2, tensorRt.calibrated.size());
        Files.writeString(data.resolve("p0.png"), "none");
        Files.writeString(data.resolve("p2.png"), "none either");
        SourceException e = assertThrows(SourceException.class, () -> engines(options(Precision.INT8, data, -1))
                .engine(NetworkSource.of(SmallDetector.make(1), Map.of())));
        assertTrue(e.getMessage().contains("none of the 3 calibration images"), e.getMessage());
        assertEquals(0, gpu.open());
        assertEquals(0, tensorRt.open);
    }

    @Test
    void saysWhatInt8Needs() {
        NetworkSource network = NetworkSource.of(SmallDetector.make(1), Map.of());
        String message = assertThrows(SourceException.class,
                () -> engines(options(Precision.INT8, null, -1)).engine(network)).getMessage();
        assertTrue(message.contains("-Dshrike.tensorrt.data"), message);
        message = assertThrows(SourceException.class,
                () -> engines(options(Precision.BEST, folder, -1)).engine(network)).getMessage();
        assertTrue(message.contains("has no image"), message);
        message = assertThrows(UnsupportedModelException.class, () -> engines(options(Precision.FP16, null, -1))
                .engine(NetworkSource.of(SmallDetector.quantized(1), Map.of()))).getMessage();
        assertTrue(message.contains("runs in INT8"), message);
    }

    @Test
    void refusesRangesThatEachImageHasOfItsOwn() {
        Graph graph = SmallDetector.make(1);
        List<Node> nodes = new ArrayList<>(graph.nodes());
        nodes.set(0, nodes.getFirst().withInputs(List.of("rounded", "body.w")));
        nodes.addFirst(new Node("rounding", new Op.DynamicQuant(), List.of("images"), List.of("rounded")));
        String message = assertThrows(UnsupportedModelException.class,
                () -> NetworkSource.of(graph.withNodes(nodes), Map.of())).getMessage();
        assertTrue(message.contains("'rounding'") && message.contains("--activation-ranges static"), message);
    }

    @Test
    void aQuantizedNetworkNeedsNoImages() {
        NetworkSource network = NetworkSource.of(SmallDetector.quantized(1), Map.of());
        engines(options(Precision.AUTO, null, -1)).engine(network);
        assertEquals(0, tensorRt.calibrated.size());
        assertTrue(tensorRt.settings.getFirst().int8());
        assertTrue(tensorRt.required.isEmpty(), "its own roundings say what is INT8");
    }

    /** As TensorRT 8 does with weights that are constants of codes, whatever wrote the file. */
    @Test
    void theParserRefusesCodesAsWeightsAndTakesWhatItIsGiven() {
        Graph quantized = SmallDetector.quantized(1);
        NetworkSource old = new NetworkSource(OnnxModels.toBytes(quantized), List.of(), true, Optional.empty());
        String message = assertThrows(UnsupportedModelException.class,
                () -> engines(options(Precision.AUTO, null, -1)).engine(old)).getMessage();
        assertTrue(message.contains("does not support INT8 weights"), message);
        Graph given = OnnxModels.read(NetworkSource.of(quantized, Map.of()).onnx(), "given", null);
        assertEquals(List.of(), ExplicitRules.of(given));
        assertEquals(3, given.nodes().stream().filter(node -> node.op() instanceof Op.QuantizeLinear).count());
    }

    @Test
    void reportsWhatDoesNotRunOnTheDla() {
        tensorRt.cores = 2;
        tensorRt.notOnDla.add("sigmoid");
        EngineFile engine =
                engines(options(Precision.FP16, null, 1)).engine(NetworkSource.of(SmallDetector.make(1), Map.of()));
        assertEquals(List.of("sigmoid (UNARY)"), engine.record().onGpu());
        assertEquals(1, tensorRt.settings.getFirst().dlaCore());
        String message = assertThrows(SourceException.class, () -> engines(options(Precision.FP16, null, 2))
                .engine(NetworkSource.of(SmallDetector.make(1), Map.of()))).getMessage();
        assertTrue(message.contains("this device has 2"), message);
    }

    /** Two cores do not share an engine, even one of the same bytes: TensorRT binds it to a core when it loads it. */
    @Test
    void eachDlaCoreHasItsOwn() {
        tensorRt.cores = 2;
        Graph graph = SmallDetector.make(1);
        try (GraphExecutor first = engines(options(Precision.FP16, null, 0)).open(graph, ExecutorOptions.DEFAULT, null);
                GraphExecutor second =
                        engines(options(Precision.FP16, null, 1)).open(graph, ExecutorOptions.DEFAULT, null)) {
            assertArrayEquals(run(first, randomImage()), run(second, randomImage()));
            assertEquals(List.of(0, 1), tensorRt.loadedFor);
        }
        assertEquals(0, tensorRt.open);
    }

    @Test
    void whatADlaDoesNotTakeIsSaidBeforeTheBuild() throws IOException {
        tensorRt.cores = 2;
        Path data = images(1);
        String message = assertThrows(UnsupportedModelException.class, () -> engines(options(Precision.AUTO, null, 0))
                .engine(NetworkSource.of(SmallDetector.quantized(1), Map.of()))).getMessage();
        assertTrue(message.contains("before quantisation"), message);
        EngineOptions minmax = new EngineOptions(Precision.INT8, Calibration.MINMAX, Optional.of(data), 500, 0, 0,
                folder.resolve("cache"), false, Decode.AUTO, Optional.empty());
        message = assertThrows(SourceException.class,
                () -> engines(minmax).engine(NetworkSource.of(SmallDetector.make(1), Map.of()))).getMessage();
        assertTrue(message.contains("entropy calibration only"), message);
        assertEquals(0, tensorRt.builds);
        engines(options(Precision.INT8, data, 0)).engine(NetworkSource.of(SmallDetector.make(1), Map.of()));
        assertEquals(1, tensorRt.builds);
    }

    /** Otherwise an engine from the cache would be without the details that were asked for. */
    @Test
    void workspaceAndDetailAreOtherEngines() {
        NetworkSource network = NetworkSource.of(SmallDetector.make(1), Map.of());
        for (long workspace : new long[] {0, 1 << 28, 1 << 28}) {
            for (boolean detailed : new boolean[] {false, true}) {
                engines(new EngineOptions(Precision.FP16, Calibration.ENTROPY, Optional.empty(), 500, -1, workspace,
                        folder.resolve("cache"), detailed, Decode.AUTO, Optional.empty())).engine(network);
            }
        }
        assertEquals(4, tensorRt.builds);
        assertEquals(List.of(false, true, false, true), tensorRt.settings.stream().map(TensorRt.Settings::detailed)
                .toList());
    }

    /** Results of calibration that another TensorRT does not take are found again, on the images that are named. */
    @Test
    void aFileOfAnotherTensorRtCanBeCalibratedAgain() throws IOException {
        Graph graph = SmallDetector.make(1);
        Path file = folder.resolve("small.engine");
        Path data = images(4);
        engines(options(Precision.INT8, data, -1)).engine(NetworkSource.of(graph, Map.of())).write(file);
        tensorRt.version = "8.6.1";
        tensorRt.takesCalibrations = false;
        Graph loaded = new JetsonBackend().load(file);
        String message = assertThrows(SourceException.class, () -> engines(options(Precision.AUTO, null, -1))
                .open(loaded, ExecutorOptions.DEFAULT, file)).getMessage();
        assertTrue(message.contains("-Dshrike.tensorrt.data"), message);
        engines(options(Precision.AUTO, data, -1)).open(loaded, ExecutorOptions.DEFAULT, file).close();
        assertEquals(8, tensorRt.calibrated.size());
        assertEquals(0, gpu.open());
        assertEquals(0, tensorRt.open);
    }

    /** INT8 with FP16 would be what 'best' is. */
    @Test
    void int8HasNoFp16() throws IOException {
        engines(options(Precision.INT8, images(2), -1)).engine(NetworkSource.of(SmallDetector.make(1), Map.of()));
        assertTrue(tensorRt.settings.getFirst().int8() && !tensorRt.settings.getFirst().fp16());
        assertEquals(Set.of("head", "sigmoid", "join"), tensorRt.required.keySet());
        assertEquals(Set.of(TensorRt.Precision.FP32), Set.copyOf(tensorRt.required.values()));
    }

    @Test
    void calibrationImagesComeShuffledAndAlwaysAlike() throws IOException {
        Path data = Files.createDirectories(folder.resolve("many"));
        for (int i = 0; i < 40; i++) {
            Files.createFile(data.resolve(String.format("p%02d.png", i)));
        }
        List<Path> once = CalibrationImages.list(data, 20);
        assertEquals(once, CalibrationImages.list(data, 20));
        List<Path> sorted = once.stream().sorted().toList();
        assertTrue(!once.equals(sorted), "the order of names");
        assertEquals(Stream.iterate(0, i -> i < 40, i -> i + 2).map(i -> data.resolve(String.format("p%02d.png", i)))
                .toList(), sorted, "every second one");
    }

    @Test
    void formatsThatNothingCanRunArePreferredTheSecondTime() throws IOException {
        tensorRt.refusesPrecisions = true;
        Path data = images(3);
        engines(options(Precision.BEST, data, -1)).engine(NetworkSource.of(SmallDetector.make(1), Map.of()));
        assertEquals(2, tensorRt.builds);
        assertEquals(3, tensorRt.calibrated.size(), "all images, once");
        DeviceException e = assertThrows(DeviceException.class, () -> {
            tensorRt.refusesDla = true;
            tensorRt.cores = 1;
            engines(options(Precision.BEST, data, 0)).engine(NetworkSource.of(SmallDetector.make(1), Map.of()));
        });
        assertEquals(4, tensorRt.builds, "tried once again, not twice");
        assertTrue(e.getMessage().contains("-Dshrike.tensorrt.dla"), e.getMessage());
        assertEquals(0, tensorRt.open);
    }

    @Test
    void buildsAgainForAnotherNumberOfMultiprocessors() {
        engines(options(Precision.FP16, null, -1)).engine(NetworkSource.of(SmallDetector.make(1), Map.of()));
        gpu.resize(8);
        EngineFile other =
                engines(options(Precision.FP16, null, -1)).engine(NetworkSource.of(SmallDetector.make(1), Map.of()));
        assertEquals(2, tensorRt.builds);
        assertEquals("HostGpu, 8 multiprocessors", other.record().gpu());
    }

    /** An illegal address ends CUDA's context: nothing but another process helps, for no detector of this one. */
    @Test
    void afterAStickyErrorTheProcessHasToEnd() {
        TensorRtEngines engines = engines(options(Precision.FP16, null, -1));
        try (GraphExecutor executor = engines.open(SmallDetector.make(1), ExecutorOptions.DEFAULT, null)) {
            gpu.failAt(1, 700);
            String message = assertThrows(DeviceException.class, executor::run).getMessage();
            assertTrue(message.contains("CUDA error 700") && message.contains("restart the process"), message);
            assertTrue(!message.contains("open the detector"), message);
            message = assertThrows(DeviceException.class, executor::run).getMessage();
            assertTrue(message.contains("restart the process"), message);
        }
        String message = assertThrows(BackendUnavailableException.class,
                () -> engines.open(SmallDetector.make(1), ExecutorOptions.DEFAULT, null)).getMessage();
        assertTrue(message.contains("restart the process") && message.contains("700"), message);
    }

    @Test
    void parserErrorsNameTheNode() {
        tensorRt.errors.add(new TensorRt.ParserError(3, "kUNSUPPORTED_NODE", "No importer registered for op: X"));
        String message = assertThrows(UnsupportedModelException.class, () -> engines(options(Precision.AUTO, null, -1))
                .engine(NetworkSource.of(SmallDetector.make(1), Map.of()))).getMessage();
        String third = NetworkSource.of(SmallDetector.make(1), Map.of()).nodes().get(3);
        assertTrue(message.contains("node '" + third + "': No importer"), message);
        assertEquals(0, tensorRt.open);
    }

    @Test
    void aFileOfAnotherGpuIsBuiltAgainWithItsOwnCalibration() throws IOException {
        Graph graph = SmallDetector.make(1);
        Path file = folder.resolve("small.engine");
        engines(options(Precision.INT8, images(4), -1)).engine(NetworkSource.of(graph, Map.of())).write(file);
        assertEquals(4, tensorRt.calibrated.size());
        gpu.become("another");
        Graph loaded = new JetsonBackend().load(file);
        assertEquals("{0: 'thing'}", loaded.metadata().get("names"));
        try (GraphExecutor executor = engines(options(Precision.AUTO, null, -1)).open(loaded, ExecutorOptions.DEFAULT,
                file)) {
            assertArrayEquals(expected(graph, randomImage()), run(executor, randomImage()));
        }
        assertEquals(2, tensorRt.builds);
        assertEquals(4, tensorRt.calibrated.size(), "from the calibration in the file");
        engines(options(Precision.AUTO, null, -1)).open(loaded, ExecutorOptions.DEFAULT, file).close();
        assertEquals(2, tensorRt.builds, "the second time from the cache");
    }

    @Test
    void whateverFailsNothingStaysOpen() throws IOException {
        EngineOptions options = options(Precision.INT8, images(2), -1);
        Graph graph = SmallDetector.make(1);
        gpu.failAt(-1);
        engines(options).open(graph, ExecutorOptions.DEFAULT, null).close();
        int calls = gpu.calls();
        assertTrue(calls > 10);
        for (int call = 0; call < calls; call++) {
            try (Stream<Path> files = Files.list(folder.resolve("cache"))) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            gpu.failAt(call);
            try {
                engines(options).open(graph, ExecutorOptions.DEFAULT, null).close();
            } catch (DeviceException e) {
                assertTrue(e.getMessage().contains("CUDA error 2"), e.getMessage());
            }
            assertEquals(0, gpu.open(), "after call " + call);
            assertEquals(0, tensorRt.open, "after call " + call);
        }
    }

    @Test
    void afterAFailedRunTheDetectorSaysSo() {
        try (GraphExecutor executor = engines(options(Precision.FP16, null, -1)).open(SmallDetector.make(1),
                ExecutorOptions.DEFAULT, null)) {
            gpu.failAt(1);
            assertTrue(assertThrows(DeviceException.class, executor::run).getMessage().contains("open the detector"));
            assertThrows(DeviceException.class, executor::run);
        }
        assertEquals(0, gpu.open());
    }

    @Test
    void refusesTaps() {
        ShrikeException e = assertThrows(UnsupportedModelException.class,
                () -> engines(options(Precision.FP16, null, -1)).open(SmallDetector.make(1),
                        ExecutorOptions.DEFAULT.withTaps(Set.of("b")), null));
        assertTrue(e.getMessage().contains("'cpu'"), e.getMessage());
    }

    @Test
    void closedExecutorsSaySo() {
        GraphExecutor executor = engines(options(Precision.FP16, null, -1)).open(SmallDetector.make(1),
                ExecutorOptions.DEFAULT, null);
        executor.close();
        executor.close();
        assertThrows(IllegalStateException.class, executor::run);
        assertThrows(IllegalStateException.class, () -> Fitted.accept(executor, Frame.allocate(3, 3)));
    }
}
