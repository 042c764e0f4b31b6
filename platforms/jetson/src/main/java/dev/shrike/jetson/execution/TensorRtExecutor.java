package dev.shrike.jetson.execution;

import dev.shrike.DeviceException;
import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import dev.shrike.UnsupportedModelException;
import dev.shrike.jetson.binding.CloseStack;
import dev.shrike.jetson.binding.Gpu;
import dev.shrike.jetson.binding.TensorRt;
import dev.shrike.jetson.binding.TensorRt.Port;
import dev.shrike.jetson.engine.EngineFile;
import dev.shrike.jetson.engine.Ports;
import dev.shrike.jetson.kernels.GpuCandidates;
import dev.shrike.jetson.kernels.GpuFrames;
import dev.shrike.spi.Binding;
import dev.shrike.spi.CandidateExecutor;
import dev.shrike.spi.CandidateQuery;
import dev.shrike.spi.CandidateSink;
import dev.shrike.spi.LetterboxParams;
import dev.shrike.spi.StepTime;
import dev.shrike.spi.UseGuard;
import java.lang.System.Logger;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Runs an engine: page-locked buffers, one stream, the engine's launches in one ({@link EngineRun}). Letterboxes of
 * frames run on the GPU if their kernel compiles here, and so does finding the candidates if that is quicker.
 */
public final class TensorRtExecutor implements CandidateExecutor {
    private static final Logger LOG = System.getLogger(TensorRtExecutor.class.getName());

    /** What the log says before the numbers of layers by format, of detailed engines. */
    public static final String FORMATS = "layers by format: ";

    private final String device;
    private final Gpu gpu;
    private final DecodeChoice choice;
    private final CloseStack opened = new CloseStack();
    private final Gpu.Stream stream;
    private final SharedEngine shared;
    private final EngineRun engine;
    private final List<Port> ports;
    private final Gpu.HostMemory[] host;
    private final Gpu.DeviceMemory[] memory;
    private final List<Binding> inputs = new ArrayList<>();
    private final List<Binding> outputs = new ArrayList<>();
    private final CudaEventTimer marks;
    private final GpuFrames frames;
    private long bytes;
    private GpuCandidates candidates;
    private String decodes = "";
    /** Images of the largest run, and of the last one. */
    private final int room;
    private int images;
    private boolean framesOnDevice;
    private boolean outputsHere;
    private boolean failed;
    private boolean ran;
    private final UseGuard guard = new UseGuard("executor");

    /**
     * An executor of an engine. Whatever was set up is released if this fails half-way.
     *
     * @param choice decides where candidates are found
     */
    public TensorRtExecutor(Gpu gpu, TensorRt tensorRt, EngineFile file, DecodeChoice choice) {
        this.device = "TensorRT " + tensorRt.version() + " " + file.record().precision() + ", "
                + gpu.device().describe() + (file.record().dlaCore() < 0 ? "" : ", DLA " + file.record().dlaCore());
        this.gpu = gpu;
        this.choice = choice;
        try {
            this.shared = opened.add(SharedEngine.of(tensorRt, file));
            this.stream = opened.add(gpu.stream());
            TensorRt.Context context = opened.add(shared.engine().context());
            this.ports = shared.engine().ports();
            this.host = new Gpu.HostMemory[ports.size()];
            this.memory = new Gpu.DeviceMemory[ports.size()];
            this.bytes = shared.engine().contextBytes();
            for (int i = 0; i < ports.size(); i++) {
                Port port = ports.get(i);
                host[i] = opened.add(gpu.allocateHost(port.bytes()));
                memory[i] = opened.add(gpu.allocate(port.bytes()));
                (port.input() ? inputs : outputs).add(Ports.binding(port, host[i].segment()));
                bytes += 2 * port.bytes();
            }
            this.marks = opened.add(new CudaEventTimer(gpu));
            this.frames = opened.add(GpuFrames.open(gpu, ports, memory));
            this.engine = opened.add(new EngineRun(context, shared.engine().batches(), memory, stream));
            this.room =
                    inputs.isEmpty() || inputs.getFirst().dims().isEmpty() ? 1 : inputs.getFirst().dims().getFirst();
            warmUp();
            if (file.record().detailed()) {
                LOG.log(Logger.Level.DEBUG, FORMATS + LayerFormats.count(shared.engine().layersAsJson()));
            }
        } catch (RuntimeException | Error e) {
            release();
            throw e;
        }
    }

    /** What was submitted may still use what is to be closed. */
    private void release() {
        settle();
        opened.close();
    }

    /** Waits for what an action that failed had submitted before. */
    private void settle() {
        if (stream != null) {
            try {
                stream.synchronize();
            } catch (DeviceException e) {
                LOG.log(Logger.Level.DEBUG, "what was submitted failed: " + e.getMessage());
            }
        }
    }

    /** With black images, so that the outputs are those of an image, not of what lay in memory. */
    private void warmUp() {
        copyInputs(room);
        engine.submit(room);
        stream.synchronize();
        engine.record();
    }

    @Override
    public String description() {
        return device + decodes;
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
    public boolean pick(CandidateQuery query, Runnable onHost) {
        return guarded(() -> choosePicking(query, onHost));
    }

    private boolean choosePicking(CandidateQuery query, Runnable onHost) {
        if (!decodes.isEmpty()) {
            throw new IllegalStateException("the executor was asked to pick before");
        }
        int index = output(query.output());
        int batch = ports.get(index).dims().getFirst();
        Runnable decode = () -> {
            copyOutputs(room);
            stream.synchronize();
            onHost.run();
        };
        candidates = choice.choose(() -> new GpuCandidates(gpu, query, memory[index], batch, choice.capacity()),
                tried -> tryPicking(tried, decode), decode);
        if (candidates != null) {
            opened.add(candidates);
            bytes += candidates.bytes();
        }
        decodes = ", decoding on the " + (candidates == null ? "CPU" : "GPU");
        return candidates != null;
    }

    /** On the outputs of the black images of {@link #warmUp}; what the GPU leaves over costs the other way too. */
    private void tryPicking(GpuCandidates tried, Runnable decode) {
        boolean complete = true;
        try {
            tried.submit(stream, tried.images());
            stream.synchronize();
            for (int i = 0; i < tried.images(); i++) {
                complete &= tried.read(i, (_, _, _, _, _, _) -> {}, stream);
            }
        } catch (DeviceException e) {
            // Whoever hears of it closes what was tried.
            settle();
            throw e;
        }
        if (!complete) {
            decode.run();
        }
    }

    private int output(String name) {
        for (int i = 0; i < ports.size(); i++) {
            if (!ports.get(i).input() && ports.get(i).name().equals(name)) {
                return i;
            }
        }
        throw new IllegalArgumentException("the engine has no output '" + name + "'");
    }

    @Override
    public boolean candidates(int image, CandidateSink sink) {
        return guarded(() -> {
            if (candidates == null || !ran) {
                throw new IllegalStateException(ran ? "the executor does not pick" : "nothing has run");
            }
            Objects.checkIndex(image, images);
            return readCandidates(image, sink);
        });
    }

    private boolean readCandidates(int image, CandidateSink sink) {
        return onDevice(() -> {
            if (candidates.read(image, sink, stream)) {
                return true;
            }
            if (!outputsHere) {
                copyOutputs(images);
                stream.synchronize();
                outputsHere = true;
            }
            return false;
        });
    }

    @Override
    public boolean accept(Frame frame, LetterboxParams how, int image) {
        return guarded(() -> put(frame, how, image));
    }

    private boolean put(Frame frame, LetterboxParams how, int image) {
        if (frames.count() == 0 || frame.format() == PixelFormat.MJPEG) {
            return false;
        }
        if (!frame.pixels().scope().isAlive()) {
            throw new IllegalStateException("the memory of the frame was freed");
        }
        if (!framesOnDevice) {
            marks.before(0, stream);
        }
        frames.put(frame, how, image, stream);
        framesOnDevice = true;
        return true;
    }

    @Override
    public void run() {
        runImages(room);
    }

    @Override
    public void run(int count) {
        if (count < 1 || count > room) {
            throw new IllegalArgumentException("a run of " + count + " images in a batch of " + room);
        }
        runImages(shared.engine().batches().isPresent() ? count : room);
    }

    private void runImages(int count) {
        guarded(() -> onDevice(() -> submit(count)));
    }

    private boolean submit(int count) {
        images = count;
        if (!framesOnDevice) {
            marks.before(0, stream);
            copyInputs(count);
        }
        framesOnDevice = false;
        marks.before(1, stream);
        engine.submit(count);
        marks.before(2, stream);
        outputsHere = candidates == null;
        if (outputsHere) {
            copyOutputs(count);
        } else {
            candidates.submit(stream, count);
        }
        marks.before(3, stream);
        stream.synchronize();
        marks.done();
        ran = true;
        return true;
    }

    private void copyInputs(int count) {
        for (int i = 0; i < ports.size(); i++) {
            if (ports.get(i).input()) {
                stream.copyIn(host[i], memory[i], bytes(ports.get(i), count));
            }
        }
    }

    private void copyOutputs(int count) {
        for (int i = 0; i < ports.size(); i++) {
            if (!ports.get(i).input()) {
                stream.copyOut(memory[i], host[i], bytes(ports.get(i), count));
            }
        }
    }

    /** Bytes of the first images; of an engine of a fixed batch there are always all. */
    private long bytes(Port port, int count) {
        return count == room ? port.bytes() : port.bytes() / room * count;
    }

    private boolean onDevice(BooleanSupplier work) {
        try {
            return work.getAsBoolean();
        } catch (DeviceException e) {
            failed = true;
            // TensorRT says nothing of the device's own error, which comes to light here.
            settle();
            throw new DeviceException(e.getMessage() + advice(e.getMessage()), e);
        }
    }

    /** One use of the executor: not beside another, not after close, not after a failure. */
    private <T> T guarded(Supplier<T> use) {
        guard.enter();
        try {
            if (failed) {
                throw new DeviceException("an earlier run failed on the GPU" + advice(""));
            }
            return use.get();
        } finally {
            guard.exit();
        }
    }

    private String advice(String said) {
        return gpu.lost().map(why -> said.contains("restart the process") ? ""
                : "; restart the process, which has lost the GPU: " + why).orElse("; open the detector again");
    }

    @Override
    public List<StepTime> times() {
        return guarded(() -> marks.times("copy", device, candidates == null ? "copy" : "candidates"));
    }

    @Override
    public long nativeBytes() {
        return bytes;
    }

    @Override
    public void close() {
        guard.close(this::release);
    }

    public static void requireNoTaps(Set<String> taps) {
        if (!taps.isEmpty()) {
            throw new UnsupportedModelException(
                    "TensorRT fuses inner values away, so " + taps + " cannot be read; use the engine 'cpu'");
        }
    }
}
