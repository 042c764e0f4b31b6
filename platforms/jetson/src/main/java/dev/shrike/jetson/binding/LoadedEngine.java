package dev.shrike.jetson.binding;

import dev.shrike.jetson.binding.TensorRt.Context;
import dev.shrike.jetson.binding.TensorRt.Engine;
import dev.shrike.jetson.binding.TensorRt.Port;
import dev.shrike.spi.BatchProfile;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.bytedeco.tensorrt.global.nvinfer;
import org.bytedeco.tensorrt.nvinfer.ICudaEngine;
import org.bytedeco.tensorrt.nvinfer.IEngineInspector;
import org.bytedeco.tensorrt.nvinfer.IRuntime;

/** An engine of TensorRT in device memory. */
@SuppressWarnings("deprecation") // destroy(), the way to free in 8.4
final class LoadedEngine implements Engine {
    private final CloseStack opened = new CloseStack();
    private final TensorRtLog log = TensorRtLog.to(_ -> {});
    private final ICudaEngine engine;
    private final List<Port> ports = new ArrayList<>();
    private BatchProfile batches;
    private boolean closed;

    LoadedEngine(MemorySegment plan, int dlaCore) {
        opened.add((AutoCloseable) log::giveBack);
        try {
            IRuntime runtime = log.require("creating TensorRT's runtime", () -> nvinfer.createInferRuntime(log));
            opened.add((AutoCloseable) runtime::destroy);
            if (dlaCore >= 0) {
                runtime.setDLACore(dlaCore);
            }
            engine = log.require("loading the engine",
                    () -> runtime.deserializeCudaEngine(CudaLibrary.Address.of(plan), plan.byteSize()));
            // A mapped file goes when nobody in Java can reach it any more, whatever C++ still reads.
            Reference.reachabilityFence(plan);
            opened.add((AutoCloseable) engine::destroy);
            readPorts();
        } catch (RuntimeException | Error e) {
            opened.close();
            throw e;
        }
    }

    private void readPorts() {
        List<Port> found = new ArrayList<>();
        for (int i = 0; i < engine.getNbBindings(); i++) {
            nvinfer.DataType type = engine.getBindingDataType(i).intern();
            Port port = new Port(engine.getBindingName(i), engine.bindingIsInput(i),
                    TensorTypes.dims(engine.getBindingDimensions(i)), TensorTypes.bytes(type),
                    type == nvinfer.DataType.kFLOAT);
            if (port.input() && port.hasOpenBatch()) {
                batches = new BatchProfile(batch(i, nvinfer.OptProfileSelector.kMIN),
                        batch(i, nvinfer.OptProfileSelector.kOPT), batch(i, nvinfer.OptProfileSelector.kMAX));
            }
            found.add(port);
        }
        for (Port port : found) {
            ports.add(port.hasOpenBatch() && batches != null ? port.withBatch(batches.most()) : port);
        }
    }

    private int batch(int binding, nvinfer.OptProfileSelector which) {
        return engine.getProfileDimensions(binding, 0, which).d(0);
    }

    @Override
    public Optional<BatchProfile> batches() {
        return Optional.ofNullable(batches);
    }

    @Override
    public List<Port> ports() {
        return List.copyOf(ports);
    }

    @Override
    public int layers() {
        return engine.getNbLayers();
    }

    @Override
    public String layersAsJson() {
        IEngineInspector inspector = log.require("inspecting the engine", engine::createEngineInspector);
        try {
            return inspector.getEngineInformation(nvinfer.LayerInformationFormat.kJSON);
        } finally {
            CppDestructor.delete(inspector.address());
        }
    }

    @Override
    public long contextBytes() {
        return engine.getDeviceMemorySize();
    }

    @Override
    public Context context() {
        return new EngineContext(log, log.require("creating a context", engine::createExecutionContext), ports);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            opened.close();
        }
    }
}
