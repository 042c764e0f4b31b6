package dev.shrike.app.val;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import dev.shrike.DeviceException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.ValueInfo;
import dev.shrike.spi.Availability;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Binding;
import dev.shrike.spi.ExecutorOptions;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.spi.StepTime;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * ONNX Runtime as an engine of the command, {@code onnxruntime}, to measure what somebody else's program makes of a
 * file: {@code tools/onnxruntime-map.sh} puts it on the class path. It runs the file that the property
 * {@code onnxruntime.model} names, not what our reader makes of it; letterbox, decoding and metrics are ours.
 */
public final class OnnxRuntimeBackend implements Backend {
    private static final String MODEL = "onnxruntime.model";

    /** As the service loader wants it. */
    public OnnxRuntimeBackend() {}

    @Override
    public String name() {
        return "onnxruntime";
    }

    @Override
    public Availability probe() {
        return new Availability.Available("ONNX Runtime " + OrtEnvironment.getEnvironment().getVersion());
    }

    /** Only for who names it. */
    @Override
    public int rank() {
        return -10;
    }

    @Override
    public GraphExecutor open(Graph graph, ExecutorOptions options) {
        String model = System.getProperty(MODEL);
        if (model == null) {
            throw new DeviceException("ONNX Runtime runs the file that the property " + MODEL + " names");
        }
        return open(graph, model, options.threads());
    }

    /** Runs a file, whose inputs and outputs are those of the graph; 0 threads are as many as it likes. */
    static GraphExecutor open(Graph graph, String model, int threads) {
        try {
            return new Executor(graph, model, threads);
        } catch (OrtException e) {
            throw new DeviceException(model + ": ONNX Runtime does not open it: " + e.getMessage(), e);
        }
    }

    private static final class Executor implements GraphExecutor {
        private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
        private final Arena arena = Arena.ofShared();
        private final OrtSession session;
        private final List<Binding> inputs;
        private final List<Binding> outputs;
        private final Map<String, OnnxTensor> given = new HashMap<>();

        Executor(Graph graph, String model, int threads) throws OrtException {
            inputs = bindings(graph.inputs());
            outputs = bindings(graph.outputs());
            try (OrtSession.SessionOptions how = new OrtSession.SessionOptions()) {
                how.setIntraOpNumThreads(Math.max(0, threads));
                session = environment.createSession(model, how);
            }
            for (Binding input : inputs) {
                FloatBuffer floats =
                        input.memory().asByteBuffer().order(ByteOrder.nativeOrder()).asFloatBuffer();
                given.put(input.name(), OnnxTensor.createTensor(environment, floats,
                        input.dims().stream().mapToLong(Integer::longValue).toArray()));
            }
        }

        private List<Binding> bindings(List<ValueInfo> values) {
            List<Binding> bindings = new ArrayList<>();
            for (ValueInfo value : values) {
                List<Integer> dims = new ArrayList<>();
                List<Integer> strides = new ArrayList<>();
                for (long dim : value.shape().toArray()) {
                    dims.add(Math.toIntExact(dim));
                }
                int stride = 1;
                for (int dim : dims.reversed()) {
                    strides.addFirst(stride);
                    stride *= dim;
                }
                bindings.add(new Binding(value.name(), dims, strides,
                        arena.allocate((long) Float.BYTES * stride, 64)));
            }
            return bindings;
        }

        @Override
        public String description() {
            return "ONNX Runtime " + environment.getVersion();
        }

        @Override
        public List<Binding> inputs() {
            return inputs;
        }

        @Override
        public List<Binding> outputs() {
            return outputs;
        }

        @Override
        public List<Binding> taps() {
            return List.of();
        }

        @Override
        public void run() {
            try (OrtSession.Result result = session.run(given)) {
                for (Binding output : outputs) {
                    OnnxTensor tensor = (OnnxTensor) result.get(output.name()).orElseThrow();
                    output.memory().copyFrom(MemorySegment.ofBuffer(tensor.getByteBuffer()));
                }
            } catch (OrtException e) {
                throw new DeviceException("ONNX Runtime failed: " + e.getMessage(), e);
            }
        }

        @Override
        public List<StepTime> times() {
            return List.of();
        }

        @Override
        public long nativeBytes() {
            return inputs.stream().mapToLong(binding -> binding.memory().byteSize()).sum()
                    + outputs.stream().mapToLong(binding -> binding.memory().byteSize()).sum();
        }

        @Override
        public void close() {
            try {
                given.values().forEach(OnnxTensor::close);
                session.close();
            } catch (OrtException e) {
                throw new DeviceException("ONNX Runtime does not close: " + e.getMessage(), e);
            } finally {
                arena.close();
            }
        }
    }
}
