package dev.shrike.jetson;

import dev.shrike.DeviceException;
import dev.shrike.files.Interrupts;
import dev.shrike.spi.BatchProfile;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.tensorrt.global.nvinfer;
import org.bytedeco.tensorrt.global.nvonnxparser;
import org.bytedeco.tensorrt.nvinfer.Dims32;
import org.bytedeco.tensorrt.nvinfer.IBuilder;
import org.bytedeco.tensorrt.nvinfer.IBuilderConfig;
import org.bytedeco.tensorrt.nvinfer.ICudaEngine;
import org.bytedeco.tensorrt.nvinfer.IEngineInspector;
import org.bytedeco.tensorrt.nvinfer.IExecutionContext;
import org.bytedeco.tensorrt.nvinfer.IHostMemory;
import org.bytedeco.tensorrt.nvinfer.IInt8Calibrator;
import org.bytedeco.tensorrt.nvinfer.IInt8EntropyCalibrator2;
import org.bytedeco.tensorrt.nvinfer.IInt8MinMaxCalibrator;
import org.bytedeco.tensorrt.nvinfer.ILayer;
import org.bytedeco.tensorrt.nvinfer.ILogger;
import org.bytedeco.tensorrt.nvinfer.INetworkDefinition;
import org.bytedeco.tensorrt.nvinfer.IOptimizationProfile;
import org.bytedeco.tensorrt.nvinfer.IRuntime;
import org.bytedeco.tensorrt.nvinfer.ITensor;
import org.bytedeco.tensorrt.nvinfer.ITimingCache;
import org.bytedeco.tensorrt.nvonnxparser.IParser;
import org.bytedeco.tensorrt.nvonnxparser.IParserError;

/**
 * TensorRT 8.4 to 8.6 through JavaCPP's binding of 8.4. The binding reaches the library through virtual tables, to
 * which 8.5 and 8.6 only append, and seven functions that all of them have.
 */
@SuppressWarnings({"deprecation", "rawtypes"}) // destroy(), the way to free in 8.4; the signatures of the binding
final class TensorRtLibrary implements TensorRt {
    private static final int EXPLICIT_BATCH =
            1 << nvinfer.NetworkDefinitionCreationFlag.kEXPLICIT_BATCH.value;

    /** What calibrators call the size of a batch: one tensor of the network's input, whose dims hold the batch. */
    private static final int EXPLICIT_BATCHES = 1;

    private TensorRtLibrary() {}

    /**
     * The loaded library. Nothing of the GPU is touched.
     *
     * @throws dev.shrike.BackendUnavailableException if a library is missing; says what adds it
     */
    static TensorRtLibrary open() {
        try {
            Interrupts.shield(() -> Loader.load(nvinfer.class));
            Interrupts.shield(() -> Loader.load(nvonnxparser.class));
            return new TensorRtLibrary();
        } catch (LinkageError | RuntimeException e) {
            throw MissingLibraries.explain("TensorRT", e);
        }
    }

    @Override
    public String version() {
        int version = nvinfer.getInferLibVersion();
        return version / 1000 + "." + version % 1000 / 100 + "." + version % 100;
    }

    @Override
    public Build build(Consumer<LogLine> log) {
        return new NetworkBuild(Log.to(log));
    }

    @Override
    public Engine load(MemorySegment plan, int dlaCore) {
        return new LoadedEngine(plan, dlaCore);
    }

    /**
     * Takes TensorRT's log. TensorRT may keep the first one it was given for as long as the process lives, whatever was
     * made with it: so they are never freed, but used again.
     */
    private static final class Log extends ILogger {
        private static final ReusedObjects<Log> ALL = new ReusedObjects<>(Log::new);

        private final MessageLog messages = new MessageLog();

        private Log() {}

        /** One that tells the sink until it is given back. */
        static Log to(Consumer<LogLine> sink) {
            Log log = ALL.take();
            log.messages.tell(sink);
            return log;
        }

        void giveBack() {
            messages.tell(_ -> {});
            ALL.giveBack(this);
        }

        @Override
        public void log(Severity severity, String text) {
            messages.message(severity.value, text);
        }

        DeviceException failure(String what) {
            return messages.failure(what);
        }

        /** What an operation of TensorRT gives, which must be something. */
        <T extends Pointer> T require(String what, Supplier<T> operation) {
            T made = messages.run(operation);
            if (made == null || made.isNull()) {
                throw failure(what);
            }
            return made;
        }

        /** For an operation that says whether it succeeded. */
        void requireDone(String what, BooleanSupplier operation) {
            if (!messages.run(operation::getAsBoolean)) {
                throw failure(what);
            }
        }
    }

    private static List<Integer> dims(Dims32 dims) {
        List<Integer> list = new ArrayList<>();
        for (int i = 0; i < dims.nbDims(); i++) {
            list.add(dims.d(i));
        }
        return list;
    }

    /** The same dimensions with another first one; the caller closes them. */
    static Dims32 withBatch(Dims32 dims, int images) {
        Dims32 sizes = new Dims32();
        sizes.nbDims(dims.nbDims());
        for (int i = 0; i < dims.nbDims(); i++) {
            sizes.d(i, i == 0 ? images : dims.d(i));
        }
        return sizes;
    }

    private static boolean isFloating(nvinfer.DataType type) {
        return type == nvinfer.DataType.kFLOAT || type == nvinfer.DataType.kHALF;
    }

    private static int bytes(nvinfer.DataType type) {
        return BindingEnums.bytes(type.value);
    }

    private static final class NetworkBuild implements Build {
        private final CloseStack opened = new CloseStack();
        private final Log log;
        private final IBuilder builder;
        private final INetworkDefinition network;
        private final IBuilderConfig config;
        private final IParser parser;
        /** Kept from the garbage collector as long as C++ may call it. */
        private IInt8Calibrator calibrator;
        private Callbacks callbacks;
        private boolean openBatch;
        private boolean closed;

        NetworkBuild(Log log) {
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
                    log.messages.run(() -> parser.parse(CudaLibrary.Address.of(onnx), onnx.byteSize()));
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
                    floating &= isFloating(tensor.getType().intern()) && !tensor.isShapeTensor();
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
            return new Port(tensor.getName(), input, dims(tensor.getDimensions()), bytes(type),
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
            try (Dims32 dims = withBatch(input.getDimensions(), images)) {
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
            callbacks = new Callbacks(feed);
            calibrator = calibrator(kind, callbacks);
            config.setInt8Calibrator(calibrator);
        }

        @Override
        public byte[] serialize() {
            IHostMemory plan = log.messages.run(() -> builder.buildSerializedNetwork(network, config));
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

    /** What both calibrators do when C++ calls. After an exception it is as if there were no more images. */
    static final class Callbacks {
        private final CalibrationFeed feed;
        private final Upcalls upcalls = new Upcalls();
        private BytePointer cache;

        Callbacks(CalibrationFeed feed) {
            this.feed = feed;
        }

        /** What a feed threw, or null. */
        Throwable thrown() {
            return upcalls.thrown();
        }

        void rethrow() {
            upcalls.rethrow();
        }

        private boolean next(PointerPointer<?> bindings, PointerPointer<?> names, int count) {
            return upcalls.attempt(() -> {
                if (count != 1) {
                    throw new DeviceException("the network has " + count + " inputs");
                }
                long address = feed.next(names.getString(0));
                if (address != 0) {
                    bindings.put(0, new CudaLibrary.Address(address));
                }
                return address != 0;
            }, false);
        }

        private Pointer cached(LongPointer length) {
            byte[] bytes = upcalls.attempt(feed::cached, new byte[0]);
            return upcalls.attempt(() -> {
                length.put(bytes.length);
                cache = bytes.length == 0 ? null : new BytePointer(bytes);
                return cache;
            }, null);
        }

        private void keep(Pointer bytes, long length) {
            upcalls.attempt(() -> {
                byte[] copy = new byte[Math.toIntExact(length)];
                MemorySegment.ofAddress(bytes.address()).reinterpret(length).asByteBuffer().get(copy);
                feed.keep(copy);
                return true;
            }, false);
        }
    }

    static IInt8Calibrator calibrator(Calibration kind, Callbacks callbacks) {
        return switch (kind) {
            case ENTROPY -> new EntropyCalibrator(callbacks);
            case MINMAX -> new MinMaxCalibrator(callbacks);
        };
    }

    /** Called by TensorRT through its virtual table. */
    private static final class EntropyCalibrator extends IInt8EntropyCalibrator2 {
        private final Callbacks callbacks;

        private EntropyCalibrator(Callbacks callbacks) {
            this.callbacks = callbacks;
        }

        @Override
        public int getBatchSize() {
            return EXPLICIT_BATCHES;
        }

        @Override
        public boolean getBatch(PointerPointer bindings, PointerPointer names, int count) {
            return callbacks.next(bindings, names, count);
        }

        @Override
        public Pointer readCalibrationCache(LongPointer length) {
            return callbacks.cached(length);
        }

        @Override
        public void writeCalibrationCache(Pointer bytes, long length) {
            callbacks.keep(bytes, length);
        }
    }

    /** Called by TensorRT through its virtual table. */
    private static final class MinMaxCalibrator extends IInt8MinMaxCalibrator {
        private final Callbacks callbacks;

        private MinMaxCalibrator(Callbacks callbacks) {
            this.callbacks = callbacks;
        }

        @Override
        public int getBatchSize() {
            return EXPLICIT_BATCHES;
        }

        @Override
        public boolean getBatch(PointerPointer bindings, PointerPointer names, int count) {
            return callbacks.next(bindings, names, count);
        }

        @Override
        public Pointer readCalibrationCache(LongPointer length) {
            return callbacks.cached(length);
        }

        @Override
        public void writeCalibrationCache(Pointer bytes, long length) {
            callbacks.keep(bytes, length);
        }
    }

    private static final class LoadedEngine implements Engine {
        private final CloseStack opened = new CloseStack();
        private final Log log = Log.to(_ -> {});
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
                        dims(engine.getBindingDimensions(i)), bytes(type), type == nvinfer.DataType.kFLOAT);
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

    private static final class EngineContext implements Context {
        private final Log log;
        private final IExecutionContext context;
        private final List<Port> ports;
        private PointerPointer<Pointer> addresses;
        private Gpu.DeviceMemory[] bound;
        private boolean closed;

        EngineContext(Log log, IExecutionContext context, List<Port> ports) {
            this.log = log;
            this.context = context;
            this.ports = List.copyOf(ports);
        }

        @Override
        public void batch(int images) {
            for (int i = 0; i < ports.size(); i++) {
                if (ports.get(i).input()) {
                    try (Dims32 dims = withBatch(context.getBindingDimensions(i), images)) {
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
}
