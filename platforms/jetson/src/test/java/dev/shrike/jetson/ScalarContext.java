package dev.shrike.jetson;

import dev.shrike.DeviceException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.evaluation.ReferenceEvaluator;
import dev.shrike.graph.passes.GraphPasses;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.binding.TensorRt;
import dev.shrike.jetson.binding.TensorRt.Port;
import dev.shrike.spi.BatchProfile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * A context of {@link FakeTensorRt}, with TensorRT's rules for open batches: the size is set before the first run and
 * within the profile, the first run of a size is not recorded, and a recording dies with the next change of size.
 */
final class ScalarContext implements TensorRt.Context {
    private final Graph graph;
    private final BatchProfile batches;
    private final Runnable counter;
    private final Runnable onClose;
    private final Map<Integer, Graph> fixed = new HashMap<>();
    /** Images of a run of an open batch, and how often that was set. */
    private int size;
    private int changes;
    private boolean flushed;
    private boolean closed;

    /**
     * @param batches sizes of an open batch, or null
     * @param counter told of each run
     */
    ScalarContext(Graph graph, BatchProfile batches, Runnable counter, Runnable onClose) {
        this.graph = graph;
        this.batches = batches;
        this.counter = counter;
        this.onClose = onClose;
        this.flushed = batches == null;
    }

    @Override
    public void batch(int images) {
        if (batches == null || images < batches.least() || images > batches.most()) {
            throw new DeviceException("setBindingDimensions failed: a batch of " + images + " is not within the"
                    + " profile of " + batches);
        }
        size = images;
        changes++;
        flushed = false;
    }

    @Override
    public void enqueue(Gpu.DeviceMemory[] memory, Gpu.Stream stream) {
        if (closed) {
            throw new IllegalStateException("used after close");
        }
        if (batches != null && size == 0) {
            throw new DeviceException("enqueueV2 failed: dimensions of the inputs are not specified");
        }
        HostStream queue = (HostStream) stream;
        if (queue.isCapturing() && !flushed) {
            throw new DeviceException("enqueueV2 failed: the change of dimensions cannot be captured");
        }
        flushed = true;
        int submitted = changes;
        int images = size;
        queue.put("enqueueV2", () -> {
            if (submitted != changes || closed) {
                throw new AssertionError("a run of " + images + " images after the context was changed");
            }
            run(memory, images);
        });
    }

    private void run(Gpu.DeviceMemory[] memory, int images) {
        counter.run();
        Graph sized = batches == null ? graph : fixed.computeIfAbsent(images, this::fix);
        List<Port> ports = FakeTensorRt.ports(sized);
        Map<String, Tensor> inputs = new HashMap<>();
        Set<String> wanted = new HashSet<>();
        for (int i = 0; i < ports.size(); i++) {
            Port port = ports.get(i);
            if (port.input()) {
                long[] dims = port.dims().stream().mapToLong(Integer::longValue).toArray();
                float[] values = HostGpu.segment(memory[i]).asSlice(0, port.bytes()).toArray(ValueLayout.JAVA_FLOAT);
                inputs.put(port.name(), Tensor.ofFloats(Shape.of(dims), values));
            } else {
                wanted.add(port.name());
            }
        }
        Map<String, Tensor> results = ReferenceEvaluator.run(sized, inputs, wanted);
        for (int i = 0; i < ports.size(); i++) {
            if (!ports.get(i).input()) {
                float[] values = results.get(ports.get(i).name()).toFloats();
                MemorySegment.copy(values, 0, HostGpu.segment(memory[i]), ValueLayout.JAVA_FLOAT, 0, values.length);
            }
        }
    }

    private Graph fix(int images) {
        long[] dims = graph.inputs().getFirst().shape().toArray();
        dims[0] = images;
        return GraphPasses.forInference(graph, Map.of(graph.inputs().getFirst().name(), Shape.of(dims)));
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            onClose.run();
        }
    }
}
