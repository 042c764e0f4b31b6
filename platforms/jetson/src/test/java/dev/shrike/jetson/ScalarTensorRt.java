package dev.shrike.jetson;

import dev.shrike.DeviceException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPasses;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.ReferenceEvaluator;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import dev.shrike.onnx.OnnxModels;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A {@link TensorRt} that runs networks with the scalar evaluator: an engine is the ONNX file after a head of its own.
 * Notes what the builder asked for.
 */
final class ScalarTensorRt implements TensorRt {
    private static final byte[] HEAD = "scalar engine\n".getBytes(StandardCharsets.US_ASCII);

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
    int open;
    /** Everything that calibrations were given. */
    final List<float[]> calibrated = new ArrayList<>();
    int cores;
    String version = "8.5.2";

    ScalarTensorRt(HostGpu gpu) {
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
        open++;
        return new ScalarEngine(read(java.util.Arrays.copyOfRange(bytes, HEAD.length, bytes.length)));
    }

    private static Graph read(byte[] onnx) {
        return GraphPasses.forInference(OnnxModels.read(onnx, "plan", null), Map.of());
    }

    private static Port port(ValueInfo value, boolean input) {
        List<Integer> dims = new ArrayList<>();
        for (long dim : value.shape().toArray()) {
            dims.add((int) dim);
        }
        return new Port(value.name(), input, dims, Float.BYTES, true);
    }

    private static List<Port> ports(Graph graph) {
        List<Port> ports = new ArrayList<>();
        graph.inputs().forEach(value -> ports.add(port(value, true)));
        graph.outputs().forEach(value -> ports.add(port(value, false)));
        return ports;
    }

    private final class ScalarBuild implements Build {
        private byte[] onnx;
        private Graph graph;
        private CalibrationFeed feed;
        private boolean closed;

        @Override
        public List<ParserError> parse(MemorySegment bytes) {
            onnx = bytes.toArray(ValueLayout.JAVA_BYTE);
            graph = OnnxModels.read(onnx, "network", null);
            return errors;
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
            return ScalarTensorRt.ports(graph);
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
        public void calibrate(Calibration kind, CalibrationFeed pictures) {
            feed = pictures;
        }

        @Override
        public byte[] serialize() {
            builds++;
            duringBuild.run();
            if (feed != null && feed.cached().length == 0) {
                Port input = ScalarTensorRt.port(graph.inputs().getFirst(), true);
                long address;
                while ((address = feed.next(input.name())) != 0) {
                    MemorySegment batch = MemorySegment.ofAddress(address).reinterpret(input.bytes());
                    calibrated.add(batch.toArray(ValueLayout.JAVA_FLOAT));
                }
                feed.keep(("ranges of " + calibrated.size()).getBytes(StandardCharsets.US_ASCII));
            }
            byte[] plan = new byte[HEAD.length + onnx.length];
            System.arraycopy(HEAD, 0, plan, 0, HEAD.length);
            System.arraycopy(onnx, 0, plan, HEAD.length, onnx.length);
            return plan;
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
        private boolean closed;

        ScalarEngine(Graph graph) {
            this.graph = graph;
        }

        @Override
        public List<Port> ports() {
            return ScalarTensorRt.ports(graph);
        }

        @Override
        public int layers() {
            return graph.nodes().size();
        }

        @Override
        public long contextBytes() {
            return 1000;
        }

        @Override
        public Context context() {
            open++;
            return new ScalarContext(graph);
        }

        @Override
        public void close() {
            if (!closed) {
                closed = true;
                open--;
            }
        }
    }

    private final class ScalarContext implements Context {
        private final Graph graph;
        private boolean closed;

        ScalarContext(Graph graph) {
            this.graph = graph;
        }

        @Override
        public void enqueue(Gpu.DeviceMemory[] memory, Gpu.Stream stream) {
            if (closed) {
                throw new IllegalStateException("used after close");
            }
            ((HostStream) stream).put("enqueueV2", () -> run(memory));
        }

        private void run(Gpu.DeviceMemory[] memory) {
            runs++;
            List<Port> ports = ScalarTensorRt.ports(graph);
            Map<String, Tensor> inputs = new HashMap<>();
            Set<String> wanted = new HashSet<>();
            for (int i = 0; i < ports.size(); i++) {
                Port port = ports.get(i);
                if (port.input()) {
                    long[] dims = port.dims().stream().mapToLong(Integer::longValue).toArray();
                    float[] values = HostGpu.segment(memory[i]).asSlice(0, port.bytes())
                            .toArray(ValueLayout.JAVA_FLOAT);
                    inputs.put(port.name(), Tensor.ofFloats(Shape.of(dims), values));
                } else {
                    wanted.add(port.name());
                }
            }
            Map<String, Tensor> results = ReferenceEvaluator.run(graph, inputs, wanted);
            for (int i = 0; i < ports.size(); i++) {
                if (!ports.get(i).input()) {
                    float[] values = results.get(ports.get(i).name()).toFloats();
                    MemorySegment.copy(values, 0, HostGpu.segment(memory[i]), ValueLayout.JAVA_FLOAT, 0, values.length);
                }
            }
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
