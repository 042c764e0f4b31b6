package dev.shrike.jetson;

import dev.shrike.DeviceException;
import dev.shrike.Frame;
import dev.shrike.ShrikeException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.jetson.TensorRt.Port;
import dev.shrike.spi.Binding;
import dev.shrike.spi.GraphExecutor;
import dev.shrike.spi.StepTime;
import java.lang.System.Logger;
import java.util.ArrayList;
import java.util.List;

/**
 * Runs an engine: page-locked buffers, one stream, the engine's launches recorded once as a CUDA graph. A frame's
 * letterbox runs on the GPU if its kernel compiles here.
 */
final class TensorRtExecutor implements GraphExecutor {
    private static final Logger LOG = System.getLogger(TensorRtExecutor.class.getName());
    private static final int CHANNELS = 3;

    private final String description;
    private final List<AutoCloseable> owned = new ArrayList<>();
    private final Gpu.Stream stream;
    private final SharedEngine shared;
    private final TensorRt.Context context;
    private final List<Port> ports;
    private final Gpu.HostMemory[] host;
    private final Gpu.DeviceMemory[] device;
    private final List<Binding> inputs = new ArrayList<>();
    private final List<Binding> outputs = new ArrayList<>();
    private final Gpu.Event[] marks = new Gpu.Event[4];
    private final long bytes;
    private GpuLetterbox letterbox;
    private Gpu.Recording recording;
    private boolean frameOnDevice;
    private boolean failed;
    private boolean ran;
    private boolean closed;

    private TensorRtExecutor(Gpu gpu, TensorRt tensorRt, EngineFile file) {
        this.description = "TensorRT " + tensorRt.version() + " " + file.record().precision() + ", "
                + gpu.device().describe() + (file.record().dlaCore() < 0 ? "" : ", DLA " + file.record().dlaCore());
        try {
            this.shared = own(SharedEngine.of(tensorRt, file));
            this.stream = own(gpu.stream());
            this.context = own(shared.engine().context());
            this.ports = shared.engine().ports();
            this.host = new Gpu.HostMemory[ports.size()];
            this.device = new Gpu.DeviceMemory[ports.size()];
            long total = shared.engine().contextBytes();
            for (int i = 0; i < ports.size(); i++) {
                Port port = ports.get(i);
                host[i] = own(gpu.allocateHost(port.bytes()));
                device[i] = own(gpu.allocate(port.bytes()));
                (port.input() ? inputs : outputs).add(Ports.binding(port, host[i].segment()));
                total += 2 * port.bytes();
            }
            this.bytes = total;
            for (int i = 0; i < marks.length; i++) {
                marks[i] = own(gpu.event());
            }
            this.letterbox = openLetterbox(gpu);
            record();
        } catch (RuntimeException | Error e) {
            release();
            throw e;
        }
    }

    /** An executor of an engine. Whatever was set up is released if this fails half-way. */
    static TensorRtExecutor open(Gpu gpu, TensorRt tensorRt, EngineFile file) {
        return new TensorRtExecutor(gpu, tensorRt, file);
    }

    private <T extends AutoCloseable> T own(T resource) {
        owned.add(resource);
        return resource;
    }

    private GpuLetterbox openLetterbox(Gpu gpu) {
        int index = pictureInput();
        if (index < 0) {
            return null;
        }
        try {
            List<Integer> dims = ports.get(index).dims();
            return own(new GpuLetterbox(gpu, device[index], dims.get(3), dims.get(2)));
        } catch (ShrikeException e) {
            LOG.log(Logger.Level.WARNING, "pictures are resized on the CPU: " + e.getMessage());
            return null;
        }
    }

    /** The only input, if it is one picture; else -1. */
    private int pictureInput() {
        int found = -1;
        for (int i = 0; i < ports.size(); i++) {
            if (ports.get(i).input()) {
                List<Integer> dims = ports.get(i).dims();
                if (found >= 0 || dims.size() != 4 || dims.get(0) != 1 || dims.get(1) != CHANNELS) {
                    return -1;
                }
                found = i;
            }
        }
        return found;
    }

    /** Some engines cannot be recorded (DLA, or layers that synchronise); those are submitted launch by launch. */
    private void record() {
        // The first run of a context may allocate, which a recording must not.
        context.enqueue(device, stream);
        stream.synchronize();
        try {
            recording = own(stream.record(() -> context.enqueue(device, stream)));
        } catch (DeviceException e) {
            LOG.log(Logger.Level.DEBUG, "the engine runs without a CUDA graph: " + e.getMessage());
        }
    }

    @Override
    public String description() {
        return description;
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
    public boolean accept(Frame frame) {
        requireUsable();
        if (letterbox == null) {
            return false;
        }
        stream.record(marks[0]);
        letterbox.apply(frame, stream);
        frameOnDevice = true;
        return true;
    }

    @Override
    public void run() {
        requireUsable();
        try {
            if (!frameOnDevice) {
                stream.record(marks[0]);
                for (int i = 0; i < ports.size(); i++) {
                    if (ports.get(i).input()) {
                        stream.copyIn(host[i], device[i], ports.get(i).bytes());
                    }
                }
            }
            frameOnDevice = false;
            stream.record(marks[1]);
            if (recording != null) {
                stream.submit(recording);
            } else {
                context.enqueue(device, stream);
            }
            stream.record(marks[2]);
            for (int i = 0; i < ports.size(); i++) {
                if (!ports.get(i).input()) {
                    stream.copyOut(device[i], host[i], ports.get(i).bytes());
                }
            }
            stream.record(marks[3]);
            stream.synchronize();
            ran = true;
        } catch (DeviceException e) {
            // After most CUDA errors nothing on this context can be trusted any more.
            failed = true;
            throw new DeviceException(e.getMessage() + "; open the detector again", e);
        }
    }

    private void requireUsable() {
        if (closed) {
            throw new IllegalStateException("the executor was closed");
        }
        if (failed) {
            throw new DeviceException("an earlier run failed on the GPU: open the detector again");
        }
    }

    @Override
    public List<StepTime> times() {
        if (!ran) {
            return List.of();
        }
        String[] names = {"input", "network", "output"};
        List<StepTime> times = new ArrayList<>();
        for (int i = 0; i < names.length; i++) {
            long nanos = (long) (marks[i + 1].millisecondsSince(marks[i]) * 1e6);
            times.add(new StepTime(names[i], i == 1 ? description : "copy", nanos, 0));
        }
        return times;
    }

    @Override
    public long nativeBytes() {
        return bytes;
    }

    private void release() {
        for (AutoCloseable resource : owned.reversed()) {
            try {
                resource.close();
            } catch (Exception e) {
                LOG.log(Logger.Level.WARNING, "while closing: " + e.getMessage());
            }
        }
        owned.clear();
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            release();
        }
    }

    static void requireNoTaps(java.util.Set<String> taps) {
        if (!taps.isEmpty()) {
            throw new UnsupportedModelException(
                    "TensorRT fuses inner values away, so " + taps + " cannot be read; use the engine 'cpu'");
        }
    }
}
