package dev.shrike.jetson.engine;

import dev.shrike.DeviceException;
import dev.shrike.SourceException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.files.FileReplacement;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.binding.TensorRt;
import dev.shrike.jetson.binding.TensorRt.Build;
import dev.shrike.jetson.binding.TensorRt.Layer;
import dev.shrike.jetson.binding.TensorRt.ParserError;
import dev.shrike.jetson.binding.TensorRt.Port;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Builds engines: parse the network, fix the formats of its tail, find ranges, let TensorRT choose its kernels.
 *
 * <p>A build takes minutes and cannot be interrupted from within; stopping the process leaves nothing half-written.
 */
public final class TensorRtBuilder {
    private static final Logger LOG = System.getLogger(TensorRtBuilder.class.getName());
    private static final long LARGEST_WORKSPACE = 2L << 30;
    private static final long SMALLEST_WORKSPACE = 64L << 20;
    private static final int WARNING = 2;
    private static final int LARGEST_TIMINGS = 1 << 28;

    private final Gpu gpu;
    private final TensorRt tensorRt;
    private final EngineOptions options;
    private final BuildProgress progress;

    public TensorRtBuilder(Gpu gpu, TensorRt tensorRt, EngineOptions options, BuildProgress progress) {
        this.gpu = gpu;
        this.tensorRt = tensorRt;
        this.options = options;
        this.progress = progress;
    }

    /** What is to be built. */
    public EngineRecord record(NetworkSource network, List<Path> images) {
        EngineOptions.Precision precision = precision(network, images);
        boolean calibrated = isInt8(precision) && !network.quantized();
        requireDla(network, calibrated);
        Gpu.Device device = gpu.device();
        return new EngineRecord(Digests.of(network.onnx()), precision, calibrated ? options.calibration() : null,
                calibrated ? CalibrationImages.digest(images) : null, options.dlaCore(),
                network.batches().orElse(null),
                options.workspaceBytes(), options.detailed(), tensorRt.version(),
                device.model(), device.major() + "." + device.minor(), List.of(), 0);
    }

    /** What is known of DLAs before there is a builder to ask. */
    private void requireDla(NetworkSource network, boolean calibrated) {
        if (options.dlaCore() < 0) {
            return;
        }
        if (network.quantized()) {
            throw new UnsupportedModelException("a DLA takes no network that brings its own ranges: give the network"
                    + " before quantisation and images with -Dshrike.tensorrt.data, or leave -Dshrike.tensorrt.dla"
                    + " out");
        }
        if (calibrated && options.calibration() != TensorRt.Calibration.ENTROPY) {
            throw new SourceException("a DLA takes entropy calibration only: leave -Dshrike.tensorrt.calibration out");
        }
    }

    private EngineOptions.Precision precision(NetworkSource network, List<Path> images) {
        boolean ranges = network.quantized() || !images.isEmpty();
        return switch (options.precision()) {
            case AUTO -> ranges ? EngineOptions.Precision.BEST : EngineOptions.Precision.FP16;
            case INT8, BEST -> {
                if (!ranges) {
                    throw new SourceException("INT8 needs ranges: name a folder of images with"
                            + " -Dshrike.tensorrt.data, or give a model that 'shrike quantize' made");
                }
                yield options.precision();
            }
            case FP32, FP16 -> {
                if (network.quantized()) {
                    throw new UnsupportedModelException("a quantised network runs in INT8: leave -Dshrike.tensorrt"
                            + ".precision out, or give the network before quantisation");
                }
                yield options.precision();
            }
        };
    }

    private static boolean isInt8(EngineOptions.Precision precision) {
        return precision == EngineOptions.Precision.INT8 || precision == EngineOptions.Precision.BEST;
    }

    /**
     * The engine.
     *
     * @throws UnsupportedModelException if TensorRT cannot run the network; names the node
     * @throws DeviceException if the build failed; has TensorRT's words
     */
    public EngineFile build(NetworkSource network, List<Path> images, EngineRecord record) {
        long start = System.nanoTime();
        try (Arena arena = Arena.ofConfined(); Build build = tensorRt.build(this::log)) {
            MemorySegment onnx = arena.allocate(network.onnx().length, 64);
            MemorySegment.copy(MemorySegment.ofArray(network.onnx()), 0, onnx, 0, network.onnx().length);
            progress.stage("parsing the network");
            requireParsed(build.parse(onnx), network);
            requirePlatform(build, record);
            Path timings = timingsFile(record);
            build.configure(settings(record, readTimings(timings)));
            if (record.batches() != null) {
                build.batches(record.batches());
            }
            List<Layer> layers = build.layers();
            List<String> outputs = build.ports().stream().filter(port -> !port.input()).map(Port::name).toList();
            // Roundings of the network's own say what is INT8; there a format can only make a build fail.
            List<Integer> tail = isInt8(record.precision()) && !network.quantized()
                    ? NetworkTail.of(layers, outputs) : List.of();
            TensorRt.Precision real = record.precision() == EngineOptions.Precision.INT8
                    ? TensorRt.Precision.FP32 : TensorRt.Precision.FP16;
            tail.forEach(layer -> build.require(layer, real));
            List<String> onGpu = record.dlaCore() < 0 ? List.of() : notOnDla(build, layers);
            CalibrationCache calibration = CalibrationCache.of(options.cache(), record);
            byte[] plan = serialize(build, record, images, calibration, timings, !tail.isEmpty());
            EngineRecord built = record.built(onGpu, (System.nanoTime() - start) / 1e9);
            byte[] ranges = record.calibration() == null ? new byte[0] : calibration.read();
            return new EngineFile(built, MemorySegment.ofArray(network.onnx()), ranges, MemorySegment.ofArray(plan));
        }
    }

    private byte[] serialize(Build build, EngineRecord record, List<Path> images, CalibrationCache cache,
            Path timings, boolean pinned) {
        if (record.calibration() == null) {
            progress.stage("choosing kernels");
            return serialize(build, record, timings, () -> pinned);
        }
        Port input = build.ports().stream().filter(Port::input).findFirst().orElseThrow();
        if (record.batches() != null) {
            // Entropy calibration depends on the batch: the largest that is sure to be run often.
            input = input.withBatch(record.batches().best());
        }
        int batch = input.dims().isEmpty() ? 1 : input.dims().getFirst();
        try (CalibrationImages feed = new CalibrationImages(gpu, input, images)) {
            Feed calls = new Feed(feed, cache, images.size());
            build.calibrate(record.calibration(), batch, calls);
            return serialize(build, record, timings, () -> pinned && calls.restart());
        } finally {
            // TensorRT must not call into images that are closed.
            build.close();
        }
    }

    /** The engine; formats that keep it from being built are preferred only, if it may be tried again. */
    private byte[] serialize(Build build, EngineRecord record, Path timings, BooleanSupplier again) {
        byte[] plan;
        try {
            plan = build.serialize();
        } catch (DeviceException e) {
            if (gpu.lost().isPresent() || !again.getAsBoolean()) {
                throw withDlaAdvice(e, record);
            }
            LOG.log(Logger.Level.WARNING, "the engine is built once more, with the formats of the network's last layers"
                    + " preferred instead of required, so that they may run in INT8 and see less: " + e.getMessage());
            progress.stage("choosing kernels again");
            build.preferPrecisions();
            try {
                plan = build.serialize();
            } catch (DeviceException second) {
                throw withDlaAdvice(second, record);
            }
        }
        writeTimings(timings, build.timingCache());
        return plan;
    }

    private static DeviceException withDlaAdvice(DeviceException e, EngineRecord record) {
        return record.dlaCore() < 0 ? e : new DeviceException(e.getMessage() + "; this was for DLA " + record.dlaCore()
                + ": leave -Dshrike.tensorrt.dla out, or set it to -1, to run everything on the GPU", e);
    }

    private final class Feed implements TensorRt.CalibrationFeed {
        private final CalibrationImages images;
        private final CalibrationCache cache;
        private final int count;
        private boolean failed;

        Feed(CalibrationImages images, CalibrationCache cache, int count) {
            this.images = images;
            this.cache = cache;
            this.count = count;
        }

        /** Begins again, unless it is the images or the cache that failed. */
        boolean restart() {
            images.rewind();
            return !failed;
        }

        @Override
        public long next(String input) {
            failed = true;
            long address = images.next(input);
            failed = false;
            if (address == 0) {
                progress.stage("choosing kernels");
            } else {
                progress.calibrated(images.taken(), count);
            }
            return address;
        }

        @Override
        public byte[] cached() {
            failed = true;
            byte[] bytes = cache.read();
            failed = false;
            return bytes;
        }

        @Override
        public void keep(byte[] bytes) {
            failed = true;
            cache.write(bytes);
            failed = false;
        }
    }

    private void log(TensorRt.LogLine line) {
        progress.log(line);
        if (line.severity() <= WARNING) {
            LOG.log(Logger.Level.DEBUG, line.text());
        }
    }

    private static void requireParsed(List<ParserError> errors, NetworkSource network) {
        if (errors.isEmpty()) {
            return;
        }
        StringBuilder text = new StringBuilder("TensorRT cannot run this network");
        for (ParserError error : errors.subList(0, Math.min(3, errors.size()))) {
            text.append("; ").append(network.nodeName(error.node()).map(name -> "node '" + name + "': ").orElse(""))
                    .append(error.text().strip()).append(" (").append(error.code()).append(')');
        }
        throw new UnsupportedModelException(text.append(": use the engine 'cpu', or export the model again with a"
                + " lower opset").toString());
    }

    private static void requirePlatform(Build build, EngineRecord record) {
        if (record.dlaCore() >= build.dlaCores()) {
            throw new SourceException("DLA core " + record.dlaCore() + " was asked for, this device has "
                    + build.dlaCores() + ": leave -Dshrike.tensorrt.dla out");
        }
        if (record.dlaCore() >= 0 && record.precision() == EngineOptions.Precision.FP32) {
            throw new SourceException("a DLA runs FP16 and INT8 only: choose such a precision");
        }
        if (record.dlaCore() >= 0 && record.batches() != null) {
            throw new SourceException("a DLA runs batches of one size, not of " + record.batches().describe()
                    + ": ask for one, such as 8,8,8");
        }
        if (isInt8(record.precision()) && !build.isFast(TensorRt.Precision.INT8)) {
            LOG.log(Logger.Level.WARNING, record.gpu() + " has no fast INT8: FP16 would be as quick");
        }
    }

    private TensorRt.Settings settings(EngineRecord record, byte[] timings) {
        boolean int8 = isInt8(record.precision());
        boolean fp16 = record.precision() == EngineOptions.Precision.FP16
                || record.precision() == EngineOptions.Precision.BEST;
        return new TensorRt.Settings(workspace(), fp16, int8, record.dlaCore(), options.detailed(), timings);
    }

    /** On a Jetson, what the GPU takes the rest of the robot lacks: a quarter of what is free, at most 2 GiB. */
    private long workspace() {
        if (options.workspaceBytes() > 0) {
            return options.workspaceBytes();
        }
        return Math.clamp(gpu.freeBytes() / 4, SMALLEST_WORKSPACE, LARGEST_WORKSPACE);
    }

    private static List<String> notOnDla(Build build, List<Layer> layers) {
        List<String> names = new ArrayList<>();
        for (Layer layer : layers) {
            if (!layer.type().equals("CONSTANT") && !build.canRunOnDla(layer.index())) {
                names.add(layer.name() + " (" + layer.type() + ")");
            }
        }
        if (!names.isEmpty()) {
            LOG.log(Logger.Level.INFO, names.size() + " of " + layers.size() + " layers run on the GPU, not on the"
                    + " DLA: " + String.join(", ", names.subList(0, Math.min(8, names.size()))));
        }
        return names;
    }

    /** Timings hold for one GPU and version of TensorRT. */
    private Path timingsFile(EngineRecord record) {
        String key = Digests.of(record.tensorRt() + "\n" + record.gpu() + "\n" + record.compute());
        return options.cache().resolve("timings-" + key.substring(0, 16) + ".bin");
    }

    private static byte[] readTimings(Path file) {
        try {
            boolean usable = Files.isRegularFile(file) && Files.size(file) < LARGEST_TIMINGS;
            return usable ? Files.readAllBytes(file) : new byte[0];
        } catch (IOException e) {
            LOG.log(Logger.Level.WARNING, file + ": is not used: " + e);
            return new byte[0];
        }
    }

    private static void writeTimings(Path file, byte[] timings) {
        Optional<Path> folder = Optional.ofNullable(file.getParent()).filter(Files::isDirectory);
        if (timings.length > 0 && folder.isPresent()) {
            FileReplacement.write(file, stream -> stream.write(timings));
        }
    }
}
