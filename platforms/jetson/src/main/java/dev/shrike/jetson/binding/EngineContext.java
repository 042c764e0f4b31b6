package dev.shrike.jetson.binding;

import dev.shrike.jetson.binding.TensorRt.Context;
import dev.shrike.jetson.binding.TensorRt.Port;
import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.tensorrt.nvinfer.Dims32;
import org.bytedeco.tensorrt.nvinfer.IExecutionContext;

/** State of TensorRT to run an engine with. */
@SuppressWarnings("deprecation") // destroy(), the way to free in 8.4
final class EngineContext implements Context {
    private final TensorRtLog log;
    private final IExecutionContext context;
    private final List<Port> ports;
    private PointerPointer<Pointer> addresses;
    private Gpu.DeviceMemory[] bound;
    private boolean closed;

    EngineContext(TensorRtLog log, IExecutionContext context, List<Port> ports) {
        this.log = log;
        this.context = context;
        this.ports = List.copyOf(ports);
    }

    @Override
    public void batch(int images) {
        for (int i = 0; i < ports.size(); i++) {
            if (ports.get(i).input()) {
                try (Dims32 dims = TensorTypes.withBatch(context.getBindingDimensions(i), images)) {
                    int binding = i;
                    log.requireDone("running the engine for " + images + " images",
                            () -> context.setBindingDimensions(binding, dims));
                }
            }
        }
        log.requireDone("running the engine for " + images + " images", context::allInputDimensionsSpecified);
    }

    @Override
    public void enqueue(Gpu.DeviceMemory[] memory, Gpu.Stream stream) {
        if (memory != bound) {
            bind(memory);
        }
        log.requireDone("running the engine",
                () -> context.enqueueV2(addresses, CudaLibrary.handle(stream), null));
    }

    private void bind(Gpu.DeviceMemory[] memory) {
        PointerPointer<Pointer> fresh = new PointerPointer<>(memory.length);
        for (int i = 0; i < memory.length; i++) {
            fresh.put(i, new CudaLibrary.Address(memory[i].address()));
        }
        if (addresses != null) {
            addresses.close();
        }
        addresses = fresh;
        bound = memory;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            context.destroy();
            if (addresses != null) {
                addresses.close();
            }
        }
    }
}
