package dev.shrike.jetson.binding;

import dev.shrike.jetson.binding.TensorRt.Build;
import dev.shrike.jetson.binding.TensorRt.Calibration;
import dev.shrike.jetson.binding.TensorRt.CalibrationFeed;
import dev.shrike.jetson.binding.TensorRt.Layer;
import dev.shrike.jetson.binding.TensorRt.ParserError;
import dev.shrike.jetson.binding.TensorRt.Port;
import dev.shrike.jetson.binding.TensorRt.Precision;
import dev.shrike.jetson.binding.TensorRt.Settings;
import dev.shrike.spi.BatchProfile;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.tensorrt.global.nvinfer;
import org.bytedeco.tensorrt.global.nvonnxparser;
import org.bytedeco.tensorrt.nvinfer.Dims32;
import org.bytedeco.tensorrt.nvinfer.IBuilder;
import org.bytedeco.tensorrt.nvinfer.IBuilderConfig;
import org.bytedeco.tensorrt.nvinfer.IHostMemory;
import org.bytedeco.tensorrt.nvinfer.IInt8Calibrator;
import org.bytedeco.tensorrt.nvinfer.ILayer;
import org.bytedeco.tensorrt.nvinfer.INetworkDefinition;
import org.bytedeco.tensorrt.nvinfer.IOptimizationProfile;
import org.bytedeco.tensorrt.nvinfer.ITensor;
import org.bytedeco.tensorrt.nvinfer.ITimingCache;
import org.bytedeco.tensorrt.nvonnxparser.IParser;
import org.bytedeco.tensorrt.nvonnxparser.IParserError;

/** A network of TensorRT that is being built. */
@SuppressWarnings("deprecation") // destroy(), the way to free in 8.4
final class NetworkBuild implements Build {
    private static final int EXPLICIT_BATCH =
            1 << nvinfer.NetworkDefinitionCreationFlag.kEXPLICIT_BATCH.value;

    private final CloseStack opened = new CloseStack();
    private final TensorRtLog log;
    private final IBuilder builder;
    private final INetworkDefinition network;
    private final IBuilderConfig config;
    private final IParser parser;
    /** Kept from the garbage collector as long as C++ may call it. */
    private IInt8Calibrator calibrator;
    private CalibrationCallbacks callbacks;
    private boolean openBatch;
    private boolean closed;

    NetworkBuild(TensorRtLog log) {
        this.log = log;
        opened.add((AutoCloseable) log::giveBack);
        try {
            builder = log.require("creating TensorRT's builder", () -> nvinfer.createInferBuilder(log));
            opened.add((AutoCloseable) builder::destroy);
            // Closed before the calibrator, which the settings hold.
            config = log.require("creating the builder's settings", builder::createBuilderConfig);
            opened.add((AutoCloseable) config::destroy);
            network = log.require("creating a network", () -> builder.createNetworkV2(EXPLICIT_BATCH));
            opened.add((AutoCloseable) network::destroy);
            parser = log.require("creating the ONNX parser", () -> nvonnxparser.createParser(network, log));
            opened.add((AutoCloseable) parser::destroy);
        } catch (RuntimeException | Error e) {
            opened.close();
            throw e;
        }
    }

    @Override
    public List<ParserError> parse(MemorySegment onnx) {
        boolean parsed =
                log.run(() -> parser.parse(CudaLibrary.Address.of(onnx), onnx.byteSize()));
        Reference.reachabilityFence(onnx);
        if (parsed) {
            return List.of();
        }
        List<ParserError> errors = new ArrayList<>();
        for (int i = 0; i < parser.getNbErrors(); i++) {
            IParserError error = parser.getError(i);
            String code = "k" + BindingEnums.name(error.code().intern().name(), error.code().value);
            errors.add(new ParserError(error.node(), code, error.desc()));
        }
        if (errors.isEmpty()) {
            throw log.failure("parsing the network");
        }
        return errors;
    }

    @Override
    public List<Layer> layers() {
        List<Layer> layers = new ArrayList<>();
        for (int i = 0; i < network.getNbLayers(); i++) {
            ILayer layer = network.getLayer(i);
            List<String> inputs = new ArrayList<>();
            for (int in = 0; in < layer.getNbInputs(); in++) {
                ITensor tensor = layer.getInput(in);
                if (tensor != null) {
                    inputs.add(tensor.getName());
                }
            }
            List<String> outputs = new ArrayList<>();
            boolean floating = true;
            for (int out = 0; out < layer.getNbOutputs(); out++) {
                ITensor tensor = layer.getOutput(out);
                outputs.add(tensor.getName());
                floating &= TensorTypes.isFloating(tensor.getType().intern()) && !tensor.isShapeTensor();
            }
            nvinfer.LayerType known = layer.getType().intern();
            String type = BindingEnums.name(known.name(), known.value);
            layers.add(new Layer(i, layer.getName(), type, inputs, outputs, floating));
        }
        return layers;
    }

    @Override
    public List<Port> ports() {
        List<Port> ports = new ArrayList<>();
        for (int i = 0; i < network.getNbInputs(); i++) {
            ports.add(port(network.getInput(i), true));
        }
        for (int i = 0; i < network.getNbOutputs(); i++) {
            ports.add(port(network.getOutput(i), false));
        }
        return ports;
    }

    private static Port port(ITensor tensor, boolean input) {
        nvinfer.DataType type = tensor.getType().intern();
        return new Port(tensor.getName(), input, TensorTypes.dims(tensor.getDimensions()), TensorTypes.bytes(type),
                type == nvinfer.DataType.kFLOAT);
    }

    @Override
    public int dlaCores() {
        return builder.getNbDLACores();
    }

    @Override
    public boolean isFast(Precision precision) {
        return switch (precision) {
            case FP32 -> true;
            case FP16 -> builder.platformHasFastFp16();
            case INT8 -> builder.platformHasFastInt8();
        };
    }

    @Override
    public void configure(Settings settings) {
        config.setMemoryPoolLimit(nvinfer.MemoryPoolType.kWORKSPACE, settings.workspaceBytes());
        if (settings.fp16()) {
            config.setFlag(nvinfer.BuilderFlag.kFP16);
        }
        if (settings.int8()) {
            config.setFlag(nvinfer.BuilderFlag.kINT8);
        }
        config.setFlag(nvinfer.BuilderFlag.kOBEY_PRECISION_CONSTRAINTS);
        if (settings.dlaCore() >= 0) {
            config.setDefaultDeviceType(nvinfer.DeviceType.kDLA);
            config.setDLACore(settings.dlaCore());
            config.setFlag(nvinfer.BuilderFlag.kGPU_FALLBACK);
        }
        config.setProfilingVerbosity(settings.detailed()
                ? nvinfer.ProfilingVerbosity.kDETAILED
                : nvinfer.ProfilingVerbosity.kLAYER_NAMES_ONLY);
        useTimings(settings.timingCache());
    }

    private void useTimings(byte[] bytes) {
        // One of another GPU or version is refused; then this build starts an empty one.
        if (bytes.length == 0 || !useTimingCache(bytes)) {
            useTimingCache(new byte[0]);
        }
    }

    private boolean useTimingCache(byte[] bytes) {
        try (BytePointer blob = bytes.length == 0 ? new BytePointer() : new BytePointer(bytes)) {
            ITimingCache cache = config.createTimingCache(blob, bytes.length);
            if (cache == null || cache.isNull()) {
                return false;
            }
            // TensorRT leaves it to its maker, who has no destroy() for it.
            opened.add((AutoCloseable) () -> CppDestructor.delete(cache.address()));
            return config.setTimingCache(cache, false);
        }
    }

    @Override
    public void require(int index, Precision precision) {
        nvinfer.DataType type =
                switch (precision) {
                    case FP32 -> nvinfer.DataType.kFLOAT;
                    case FP16 -> nvinfer.DataType.kHALF;
                    case INT8 -> nvinfer.DataType.kINT8;
                };
        ILayer layer = network.getLayer(index);
        layer.setPrecision(type);
        for (int i = 0; i < layer.getNbOutputs(); i++) {
            // What leaves the network keeps the type that it was declared with.
            if (!layer.getOutput(i).isNetworkOutput()) {
                layer.setOutputType(i, type);
            }
        }
    }

    @Override
    public boolean canRunOnDla(int layer) {
        return config.canRunOnDLA(network.getLayer(layer));
    }

    @Override
    public void batches(BatchProfile sizes) {
        openBatch = true;
        IOptimizationProfile profile = profile(sizes);
        log.requireDone("setting the sizes of the batch", () -> config.addOptimizationProfile(profile) >= 0);
    }

    private IOptimizationProfile profile(BatchProfile sizes) {
        IOptimizationProfile profile = log.require("creating a profile",
                builder::createOptimizationProfile);
        for (int i = 0; i < network.getNbInputs(); i++) {
            ITensor input = network.getInput(i);
            setBatch(profile, input, nvinfer.OptProfileSelector.kMIN, sizes.least());
            setBatch(profile, input, nvinfer.OptProfileSelector.kOPT, sizes.best());
            setBatch(profile, input, nvinfer.OptProfileSelector.kMAX, sizes.most());
        }
        log.requireDone("setting the sizes of the batch", profile::isValid);
        return profile;
    }

    private void setBatch(
            IOptimizationProfile profile, ITensor input, nvinfer.OptProfileSelector which, int images) {
        try (Dims32 dims = TensorTypes.withBatch(input.getDimensions(), images)) {
            log.requireDone("a batch of " + images + " for the input '" + input.getName() + "'",
                    () -> profile.setDimensions(input.getName(), which, dims));
        }
    }

    @Override
    public void calibrate(Calibration kind, int batch, CalibrationFeed feed) {
        if (openBatch) {
            IOptimizationProfile profile = profile(new BatchProfile(batch, batch, batch));
            log.requireDone("setting the batch of the calibration", () -> config.setCalibrationProfile(profile));
        }
        callbacks = new CalibrationCallbacks(feed);
        calibrator = Calibrators.of(kind, callbacks);
        config.setInt8Calibrator(calibrator);
    }

    @Override
    public byte[] serialize() {
        IHostMemory plan = log.run(() -> builder.buildSerializedNetwork(network, config));
        if (callbacks != null && callbacks.thrown() != null) {
            if (plan != null) {
                plan.destroy();
            }
            callbacks.rethrow();
        }
        if (plan == null || plan.isNull()) {
            throw log.failure("building the engine");
        }
        return bytesOf(plan);
    }

    @Override
    public void preferPrecisions() {
        config.clearFlag(nvinfer.BuilderFlag.kOBEY_PRECISION_CONSTRAINTS);
        config.setFlag(nvinfer.BuilderFlag.kPREFER_PRECISION_CONSTRAINTS);
    }

    @Override
    public byte[] timingCache() {
        ITimingCache filled = config.getTimingCache();
        if (filled == null || filled.isNull()) {
            return new byte[0];
        }
        IHostMemory bytes = filled.serialize();
        return bytes == null ? new byte[0] : bytesOf(bytes);
    }

    private static byte[] bytesOf(IHostMemory memory) {
        try {
            byte[] bytes = new byte[Math.toIntExact(memory.size())];
            MemorySegment.ofAddress(memory.data().address()).reinterpret(bytes.length).asByteBuffer().get(bytes);
            return bytes;
        } finally {
            memory.destroy();
        }
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            opened.close();
            if (calibrator != null) {
                calibrator.close();
            }
        }
    }
}
