package dev.shrike.cpu.vendor;

import dev.shrike.cpu.binding.BoundedPointer;
import dev.shrike.cpu.binding.NativeLibrary;
import dev.shrike.cpu.binding.Params;
import dev.shrike.cpu.binding.View;
import dev.shrike.cpu.steps.ConvTask;
import dev.shrike.cpu.steps.ConvolutionLibrary;
import dev.shrike.cpu.steps.NativeStep;
import dev.shrike.cpu.steps.Step;
import dev.shrike.graph.Activation;
import dev.shrike.graph.Op;
import java.lang.System.Logger;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Function;

/**
 * Float convolutions by ARM Compute Library. Views may be channel slices of wider buffers; a residual is added by a
 * call of libshrike behind the convolution.
 *
 * <p>Owns its convolutions until it is closed. Its calls share the library's one worker pool a process, of which each
 * call takes the threads of its plan.
 */
public final class Acl implements ConvolutionLibrary {
    /** Which of ARM Compute Library's functions to use, in the order of {@code enum shrike_acl_method}. */
    enum Method {
        /** Winograd, product of matrices or direct, as it sees fit. */
        BEST,
        /** Product of matrices. */
        GEMM
    }

    private static final Logger LOG = System.getLogger(Acl.class.getName());
    private static final int MAX_THREADS = 256;

    private final AclLibrary acl;
    private final NativeLibrary library;
    private final long context;
    private final int threads;
    private final List<Long> convolutions = new ArrayList<>();
    private final Arena arena = Arena.ofShared();
    private long bytes;

    /**
     * Loads the library.
     *
     * @param library runs the sums with residuals
     * @param context of the plan, in libshrike
     * @param threads of the plan
     * @throws dev.shrike.BackendUnavailableException if the library is missing, naming the package to install
     */
    public Acl(NativeLibrary library, long context, int threads) {
        this.acl = AclLibrary.load();
        this.library = library;
        this.context = context;
        this.threads = Math.min(threads, MAX_THREADS);
    }

    @Override
    public String description() {
        return "ARM Compute Library " + acl.versionText();
    }

    /** Bytes of native memory known to be held: packed weights and biases, not the scratch of each convolution. */
    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public Optional<Step> convolution(ConvTask task, Function<View, BoundedPointer> location) {
        return convolution(task, location, Method.BEST);
    }

    /** The same by a function of choice. */
    public Optional<Step> convolution(ConvTask task, Function<View, BoundedPointer> location, Method method) {
        if (task.group() != 1 || task.activation().kind() == Activation.Kind.HARD_SIGMOID) {
            return Optional.empty();
        }
        if (task.residual() != null && task.residual().storage() == task.target().storage()) {
            // The convolution would write over it before the sum.
            return Optional.empty();
        }
        OptionalLong convolution = create(task, location, method);
        if (convolution.isEmpty()) {
            LOG.log(Logger.Level.DEBUG, "ARM Compute Library does not run ''{0}'' ({1}): {2}", task.node(),
                    task.describe(), acl.lastMessage());
            return Optional.empty();
        }
        convolutions.add(convolution.getAsLong());
        bytes += 4 * (task.weights().elements() + task.outChannels());
        Step sum = task.residual() == null ? null : residual(task, location);
        return Optional.of(new ConvStep(task, acl, convolution.getAsLong(), sum));
    }

    private OptionalLong create(ConvTask task, Function<View, BoundedPointer> location, Method method) {
        // ARM Compute Library copies what it is given here.
        try (Arena temporary = Arena.ofConfined()) {
            Params.Writer params = Params.ACL_CONV2D.allocate(temporary);
            task.describeTo(params)
                    .set("src", location.apply(task.source()).address())
                    .set("dst", location.apply(task.target()).address())
                    .set("weights", copy(task.weights().toFloats(), temporary))
                    .set("method", method.ordinal())
                    .set("threads", threads);
            if (task.bias() != null) {
                params.set("bias", copy(task.bias().toFloats(), temporary));
            }
            return acl.createConvolution(params.memory());
        }
    }

    /** Target plus residual, in place. */
    private Step residual(ConvTask task, Function<View, BoundedPointer> location) {
        View target = task.target();
        Params.Writer params = Params.BINARY.allocate(arena)
                .point("a", location.apply(target))
                .point("b", location.apply(task.residual()))
                .point("dst", location.apply(target))
                .setAll("dims", Arrays.stream(target.dims()).asLongStream().toArray())
                .setAll("a_strides", target.strides())
                .setAll("b_strides", task.residual().strides())
                .setAll("dst_strides", target.strides())
                .set("rank", target.rank())
                .set("kind", Op.Binary.Kind.ADD.ordinal());
        return new NativeStep(task.node(), "binary_f32 add", 0, library, library.binary(), context,
                params.memory().address());
    }

    private static long copy(float[] values, Arena arena) {
        MemorySegment memory = arena.allocate(4L * Math.max(1, values.length), 64);
        MemorySegment.copy(values, 0, memory, ValueLayout.JAVA_FLOAT, 0, values.length);
        return memory.address();
    }

    private static final class ConvStep extends Step {
        private final AclLibrary acl;
        private final long convolution;
        private final Step sum;
        private boolean inSum;

        ConvStep(ConvTask task, AclLibrary acl, long convolution, Step sum) {
            super(task.node(), "conv_f32 acl/" + acl.kernelOf(convolution) + " " + task.describe(), task.macs());
            this.acl = acl;
            this.convolution = convolution;
            this.sum = sum;
        }

        @Override
        public int execute() {
            int status;
            try {
                status = (int) acl.run().invokeExact(convolution);
            } catch (Throwable t) {
                throw NativeLibrary.unexpected(t);
            }
            inSum = status == 0 && sum != null;
            return inSum ? sum.execute() : status;
        }

        @Override
        public String statusText(int status) {
            return inSum ? sum.statusText(status) : acl.lastMessage() + " (ARM Compute Library, status " + status + ")";
        }
    }

    @Override
    public void close() {
        convolutions.forEach(acl::destroyConvolution);
        convolutions.clear();
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
