package dev.shrike.cpu;

import dev.shrike.UnsupportedModelException;
import java.lang.System.Logger;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import org.bytedeco.javacpp.Loader;

/**
 * Makes the step of a float convolution: by libshrike, or by oneDNN where that is present and suits the layer.
 *
 * <p>oneDNN 2.7 takes dense tensors only, and its OpenMP threads spin for milliseconds after each call, on cores that
 * our own workers need. So it is chosen for dense layers of single-threaded plans where its kernels are ahead, and
 * libshrike's kernels run the rest.
 */
final class ConvolutionFactory implements AutoCloseable {
    private static final Logger LOG = System.getLogger(ConvolutionFactory.class.getName());

    private final NativeLibrary library;
    private final long context;
    private final CpuSettings.Convolution choice;
    private final int threads;
    private OneDnn oneDnn;
    private Acl acl;
    private int oneDnnSteps;
    private int aclSteps;
    private int nativeSteps;

    ConvolutionFactory(NativeLibrary library, long context, int threads, CpuSettings settings) {
        this.library = library;
        this.context = context;
        this.threads = threads;
        this.choice = settings.convolution();
        // Loading it costs time and memory, so a plan that would never ask it goes without.
        this.oneDnn = mayUseOneDnn() ? openOneDnn() : null;
        this.acl = choice == CpuSettings.Convolution.ACL ? openAcl() : null;
    }

    private Acl openAcl() {
        try {
            return new Acl(library, context, threads);
        } catch (RuntimeException e) {
            LOG.log(Logger.Level.WARNING, "ARM Compute Library is not used: " + e.getMessage(), e);
            return null;
        }
    }

    private OneDnn openOneDnn() {
        if (!NativeLoader.platform().equals("linux-x86_64")) {
            return null;
        }
        try {
            // See OpenCvLibrary: OpenCV may be loading in another thread.
            synchronized (Loader.class) {
                return new OneDnn(threads);
            }
        } catch (LinkageError | RuntimeException e) {
            // The engine is whole without it; whoever asked for it by name is told.
            Logger.Level level =
                    choice == CpuSettings.Convolution.ONEDNN ? Logger.Level.WARNING : Logger.Level.DEBUG;
            LOG.log(level, "oneDNN is not used: " + e.getMessage() + "; add org.bytedeco:dnnl and org.bytedeco:opencl"
                    + " with the classifier linux-x86_64", e);
            return null;
        }
    }

    /** The step for a convolution. */
    Step create(ConvTask task, PlanBuilder plan, Arena arena) {
        if (oneDnn != null && prefersOneDnn(task)) {
            Optional<Step> step = oneDnn.convolution(task, plan::storageAddress);
            if (step.isPresent()) {
                oneDnnSteps++;
                return step.get();
            }
        }
        if (acl != null) {
            Optional<Step> step = acl.convolution(task, plan::storageAddress);
            if (step.isPresent()) {
                aclSteps++;
                return step.get();
            }
        }
        nativeSteps++;
        return nativeStep(task, plan, arena);
    }

    private boolean prefersOneDnn(ConvTask task) {
        return choice == CpuSettings.Convolution.ONEDNN || task.group() == 1;
    }

    private boolean mayUseOneDnn() {
        return switch (choice) {
            case NATIVE, ACL -> false;
            case ONEDNN -> true;
            case AUTO -> threads == 1;
        };
    }

    private Step nativeStep(ConvTask task, PlanBuilder plan, Arena arena) {
        Params.Writer params = Params.CONV2D.allocate(arena);
        params.set("src", plan.address(task.source()))
                .set("dst", plan.address(task.target()));
        task.describeTo(params);
        if (task.residual() != null) {
            params.set("residual", plan.address(task.residual())).setImage("residual", task.residual());
        }
        MemorySegment packed = plan.allocate(packedBytes(task, params));
        try (Arena temporary = Arena.ofConfined()) {
            float[] values = task.weights().toFloats();
            MemorySegment weights = temporary.allocate(4L * values.length, 64);
            MemorySegment.copy(MemorySegment.ofArray(values), 0, weights, 0, 4L * values.length);
            library.pack(params.memory(), weights, packed);
        }
        params.set("weights", packed.address());
        if (task.bias() != null) {
            float[] values = task.bias().toFloats();
            MemorySegment bias = plan.allocate(4L * values.length);
            MemorySegment.copy(MemorySegment.ofArray(values), 0, bias, 0, 4L * values.length);
            params.set("bias", bias.address());
        }
        String kernel = library.kernel(context, params.memory())
                .orElseThrow(() -> new UnsupportedModelException(
                        "node '" + task.node() + "': no kernel for the convolution " + task.describe()));
        return new NativeStep(task.node(), kernel + " " + task.describe(), task.macs(), library, library.conv2d(),
                context, params.memory().address());
    }

    private long packedBytes(ConvTask task, Params.Writer params) {
        long floats = library.packedSize(params.memory());
        if (floats < 0) {
            throw new UnsupportedModelException(
                    "node '" + task.node() + "': no kernel for the convolution " + task.describe());
        }
        return 4 * Math.max(1, floats);
    }

    /** Bytes of native memory held outside the plan's arena. */
    long bytes() {
        return (oneDnn == null ? 0 : oneDnn.bytes()) + (acl == null ? 0 : acl.bytes());
    }

    /** What runs the convolutions, for people. */
    String description() {
        String ours = "libshrike " + library.versionText();
        return ours + (oneDnnSteps == 0 ? "" : " + oneDNN " + oneDnn.version())
                + (aclSteps == 0 ? "" : " + " + acl.description());
    }

    /** Called before each run. */
    void beforeRun() {
        if (oneDnnSteps > 0) {
            oneDnn.useThreads();
        }
    }

    @Override
    public void close() {
        if (oneDnn != null) {
            oneDnn.close();
        }
        if (acl != null) {
            acl.close();
        }
    }
}
