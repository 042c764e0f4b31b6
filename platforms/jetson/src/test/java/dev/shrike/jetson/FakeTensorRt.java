package dev.shrike.jetson;

import dev.shrike.DeviceException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.ValueInfo;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.jetson.binding.TensorRt;
import dev.shrike.onnx.OnnxModels;
import dev.shrike.spi.BatchProfile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A {@link TensorRt} that runs networks with the scalar evaluator: an engine is the ONNX file after a head of its own.
 * Notes what the builder asked for.
 */
final class FakeTensorRt implements TensorRt {
    private static final byte[] HEAD = "scalar engine\n".getBytes(StandardCharsets.US_ASCII);
    /** Bytes after the head: the sizes of an open batch, or zeros. */
    private static final int SIZES = 3;

    private final HostGpu gpu;
    final List<Settings> settings = new ArrayList<>();
    final Map<String, Precision> required = new HashMap<>();
    final List<ParserError> errors = new ArrayList<>();
    final Set<String> notOnDla = new HashSet<>();
    /** Done in the middle of each build. */
    Runnable duringBuild = () -> {};
    int builds;
    /** Runs of all contexts. */
    int runs;
    int loads;
    /** The DLA cores that engines were loaded for. */
    final List<Integer> loadedFor = new ArrayList<>();
    /** Whether results of earlier calibrations are taken. */
    boolean takesCalibrations = true;
    int open;
    /** Everything that calibrations were given. */
    final List<float[]> calibrated = new ArrayList<>();
    int cores;
    /** Whether builds fail as long as formats are required. */
    boolean refusesPrecisions;
    /** Whether builds for a DLA fail. */
    boolean refusesDla;
    String version = "8.5.2";

    FakeTensorRt(HostGpu gpu) {
        this.gpu = gpu;
    }

    @Override
    public String version() {
        return version;
    }

    @Override
    public Build build(Consumer<LogLine> log) {
        open++;
        return new ScalarBuild();
    }

    @Override
    public Engine load(MemorySegment plan, int dlaCore) {
        if (!plan.isNative()) {
            throw new IllegalArgumentException("TensorRT cannot read the Java heap");
        }
        byte[] bytes = plan.toArray(ValueLayout.JAVA_BYTE);
        if (bytes.length < HEAD.length || plan.mismatch(MemorySegment.ofArray(HEAD)) < HEAD.length) {
            throw new DeviceException("loading the engine failed: bad magic");
        }
        loads++;
        loadedFor.add(dlaCore);
        open++;
        byte[] onnx = Arrays.copyOfRange(bytes, HEAD.length + SIZES, bytes.length);
        Graph graph = OnnxModels.read(onnx, "plan", null);
        if (bytes[HEAD.length] == 0) {
            return new ScalarEngine(GraphPasses.forInference(graph, Map.of()), null);
        }
        return new ScalarEngine(graph, new BatchProfile(bytes[HEAD.length] & 0xff, bytes[HEAD.length + 1] & 0xff,
                bytes[HEAD.length + 2] & 0xff));
    }

    private static Port port(ValueInfo value, boolean input) {
        List<Integer> dims = new ArrayList<>();
        for (long dim : value.shape().toArray()) {
            dims.add((int) dim);
        }
        return new Port(value.name(), input, dims, Float.BYTES, true);
    }

    static List<Port> ports(Graph graph) {
        List<Port> ports = new ArrayList<>();
        graph.inputs().forEach(value -> ports.add(port(value, true)));
        graph.outputs().forEach(value -> ports.add(port(value, false)));
        return ports;
    }

    private final class ScalarBuild implements Build {
        private byte[] onnx;
        private Graph graph;
        private CalibrationFeed feed;
        private BatchProfile sizes;
        private int calibrationBatch;
        private boolean obeys = true;
        private boolean closed;

        @Override
        public List<ParserError> parse(MemorySegment bytes) {
            onnx = bytes.toArray(ValueLayout.JAVA_BYTE);
            graph = OnnxModels.read(onnx, "network", null);
            return Stream.concat(errors.stream(), ExplicitRules.of(graph).stream()).toList();
        }

        @Override
        public List<Layer> layers() {
            List<Layer> layers = new ArrayList<>();
            for (Node node : graph.nodes()) {
                String type = node.op() instanceof Op.Conv
                        ? "CONVOLUTION" : node.op().getClass().getSimpleName().toUpperCase(java.util.Locale.ROOT);
                layers.add(new Layer(layers.size(), node.name(), type, node.inputs(), node.outputs(), true));
            }
            return layers;
        }

        @Override
        public List<Port> ports() {
            return FakeTensorRt.ports(graph);
        }

        @Override
        public int dlaCores() {
            return cores;
        }

        @Override
        public boolean isFast(Precision precision) {
            return true;
        }

        @Override
        public void configure(Settings wanted) {
            settings.add(wanted);
        }

        @Override
        public void require(int layer, Precision precision) {
            required.put(layers().get(layer).name(), precision);
        }

        @Override
        public boolean canRunOnDla(int layer) {
            return !notOnDla.contains(layers().get(layer).name());
        }

        @Override
        public void batches(BatchProfile wanted) {
            if (!isOpen()) {
                throw new DeviceException("the profile does not fit the static shape of the input");
            }
            sizes = wanted;
        }

        private boolean isOpen() {
            return ports().stream().anyMatch(port -> port.input() && port.hasOpenBatch());
        }

        @Override
        public void calibrate(Calibration kind, int batch, CalibrationFeed images) {
            if (isOpen() ? sizes == null || batch < sizes.least() || batch > sizes.most()
                    : batch != ports().getFirst().dims().getFirst()) {
                throw new DeviceException("no calibration profile fits a batch of " + batch);
            }
            calibrationBatch = batch;
            feed = images;
        }

        private void requireProfile() {
            if (isOpen() && sizes == null) {
                throw new DeviceException("building the engine failed: network has dynamic inputs, but no optimization"
                        + " profile has been defined");
            }
            if (isOpen() && settings.getLast().dlaCore() >= 0 && !sizes.hasOneSize()) {
                throw new DeviceException("building the engine failed: DLA does not support a range of dimensions");
            }
        }

        @Override
        public void preferPrecisions() {
            obeys = false;
        }

        @Override
        public byte[] serialize() {
            builds++;
            duringBuild.run();
            requireProfile();
            if (obeys && refusesPrecisions && !required.isEmpty()) {
                throw new DeviceException("building the engine failed: could not find any implementation for node");
            }
            if (refusesDla && settings.getLast().dlaCore() >= 0) {
                throw new DeviceException("building the engine failed: could not find any implementation for node");
            }
            if (feed != null && (feed.cached().length == 0 || !takesCalibrations)) {
                Port input = FakeTensorRt.port(graph.inputs().getFirst(), true).withBatch(calibrationBatch);
                long address;
                while ((address = feed.next(input.name())) != 0) {
                    MemorySegment batch = MemorySegment.ofAddress(address).reinterpret(input.bytes());
                    calibrated.add(batch.toArray(ValueLayout.JAVA_FLOAT));
                }
                feed.keep(("ranges of " + calibrated.size()).getBytes(StandardCharsets.US_ASCII));
            }
            ByteBuffer plan = ByteBuffer.allocate(HEAD.length + SIZES + onnx.length).put(HEAD);
            plan.put(sizes == null ? new byte[SIZES] : new byte[] {(byte) sizes.least(), (byte) sizes.best(),
                    (byte) sizes.most()});
            return plan.put(onnx).array();
        }

        @Override
        public byte[] timingCache() {
            if (closed) {
                throw new IllegalStateException("used after close");
            }
            return new byte[] {1, 2, 3};
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                open--;
            }
        }
    }

    private final class ScalarEngine implements Engine {
        private final Graph graph;
        private final BatchProfile batches;
        private int contexts;
        private boolean closed;

        ScalarEngine(Graph graph, BatchProfile batches) {
            this.graph = graph;
            this.batches = batches;
        }

        @Override
        public List<Port> ports() {
            return FakeTensorRt.ports(graph).stream()
                    .map(port -> batches == null ? port : port.withBatch(batches.most())).toList();
        }

        @Override
        public Optional<BatchProfile> batches() {
            return Optional.ofNullable(batches);
        }

        @Override
        public int layers() {
            return graph.nodes().size();
        }

        @Override
        public String layersAsJson() {
            return graph.nodes().stream().map(node -> "{\"Name\": \"" + node.name()
                    + "\", \"Outputs\": [{\"Format/Datatype\": \"Row major linear FP32\"}]}")
                    .collect(Collectors.joining(", ", "{\"Layers\": [", "]}"));
        }

        @Override
        public long contextBytes() {
            return 1000;
        }

        @Override
        public Context context() {
            if (batches != null && contexts > 0) {
                throw new DeviceException("creating a context failed: profile 0 is in use by another context");
            }
            open++;
            contexts++;
            return new ScalarContext(graph, batches, () -> runs++, () -> {
                open--;
                contexts--;
            });
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                open--;
            }
        }
    }

    HostGpu gpu() {
        return gpu;
    }
}
