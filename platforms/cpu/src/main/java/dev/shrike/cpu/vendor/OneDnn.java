package dev.shrike.cpu.vendor;

import static org.bytedeco.dnnl.global.dnnl.*;

import dev.shrike.DeviceException;
import dev.shrike.cpu.binding.BoundedPointer;
import dev.shrike.cpu.binding.CpuFeatures;
import dev.shrike.cpu.binding.OpenMp;
import dev.shrike.cpu.binding.View;
import dev.shrike.cpu.lowering.QuantizedConv;
import dev.shrike.cpu.steps.ConvTask;
import dev.shrike.cpu.steps.ConvolutionLibrary;
import dev.shrike.cpu.steps.Step;
import dev.shrike.graph.Window;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import org.bytedeco.dnnl.dnnl_convolution_desc_t;
import org.bytedeco.dnnl.dnnl_engine;
import org.bytedeco.dnnl.dnnl_exec_arg_t;
import org.bytedeco.dnnl.dnnl_memory;
import org.bytedeco.dnnl.dnnl_memory_desc_t;
import org.bytedeco.dnnl.dnnl_primitive;
import org.bytedeco.dnnl.dnnl_primitive_attr;
import org.bytedeco.dnnl.dnnl_primitive_desc;
import org.bytedeco.dnnl.dnnl_stream;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/**
 * Convolutions by oneDNN 2.7; with {@link OneDnnInt8} and {@link OneDnnFloats} all that touches its binding.
 *
 * <p>Only dense NHWC tensors: for a channel slice of a wider buffer oneDNN 2.7 has nothing but its reference loops,
 * a hundred times slower.
 */
public final class OneDnn implements ConvolutionLibrary {
    private final dnnl_engine engine = new dnnl_engine();
    private final dnnl_stream stream = new dnnl_stream();
    private final List<Runnable> releases = new ArrayList<>();
    private final int threads;
    private final OneDnnInt8 codes;
    private final OpenMp openMp;
    private final Arena arena = Arena.ofShared();
    private MemorySegment scratch;
    private long bytes;

    /** Loads the library, which takes a while; where it was loaded from. */
    public static String load() {
        // See OpenCvLibrary: OpenCV may be loading in another thread.
        synchronized (Loader.class) {
            return Loader.load(org.bytedeco.dnnl.global.dnnl.class);
        }
    }

    /**
     * The library, loaded.
     *
     * @param features what kernels may use, as the bits of {@code shrike.h}; the first caller's stand for the process
     * @throws LinkageError if its binding or natives are missing on this platform
     */
    public OneDnn(int threads, long features) {
        this.threads = threads;
        // Once there are primitives the call is refused, which changes nothing.
        dnnl_set_max_cpu_isa(highest(features));
        check(dnnl_engine_create(engine, dnnl_cpu, 0), "create an engine");
        releases.add(() -> dnnl_engine_destroy(engine));
        check(dnnl_stream_create(stream, engine, dnnl_stream_default_flags), "create a stream");
        releases.add(() -> dnnl_stream_destroy(stream));
        openMp = new OpenMp();
        openMp.setThreads(threads);
        codes = new OneDnnInt8(this, features);
    }

    /** The kernels that the tests compare bit for bit; what is beyond them is for types that we do not use. */
    private static int highest(long features) {
        if (CpuFeatures.AVX512VNNI.isIn(features)) {
            return dnnl_cpu_isa_avx512_core_vnni;
        }
        if (CpuFeatures.AVX512BW.isIn(features)) {
            return dnnl_cpu_isa_avx512_core;
        }
        if (CpuFeatures.AVX2.isIn(features)) {
            return dnnl_cpu_isa_avx2;
        }
        return CpuFeatures.AVX.isIn(features) ? dnnl_cpu_isa_avx : dnnl_cpu_isa_sse41;
    }

    /** Gives the calling thread's parallel regions the number of threads of this plan. */
    @Override
    public void beforeRun() {
        openMp.setThreads(threads);
    }

    @Override
    public String description() {
        var v = dnnl_version();
        return "oneDNN " + v.major() + "." + v.minor() + "." + v.patch();
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public Optional<Step> convolution(ConvTask task, Function<View, BoundedPointer> location) {
        return isDense(task) ? new OneDnnFloats(this).convolution(task, location) : Optional.empty();
    }

    @Override
    public Optional<Step> product(ConvTask task, QuantizedConv product, Function<View, BoundedPointer> location) {
        // A sum comes in a step of its own, when the target has been written.
        boolean kept = task.residual() == null || task.residual().storage() != task.target().storage();
        return isDense(task) && kept ? codes.convolution(task, product, location) : Optional.empty();
    }

    private static boolean isDense(ConvTask task) {
        return ConvTask.isDense(task.source()) && ConvTask.isDense(task.target())
                && (task.residual() == null || ConvTask.isDense(task.residual()));
    }

    /** Element types of a convolution. */
    record Types(int source, int weights, int target) {}

    /** One more argument of a convolution: what it is to oneDNN, its form, its data. */
    record Argument(int kind, dnnl_memory_desc_t form, Pointer data) {}

    /**
     * A convolution as oneDNN is to see it.
     *
     * @param name begins the name of the step
     * @param types element types
     * @param weights outChannels x inChannels/group x kernelHeight x kernelWidth
     * @param attributes released with the form
     * @param bias form of the bias, or null
     * @param takes whether an implementation of this name is wanted
     */
    record Form(
            String name,
            Types types,
            MemorySegment weights,
            dnnl_primitive_attr attributes,
            dnnl_memory_desc_t bias,
            Predicate<String> takes) {}

    /** The step of a convolution, or nothing where no wanted implementation takes it. Releases the attributes. */
    public Optional<Step> step(ConvTask task, Form form, List<Argument> more, Function<View, BoundedPointer> location) {
        try (dnnl_memory_desc_t source = describe(task.source(), form.types().source());
                dnnl_memory_desc_t target = describe(task.target(), form.types().target());
                dnnl_memory_desc_t weights = weightsForm(task, form.types().weights(), dnnl_format_tag_any);
                dnnl_convolution_desc_t descriptor = new dnnl_convolution_desc_t()) {
            Window w = task.window();
            long[] strides = {w.strideHeight(), w.strideWidth()};
            long[] dilates = {w.dilationHeight() - 1, w.dilationWidth() - 1};
            long[] before = {w.padTop(), w.padLeft()};
            long[] after = {w.padBottom(), w.padRight()};
            check(
                    dnnl_dilated_convolution_forward_desc_init(
                            descriptor, dnnl_forward_inference, dnnl_convolution_direct, source, weights, form.bias(),
                            target, strides, dilates, before, after),
                    "describe the convolution");
            dnnl_primitive_desc primitiveDescriptor = new dnnl_primitive_desc();
            int status = dnnl_primitive_desc_create(
                    primitiveDescriptor, new org.bytedeco.dnnl.const_dnnl_op_desc_t(descriptor), form.attributes(),
                    engine, new dnnl_primitive_desc());
            dnnl_primitive_attr_destroy(form.attributes());
            if (status != dnnl_success) {
                return Optional.empty();
            }
            try {
                String implementation = implementation(primitiveDescriptor);
                if (!form.takes().test(implementation)) {
                    return Optional.empty();
                }
                List<Argument> all = new ArrayList<>(more);
                all.add(new Argument(DNNL_ARG_SRC, source, locate(task.source(), location)));
                all.add(new Argument(DNNL_ARG_DST, target, locate(task.target(), location)));
                return Optional.of(assemble(task, form, primitiveDescriptor, all, implementation));
            } finally {
                dnnl_primitive_desc_destroy(primitiveDescriptor);
            }
        }
    }

    private Step assemble(
            ConvTask task, Form form, dnnl_primitive_desc descriptor, List<Argument> known, String implementation) {
        dnnl_memory_desc_t packed = dnnl_primitive_desc_query_md(descriptor, dnnl_query_weights_md, 0);
        dnnl_memory_desc_t scratch = dnnl_primitive_desc_query_md(descriptor, dnnl_query_scratchpad_md, 0);
        Pointer weights = allocate(dnnl_memory_desc_get_size(packed));
        try (dnnl_memory_desc_t plain =
                weightsForm(task, form.types().weights(), task.group() > 1 ? dnnl_goihw : dnnl_oihw)) {
            reorder(form.weights(), plain, packed, weights);
        }
        List<Argument> all = new ArrayList<>(known);
        all.add(new Argument(DNNL_ARG_WEIGHTS, packed, weights));
        long scratchBytes = dnnl_memory_desc_get_size(scratch);
        if (scratchBytes > 0) {
            all.add(new Argument(DNNL_ARG_SCRATCHPAD, scratch, scratchpad(scratchBytes)));
        }
        dnnl_exec_arg_t arguments = new dnnl_exec_arg_t(all.size());
        for (int i = 0; i < all.size(); i++) {
            Argument argument = all.get(i);
            arguments.getPointer(i).arg(argument.kind()).memory(memory(argument.form(), argument.data()));
        }
        dnnl_primitive primitive = new dnnl_primitive();
        check(dnnl_primitive_create(primitive, descriptor), "create the convolution of '" + task.node() + "'");
        releases.add(() -> dnnl_primitive_destroy(primitive));
        releases.add(arguments::close);
        String name = form.name() + " onednn/" + implementation + " " + task.describe();
        return new ConvStep(task, name, primitive, stream, all.size(), arguments);
    }

    private static final class ConvStep extends Step {
        private final dnnl_primitive primitive;
        private final dnnl_stream stream;
        private final int count;
        private final dnnl_exec_arg_t arguments;

        ConvStep(
                ConvTask task,
                String name,
                dnnl_primitive primitive,
                dnnl_stream stream,
                int count,
                dnnl_exec_arg_t arguments) {
            super(task.node(), name, task.macs());
            this.primitive = primitive;
            this.stream = stream;
            this.count = count;
            this.arguments = arguments;
        }

        @Override
        public int execute() {
            return dnnl_primitive_execute(primitive, stream, count, arguments);
        }

        @Override
        public String statusText(int status) {
            return "oneDNN status " + status;
        }
    }

    /** The form of a dense view; the caller closes it. */
    public static dnnl_memory_desc_t describe(View view, int type) {
        dnnl_memory_desc_t descriptor = new dnnl_memory_desc_t();
        long[] dims = new long[view.rank()];
        for (int i = 0; i < dims.length; i++) {
            dims[i] = view.dims()[i];
        }
        long[] strides = View.denseStrides(view.dims(), View.channelsLast(view.rank()));
        check(dnnl_memory_desc_init_by_strides(descriptor, dims.length, dims, type, strides), "describe a tensor");
        return descriptor;
    }

    private static dnnl_memory_desc_t weightsForm(ConvTask task, int type, int tag) {
        long out = task.outChannels();
        long in = task.inChannels();
        Window w = task.window();
        int g = task.group();
        long[] dims = g > 1
                ? new long[] {g, out / g, in / g, w.kernelHeight(), w.kernelWidth()}
                : new long[] {out, in, w.kernelHeight(), w.kernelWidth()};
        dnnl_memory_desc_t descriptor = new dnnl_memory_desc_t();
        check(dnnl_memory_desc_init_by_tag(descriptor, dims.length, dims, type, tag), "describe weights");
        return descriptor;
    }

    /** Attributes of a step whose scratch memory is ours; {@link #step} releases them. */
    public static dnnl_primitive_attr attributes() {
        dnnl_primitive_attr attributes = new dnnl_primitive_attr();
        check(dnnl_primitive_attr_create(attributes), "create attributes");
        check(dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user), "set the scratchpad");
        return attributes;
    }

    private static String implementation(dnnl_primitive_desc descriptor) {
        try (PointerPointer<BytePointer> text = new PointerPointer<>(1)) {
            check(dnnl_primitive_desc_query(descriptor, dnnl_query_impl_info_str, 0, text), "ask for the kernel");
            return text.get(BytePointer.class, 0).getString();
        }
    }

    private void reorder(
            MemorySegment values, dnnl_memory_desc_t fromForm, dnnl_memory_desc_t toForm, Pointer target) {
        try (dnnl_exec_arg_t arguments = new dnnl_exec_arg_t(2)) {
            dnnl_memory source = new dnnl_memory();
            dnnl_memory to = new dnnl_memory();
            check(dnnl_memory_create(source, fromForm, engine, new Address(values.address())), "create a memory");
            check(dnnl_memory_create(to, toForm, engine, target), "create a memory");
            dnnl_primitive_desc descriptor = new dnnl_primitive_desc();
            check(
                    dnnl_reorder_primitive_desc_create(descriptor, fromForm, engine, toForm, engine, null),
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
            dnnl_memory_destroy(to);
        }
    }

    private dnnl_memory memory(dnnl_memory_desc_t descriptor, Pointer data) {
        dnnl_memory memory = new dnnl_memory();
        check(dnnl_memory_create(memory, descriptor, engine, data), "create a memory");
        releases.add(() -> dnnl_memory_destroy(memory));
        return memory;
    }

    /** Where a view begins. */
    public static Pointer locate(View view, Function<View, BoundedPointer> location) {
        return new Address(location.apply(view).address());
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

    /** A copy of the values that lives as long as the library is open. */
    public Pointer copy(float[] values) {
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

    public static void check(int status, String what) {
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
