package dev.shrike.cpu.plan;

import dev.shrike.UnsupportedModelException;
import dev.shrike.cpu.binding.CpuFeatures;
import dev.shrike.cpu.binding.NativeLibrary;
import dev.shrike.cpu.binding.NativeLoader;
import dev.shrike.cpu.binding.Params;
import dev.shrike.cpu.lowering.QuantizedConv;
import dev.shrike.cpu.steps.ConvKernel;
import dev.shrike.cpu.steps.ConvLayer;
import dev.shrike.cpu.steps.ConvTask;
import dev.shrike.cpu.steps.ConvolutionLibrary;
import dev.shrike.cpu.steps.KernelChoice;
import dev.shrike.cpu.steps.NativeStep;
import dev.shrike.cpu.steps.Step;
import dev.shrike.cpu.vendor.Acl;
import dev.shrike.cpu.vendor.OneDnn;
import dev.shrike.files.Interrupts;
import dev.shrike.files.PlatformArtifact;
import java.lang.System.Logger;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bytedeco.javacpp.Loader;

/**
 * Makes the step of a float convolution: by libshrike, or by another library where one is present and suits the layer.
 *
 * <p>Where nothing was chosen, oneDNN runs the dense layers of single-threaded plans and libshrike the rest: oneDNN 2.7
 * takes dense tensors only, and its OpenMP threads spin for milliseconds after each call, on cores that our own workers
 * need. With AVX2 and no AVX-512 libshrike runs them all: oneDNN is no quicker there, and of half the speed where large
 * inputs are read with a stride of 2.
 */
final class ConvolutionFactory implements AutoCloseable {
    private static final Logger LOG = System.getLogger(ConvolutionFactory.class.getName());

    private final NativeLibrary library;
    private final long context;
    private final long features;
    private final KernelChoice choice;
    private final int threads;
    /** Those that were asked for so far; empty where one cannot be had. */
    private final Map<ConvKernel, Optional<ConvolutionLibrary>> libraries = new EnumMap<>(ConvKernel.class);
    private final Set<ConvKernel> used = EnumSet.noneOf(ConvKernel.class);

    ConvolutionFactory(NativeLibrary library, long context, long features, int threads, KernelChoice choice) {
        this.library = library;
        this.context = context;
        this.features = features;
        this.threads = threads;
        this.choice = choice;
    }

    /** Adds the step of a convolution to the plan. */
    void add(ConvTask task, PlanBuilder plan, Arena arena) {
        String key = ConvLayer.keyOf(task);
        ConvKernel wanted = choice.forReals(key).orElse(usual(task));
        Optional<Step> step = other(wanted).flatMap(other -> other.convolution(task, plan::locate));
        ConvKernel kernel = step.isPresent() ? wanted : ConvKernel.NATIVE;
        used.add(kernel);
        plan.add(step.orElseGet(() -> nativeStep(task, plan, arena)));
        plan.add(new ConvLayer(task.node(), key, false, task.describe(), kernel));
    }

    /** What runs a layer that nothing was chosen for. */
    private ConvKernel usual(ConvTask task) {
        boolean onlyAvx2 = CpuFeatures.AVX2.isIn(features) && CpuFeatures.FMA.isIn(features)
                && !CpuFeatures.AVX512F.isIn(features);
        return threads == 1 && task.group() == 1 && !onlyAvx2 ? ConvKernel.ONEDNN : ConvKernel.NATIVE;
    }

    /** The step of a convolution of codes by another library, without its table and sum, or nothing. */
    Optional<Step> product(ConvKernel kernel, ConvTask task, QuantizedConv codes, PlanBuilder plan) {
        Optional<Step> step = other(kernel).flatMap(other -> other.product(task, codes, plan::locate));
        if (step.isPresent()) {
            used.add(kernel);
        }
        return step;
    }

    /** The library behind a kernel that is not ours. Loading one costs time and memory, so it waits until asked for. */
    private Optional<ConvolutionLibrary> other(ConvKernel kernel) {
        return switch (kernel) {
            case ONEDNN -> libraries.computeIfAbsent(kernel, _ -> openOneDnn());
            case ACL -> libraries.computeIfAbsent(kernel, _ -> openAcl());
            case NATIVE, INT8, BITSERIAL, REFERENCE -> Optional.empty();
        };
    }

    private Optional<ConvolutionLibrary> openOneDnn() {
        if (!NativeLoader.platform().equals("linux-x86_64")) {
            return Optional.empty();
        }
        try {
            Interrupts.shield(OneDnn::load);
            // See OpenCvLibrary: OpenCV may be loading in another thread.
            synchronized (Loader.class) {
                return Optional.of(new OneDnn(threads, features));
            }
        } catch (LinkageError | RuntimeException e) {
            LOG.log(loudness(ConvKernel.ONEDNN),
                    "oneDNN is not used: " + e.getMessage() + "; " + PlatformArtifact.advice(),
                    e);
            return Optional.empty();
        }
    }

    private Optional<ConvolutionLibrary> openAcl() {
        try {
            return Optional.of(new Acl(library, context, threads));
        } catch (RuntimeException e) {
            LOG.log(loudness(ConvKernel.ACL), "ARM Compute Library is not used: " + e.getMessage(), e);
            return Optional.empty();
        }
    }

    /** The engine is whole without other libraries; whoever asked for one by name is told. */
    private Logger.Level loudness(ConvKernel kernel) {
        return choice.floats() == kernel && !choice.isTrial() ? Logger.Level.WARNING : Logger.Level.DEBUG;
    }

    private Step nativeStep(ConvTask task, PlanBuilder plan, Arena arena) {
        Params.Writer params = Params.CONV2D.allocate(arena);
        params.point("src", plan.locate(task.source()))
                .point("dst", plan.locate(task.target()));
        task.describeTo(params);
        if (task.residual() != null) {
            params.point("residual", plan.locate(task.residual())).setImage("residual", task.residual());
        }
        MemorySegment packed = plan.allocate(packedBytes(task, params));
        try (Arena temporary = Arena.ofConfined()) {
            float[] values = task.weights().toFloats();
            MemorySegment weights = temporary.allocate(4L * values.length, 64);
            MemorySegment.copy(MemorySegment.ofArray(values), 0, weights, 0, 4L * values.length);
            library.pack(params.memory(), weights, packed);
        }
        params.point("weights", packed);
        if (task.bias() != null) {
            float[] values = task.bias().toFloats();
            MemorySegment bias = plan.allocate(4L * values.length);
            MemorySegment.copy(MemorySegment.ofArray(values), 0, bias, 0, 4L * values.length);
            params.point("bias", bias);
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
        return libraries.values().stream().flatMap(Optional::stream).mapToLong(ConvolutionLibrary::bytes).sum();
    }

    /** What runs the convolutions, for people. */
    String description() {
        StringBuilder text = new StringBuilder("libshrike " + library.versionText());
        libraries.forEach((kernel, other) -> {
            if (used.contains(kernel)) {
                text.append(" + ").append(other.orElseThrow().description());
            }
        });
        return text.toString();
    }

    /** What is to be called before each run. */
    Runnable[] beforeRun() {
        return libraries.entrySet().stream()
                .filter(entry -> used.contains(entry.getKey()))
                .map(entry -> (Runnable) entry.getValue().orElseThrow()::beforeRun)
                .toArray(Runnable[]::new);
    }

    @Override
    public void close() {
        libraries.values().stream().flatMap(Optional::stream).forEach(ConvolutionLibrary::close);
        libraries.clear();
    }
}
