package dev.shrike.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import dev.shrike.DeviceException;
import dev.shrike.graph.Activation;
import dev.shrike.graph.Window;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongUnaryOperator;
import org.bytedeco.dnnl.dnnl_convolution_desc_t;
import org.bytedeco.dnnl.dnnl_engine;
import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc_t;
import org.bytedeco.dnnl.dnnl_post_ops;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * Convolutions by oneDNN 2.7; the one class that touches its binding.
 *
 * <p>Only dense NHWC tensors: for a channel slice of a wider buffer oneDNN 2.7 has nothing but its reference loops,
 * a hundred times slower.
 */
final class OneDnn implements AutoCloseable {
    private final dnnl_engine engine = new dnnl_engine();
    private final dnnl_stream stream = new dnnl_stream();
    private final List<Runnable> releases = new ArrayList<>();
    private final int threads;
    private final OpenMp openMp;
    private final Arena arena = Arena.ofShared();
    private MemorySegment scratch;
    private long bytes;

    /**
     * The library, loaded.
     *
     * @throws LinkageError if its binding or natives are missing on this platform
     */
    OneDnn(int threads) {
        this.threads = threads;
        check(dnnl_engine_create(engine, dnnl_cpu, 0), "create an engine");
        releases.add(() -> dnnl_engine_destroy(engine));
        check(dnnl_stream_create(stream, engine, dnnl_stream_default_flags), "create a stream");
        releases.add(() -> dnnl_stream_destroy(stream));
        openMp = new OpenMp();
        openMp.setThreads(threads);
    }

    /** Gives the calling thread's parallel regions the number of threads of this plan. */
    void useThreads() {
        openMp.setThreads(threads);
    }

    /** Version for people. */
    String version() {
        var v = dnnl_version();
        return v.major() + "." + v.minor() + "." + v.patch();
    }

    /** Bytes of native memory held for weights and scratch. */
    long bytes() {
        return bytes;
    }

    /**
     * A step for the convolution, or nothing where oneDNN has no quick implementation.
     *
     * @param address native address of element 0 of a view's storage, by storage
     */
    Optional<Step> convolution(ConvTask task, LongUnaryOperator address) {
        if (!ConvTask.isDense(task.source()) || !ConvTask.isDense(task.target())) {
            return Optional.empty();
        }
        if (task.residual() != null && !ConvTask.isDense(task.residual())) {
            return Optional.empty();
        }
        if (!postOp(task.activation()).isPresent()) {
            return Optional.empty();
        }
        return Optional.ofNullable(build(task, address));
    }

    private Step build(ConvTask task, LongUnaryOperator address) {
        try (dnnl_memory_desc_t source = describe(task.source());
                dnnl_memory_desc_t target = describe(task.target());
                dnnl_memory_desc_t weights = weightsDescriptor(task, dnnl_format_tag_any);
                dnnl_memory_desc_t plainWeights = weightsDescriptor(task, task.group() > 1 ? dnnl_goihw : dnnl_oihw);
                dnnl_memory_desc_t bias = new dnnl_memory_desc_t();
                dnnl_convolution_desc_t descriptor = new dnnl_convolution_desc_t()) {
            int[] dims = task.target().dims();
            check(dnnl_memory_desc_init_by_tag(bias, 1, new long[] {dims[1]}, dnnl_f32, dnnl_x), "describe the bias");
            Window w = task.window();
            long[] strides = {w.strideHeight(), w.strideWidth()};
            long[] dilates = {w.dilationHeight() - 1, w.dilationWidth() - 1};
            long[] before = {w.padTop(), w.padLeft()};
            long[] after = {w.padBottom(), w.padRight()};
            check(
                    dnnl_dilated_convolution_forward_desc_init(
                            descriptor, dnnl_forward_inference, dnnl_convolution_direct, source, weights, bias, target,
                            strides, dilates, before, after),
                    "describe the convolution");
            dnnl_primitive_attr attributes = attributes(task);
            dnnl_primitive_desc primitiveDescriptor = new dnnl_primitive_desc();
            int status = dnnl_primitive_desc_create(
                    primitiveDescriptor, new org.bytedeco.dnnl.const_dnnl_op_desc_t(descriptor), attributes, engine,
                    new dnnl_primitive_desc());
            dnnl_primitive_attr_destroy(attributes);
            if (status != dnnl_success) {
                return null;
            }
            try {
                String implementation = implementation(primitiveDescriptor);
                if (implementation.startsWith("ref") || implementation.startsWith("gemm")) {
                    return null;
                }
                return assemble(task, address, primitiveDescriptor, plainWeights, bias, implementation);
            } finally {
                dnnl_primitive_desc_destroy(primitiveDescriptor);
            }
        }
    }

    private Step assemble(
            ConvTask task,
            LongUnaryOperator address,
            dnnl_primitive_desc descriptor,
            dnnl_memory_desc_t plainWeights,
            dnnl_memory_desc_t biasDescriptor,
            String implementation) {
        dnnl_memory_desc_t packed = dnnl_primitive_desc_query_md(descriptor, dnnl_query_weights_md, 0);
        dnnl_memory_desc_t scratch = dnnl_primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md, 0);
        dnnl_memory weights = memory(packed, allocate(dnnl_memory_desc_get_size(packed)));
        reorder(task.weights().toFloats(), plainWeights, packed, weights);
        float[] biasValues =
                task.bias() == null ? new float[task.outChannels()] : task.bias().toFloats();
        long scratchBytes = dnnl_memory_desc_get_size(scratch);

        List<Integer> kinds = new ArrayList<>(List.of(
                DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST));
        List<dnnl_memory> memories = new ArrayList<>();
        try (dnnl_memory_desc_t source = describe(task.source());
                dnnl_memory_desc_t target = describe(task.target())) {
            memories.add(memory(source, locate(task.source(), address)));
            memories.add(weights);
            memories.add(memory(biasDescriptor, copy(biasValues)));
            memories.add(memory(target, locate(task.target(), address)));
            if (task.residual() != null) {
                int index = task.activation().kind() == Activation.Kind.NONE ? 0 : 1;
                kinds.add(DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE * (index + 1) | DNNL_ARG_SRC_1);
                memories.add(memory(target, locate(task.residual(), address)));
            }
        }
        if (scratchBytes > 0) {
            kinds.add(DNNL_ARG_SCRATCHPAD);
            memories.add(memory(scratch, scratchpad(scratchBytes)));
        }
        dnnl_exec_arg_t arguments = new dnnl_exec_arg_t(kinds.size());
        for (int i = 0; i < kinds.size(); i++) {
            arguments.getPointer(i).arg(kinds.get(i)).memory(memories.get(i));
        }
        dnnl_primitive primitive = new dnnl_primitive();
        check(dnnl_primitive_create(primitive, descriptor), "create the convolution of '" + task.node() + "'");
        releases.add(() -> dnnl_primitive_destroy(primitive));
        releases.add(arguments::close);
        return new ConvStep(task, implementation, primitive, stream, kinds.size(), arguments);
    }

    private static final class ConvStep extends Step {
        private final dnnl_primitive primitive;
        private final dnnl_stream stream;
        private final int count;
        private final dnnl_exec_arg_t arguments;

        ConvStep(
                ConvTask task,
                String implementation,
                dnnl_primitive primitive,
                dnnl_stream stream,
                int count,
                dnnl_exec_arg_t arguments) {
            super(task.node(), "conv_f32 onednn/" + implementation + " " + task.describe(), task.macs());
            this.primitive = primitive;
            this.stream = stream;
            this.count = count;
            this.arguments = arguments;
        }

        @Override
        int execute() {
            return dnnl_primitive_execute(primitive, stream, count, arguments);
        }

        @Override
        String statusText(int status) {
            return "oneDNN status " + status;
        }
    }

    private static dnnl_memory_desc_t describe(View view) {
        dnnl_memory_desc_t descriptor = new dnnl_memory_desc_t();
        long[] dims = new long[view.rank()];
        for (int i = 0; i < dims.length; i++) {
            dims[i] = view.dims()[i];
        }
        long[] strides = View.denseStrides(view.dims(), View.channelsLast(view.rank()));
        check(dnnl_memory_desc_init_by_strides(descriptor, dims.length, dims, dnnl_f32, strides), "describe a tensor");
        return descriptor;
    }

    private static dnnl_memory_desc_t weightsDescriptor(ConvTask task, int tag) {
        long out = task.outChannels();
        long in = task.inChannels();
        Window w = task.window();
        int g = task.group();
        long[] dims = g > 1
                ? new long[] {g, out / g, in / g, w.kernelHeight(), w.kernelWidth()}
                : new long[] {out, in, w.kernelHeight(), w.kernelWidth()};
        dnnl_memory_desc_t descriptor = new dnnl_memory_desc_t();
        check(dnnl_memory_desc_init_by_tag(descriptor, dims.length, dims, dnnl_f32, tag), "describe weights");
        return descriptor;
    }

    private static dnnl_primitive_attr attributes(ConvTask task) {
        dnnl_primitive_attr attributes = new dnnl_primitive_attr();
        check(dnnl_primitive_attr_create(attributes), "create attributes");
        check(dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user), "set the scratchpad");
        dnnl_post_ops ops = new dnnl_post_ops();
        check(dnnl_post_ops_create(ops), "create post-ops");
        Activation activation = task.activation();
        if (activation.kind() != Activation.Kind.NONE) {
            PostOp op = postOp(activation).orElseThrow();
            check(dnnl_post_ops_append_eltwise(ops, 1, op.algorithm(), op.alpha(), op.beta()), "add an activation");
        }
        if (task.residual() != null) {
            try (dnnl_memory_desc_t target = describe(task.target())) {
                check(dnnl_post_ops_append_binary(ops, dnnl_binary_add, target), "add a residual");
            }
        }
        check(dnnl_primitive_attr_set_post_ops(attributes, ops), "set post-ops");
        dnnl_post_ops_destroy(ops);
        return attributes;
    }

    private record PostOp(int algorithm, float alpha, float beta) {}

    /** oneDNN's name for an activation; nothing where it has none. */
    private static Optional<PostOp> postOp(Activation activation) {
        return Optional.ofNullable(
                switch (activation.kind()) {
                    case NONE -> new PostOp(0, 0, 0);
                    case SILU -> new PostOp(dnnl_eltwise_swish, 1, 0);
                    case RELU -> new PostOp(dnnl_eltwise_relu, 0, 0);
                    case LEAKY_RELU -> new PostOp(dnnl_eltwise_relu, activation.alpha(), 0);
                    case SIGMOID -> new PostOp(dnnl_eltwise_logistic, 0, 0);
                    case TANH -> new PostOp(dnnl_eltwise_tanh, 0, 0);
                    case CLIP -> new PostOp(dnnl_eltwise_clip, activation.alpha(), activation.beta());
                    case HARD_SIGMOID, HARD_SWISH -> null;
                });
    }

    private static String implementation(dnnl_primitive_desc descriptor) {
        try (PointerPointer<BytePointer> text = new PointerPointer<>(1)) {
            check(dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, text), "ask for the kernel");
            return text.get(BytePointer.class, 0).getString();
        }
    }

    private void reorder(
            float[] values, dnnl_memory_desc_t fromDescriptor, dnnl_memory_desc_t toDescriptor, dnnl_memory to) {
        try (Arena temporary = Arena.ofConfined();
                dnnl_exec_arg_t arguments = new dnnl_exec_arg_t(2)) {
            dnnl_memory source = new dnnl_memory();
            Pointer data = new Address(temporary.allocateFrom(ValueLayout.JAVA_FLOAT, values).address());
            check(dnnl_memory_create(source, fromDescriptor, engine, data), "create a memory");
            dnnl_primitive_desc descriptor = new dnnl_primitive_desc();
            check(
                    dnnl_reorder_primitive_desc_create(descriptor, fromDescriptor, engine, toDescriptor, engine, null),
                    "describe a reorder");
            dnnl_primitive primitive = new dnnl_primitive();
            check(dnnl_primitive_create(primitive, descriptor), "create a reorder");
            arguments.getPointer(0).arg(DNNL_ARG_FROM).memory(source);
            arguments.getPointer(1).arg(DNNL_ARG_TO).memory(to);
            check(dnnl_primitive_execute(primitive, stream, 2, arguments), "reorder weights");
            check(dnnl_stream_wait(stream), "reorder weights");
            dnnl_primitive_destroy(primitive);
            dnnl_primitive_desc_destroy(descriptor);
            dnnl_memory_destroy(source);
        }
    }

    private dnnl_memory memory(dnnl_memory_desc_t descriptor, Pointer data) {
        dnnl_memory memory = new dnnl_memory();
        check(dnnl_memory_create(memory, descriptor, engine, data), "create a memory");
        releases.add(() -> dnnl_memory_destroy(memory));
        return memory;
    }

    private static Pointer locate(View view, LongUnaryOperator address) {
        return new Address(address.applyAsLong(view.storage()) + view.offset() * Float.BYTES);
    }

    private Pointer allocate(long size) {
        bytes += size;
        return new Address(arena.allocate(Math.max(size, 64), 64).address());
    }

    /** One scratchpad serves all steps, since they run one after another. */
    private Pointer scratchpad(long size) {
        if (scratch == null || scratch.byteSize() < size) {
            scratch = arena.allocate(size, 64);
            bytes += size;
        }
        return new Address(scratch.address());
    }

    private Pointer copy(float[] values) {
        MemorySegment segment = arena.allocate(4L * values.length, 64);
        MemorySegment.copy(values, 0, segment, ValueLayout.JAVA_FLOAT, 0, values.length);
        return new Address(segment.address());
    }

    /** A native address as JavaCPP wants it; owns nothing. */
    private static final class Address extends Pointer {
        Address(long address) {
            this.address = address;
        }
    }

    private static void check(int status, String what) {
        if (status != dnnl_success) {
            throw new DeviceException("oneDNN cannot " + what + ": status " + status
                    + (status == dnnl_out_of_memory ? " (out of memory)" : ""));
        }
    }

    @Override
    public void close() {
        for (Runnable release : releases.reversed()) {
            release.run();
        }
        releases.clear();
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
