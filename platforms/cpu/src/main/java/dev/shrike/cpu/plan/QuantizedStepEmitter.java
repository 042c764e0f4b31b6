package dev.shrike.cpu.plan;

import dev.shrike.UnsupportedModelException;
import dev.shrike.cpu.binding.NativeLibrary;
import dev.shrike.cpu.binding.Params;
import dev.shrike.cpu.binding.View;
import dev.shrike.cpu.lowering.LoweredGraph;
import dev.shrike.cpu.lowering.NodeErrors;
import dev.shrike.cpu.lowering.QuantizedConv;
import dev.shrike.cpu.steps.ConvKernel;
import dev.shrike.cpu.steps.ConvLayer;
import dev.shrike.cpu.steps.ConvTask;
import dev.shrike.cpu.steps.CpuSettings;
import dev.shrike.cpu.steps.KernelChoice;
import dev.shrike.cpu.steps.NativeStep;
import dev.shrike.cpu.steps.Step;
import dev.shrike.graph.Activation;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import dev.shrike.graph.kernels.LookupTable;
import dev.shrike.graph.quantization.ActivationEpilogue;
import dev.shrike.graph.quantization.IntegerWeights;
import dev.shrike.graph.quantization.QuantParams;
import dev.shrike.graph.quantization.QuantizedAdd;
import dev.shrike.graph.quantization.Requantization;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Makes the steps of operations on codes. */
final class QuantizedStepEmitter {
    private static final int OUTPUT_CODES = 0;
    private static final int OUTPUT_REAL = 1;
    /** What {@code enum shrike_qkernel} calls the kernels of libshrike. */
    private static final Map<ConvKernel, CpuSettings.CodeKernel> OURS = new EnumMap<>(Map.of(
            ConvKernel.INT8, CpuSettings.CodeKernel.INT8,
            ConvKernel.BITSERIAL, CpuSettings.CodeKernel.BITSERIAL,
            ConvKernel.REFERENCE, CpuSettings.CodeKernel.REFERENCE));

    private final PlanBuilder plan;
    private final LoweredGraph lowered;
    private final NativeLibrary library;
    private final long context;
    private final Arena arena;
    private final KernelChoice choice;
    /** Where the scale and the zero point of codes are written in each run, by the name of the codes. */
    private final Map<String, MemorySegment> ranges = new HashMap<>();

    QuantizedStepEmitter(
            PlanBuilder plan, LoweredGraph lowered, NativeLibrary library, long context, Arena arena,
            KernelChoice choice) {
        this.plan = plan;
        this.lowered = lowered;
        this.library = library;
        this.context = context;
        this.arena = arena;
        this.choice = choice;
    }

    /** Adds the steps of a node on codes; false if it is none. */
    boolean lower(int index, Node node) {
        View out = plan.viewOf(node.output());
        QuantizedConv product = lowered.products().get(node);
        if (product != null) {
            product(index, node, product, out);
            return true;
        }
        LookupTable table = lowered.tables().get(node);
        if (table != null) {
            map(node, table, plan.viewOf(node.input(0)), out);
            return true;
        }
        QuantizedAdd sum = lowered.sums().get(node);
        if (sum != null) {
            add(node, sum, plan.viewOf(node.input(0)), plan.viewOf(node.input(1)), out);
            return true;
        }
        if (node.op() instanceof Op.DynamicQuant) {
            measure(node, out);
            return true;
        }
        QuantParams codes = lowered.conversions().get(node);
        if (codes != null || ranges.containsKey(node.input(0)) && node.op() instanceof Op.DequantizeLinear) {
            convert(node, codes, out);
            return true;
        }
        if (!lowered.graph().quantization().containsKey(node.output())) {
            return false;
        }
        return image(index, node, out);
    }

    private boolean image(int index, Node node, View out) {
        View in = plan.inputView(index, node, 0);
        switch (node.op()) {
            case Op.MaxPool pool -> maxPool(node, pool.window().resolve(in.dims()[2], in.dims()[3]), in, out);
            case Op.Resize resize -> resize(node, resize, in, out);
            case Op.DepthToSpace shuffle -> {
                View[] views = FloatStepEmitter.depthToSpace(shuffle, in, out);
                map(node, null, views[0], views[1]);
            }
            default -> throw NodeErrors.unsupported(node, "the CPU engine has no kernel for it on codes");
        }
        return true;
    }

    // --- convolution -----------------------------------------------------------------------------------------------

    private void product(int index, Node node, QuantizedConv codes, View out) {
        View in = plan.inputView(index, node, 0);
        if (node.op() instanceof Op.Conv conv) {
            Window window = conv.window().resolve(in.dims()[2], in.dims()[3]);
            View residual = node.hasInput(3) ? plan.inputView(index, node, 3) : null;
            Activation activation =
                    codes.toCodes() && codes.activated() == null ? Activation.NONE : conv.activation();
            convolution(node, codes,
                    new ConvTask(node.name(), window, conv.group(), activation, in, out, null, null, residual));
            return;
        }
        Window one = Window.square(1, 1, 0);
        convolution(node, codes, new ConvTask(
                node.name(), one, 1, Activation.NONE, rows(node, in), rows(node, out), null, null, null));
    }

    /** A matrix as an image of one line: a pixel for each row, a channel for each column. */
    private static View rows(Node node, View matrix) {
        int columns = matrix.dims()[matrix.rank() - 1];
        int count = Math.toIntExact(matrix.elements() / columns);
        View flat = matrix.reshape(new int[] {count, columns})
                .orElseThrow(() -> NodeErrors.unsupported(node, "a matrix whose rows are not evenly spaced"));
        if (columns > 1 && flat.strides()[1] != 1) {
            throw NodeErrors.unsupported(node, "a matrix whose columns are not neighbours");
        }
        long row = count == 1 ? columns : flat.strides()[0];
        return new View(flat.storage(), flat.offset(), new int[] {1, columns, 1, count},
                new long[] {row * count, 1, row * count, row});
    }

    private void convolution(Node node, QuantizedConv codes, ConvTask task) {
        Window window = task.window();
        long depth = (long) task.inChannels() / task.group() * window.kernelHeight() * window.kernelWidth();
        if (codes.weights().rows() != task.outChannels() || codes.weights().depth() != depth) {
            throw NodeErrors.unsupported(node, codes.weights().rows() + " rows of " + codes.weights().depth()
                    + " weights, expected " + task.outChannels() + " of " + depth);
        }
        String key = ConvLayer.keyOf(task, codes);
        Optional<ConvKernel> wanted = choice.forCodes(key);
        boolean done = wanted.isPresent() && !codes.measured() && byOtherLibrary(wanted.get(), node, codes, task);
        ConvKernel kernel = done ? wanted.get() : byOurs(wanted, node, codes, task);
        String about = "w" + codes.weights().bits() + "a" + codes.from().bits() + " " + task.describe();
        plan.add(new ConvLayer(task.node(), key, true, about, kernel));
    }

    /** Adds the steps of a convolution by another library; false if it cannot have it. */
    private boolean byOtherLibrary(ConvKernel kernel, Node node, QuantizedConv codes, ConvTask task) {
        Optional<Step> step = plan.convolutions().product(kernel, task, codes, plan);
        if (step.isEmpty()) {
            return false;
        }
        plan.add(step.get());
        // The same formulas as in the epilogue of our own kernels, a step each.
        if (codes.table() != null) {
            map(node, codes.table(), task.target(), task.target());
        }
        if (codes.sum() != null) {
            add(node, codes.sum(), task.target(), task.residual(), task.target());
        }
        return true;
    }

    /** Adds the step of a convolution by libshrike, with the kernel that is wanted if it serves the layer. */
    private ConvKernel byOurs(Optional<ConvKernel> wanted, Node node, QuantizedConv codes, ConvTask task) {
        IntegerWeights weights = codes.weights();
        Params.Writer params = task.describeTo(Params.CONV2D_Q.allocate(arena))
                .point("src", plan.locate(task.source()))
                .point("dst", plan.locate(task.target()))
                .set("src_zero", codes.from().zero())
                .set("src_bits", codes.from().bits())
                .set("weight_bits", weights.bits())
                .set("weight_bipolar", weights.bipolar() ? 1 : 0);
        setEpilogue(params, codes);
        if (codes.measured()) {
            params.set("src_dynamic", 1).point("src_range", ranges.get(node.input(0)));
        }
        if (task.residual() != null) {
            params.point("residual", plan.locate(task.residual())).setImage("residual", task.residual());
        }
        setThresholds(params, codes, task.outChannels());
        ConvKernel kernel = choose(params, wanted, task);
        long workspaceBytes = library.codesWorkspace(context, params.memory());
        MemorySegment packed = plan.allocate(Math.max(64, library.codesPackedSize(context, params.memory())));
        try (Arena temporary = Arena.ofConfined()) {
            MemorySegment source = temporary.allocateFrom(ValueLayout.JAVA_BYTE, weights.codes());
            MemorySegment zero = temporary.allocateFrom(ValueLayout.JAVA_INT, weights.zero());
            library.packCodes(context, params.memory(), source, zero, packed);
        }
        params.point("weights", packed);
        if (workspaceBytes > 0) {
            params.point("workspace", plan.workspace(workspaceBytes));
        }
        String name = library.codesKernel(context, params.memory()).orElse("conv2d_q");
        plan.add(new NativeStep(
                task.node(), name + " w" + weights.bits() + "a" + codes.from().bits() + " " + task.describe(),
                task.macs(), library, library.codesConv2d(), context, params.memory().address()));
        return kernel;
    }

    /** Sets the kernel: the one that is wanted if it takes the layer, else the first in the library's table. */
    private ConvKernel choose(Params.Writer params, Optional<ConvKernel> wanted, ConvTask task) {
        if (wanted.isPresent() && OURS.containsKey(wanted.get())) {
            params.set("kernel", OURS.get(wanted.get()).ordinal());
            if (library.codesPackedSize(context, params.memory()) >= 0) {
                return wanted.get();
            }
        }
        params.set("kernel", CpuSettings.CodeKernel.AUTO.ordinal());
        Optional<String> best = library.codesKernel(context, params.memory());
        for (Map.Entry<ConvKernel, CpuSettings.CodeKernel> ours : OURS.entrySet()) {
            params.set("kernel", ours.getValue().ordinal());
            if (best.isPresent() && library.codesKernel(context, params.memory()).equals(best)) {
                return ours.getKey();
            }
        }
        throw new UnsupportedModelException("node '" + task.node() + "': no kernel for the convolution of codes "
                + task.describe());
    }

    private void setEpilogue(Params.Writer params, QuantizedConv codes) {
        Requantization requantization = codes.requantization();
        ActivationEpilogue activated = codes.activated();
        params.point("multiplier", plan.store(requantization.multiplier()))
                .point("offset", plan.store(requantization.offset()))
                .set("low", activated == null ? requantization.low() : activated.low())
                .set("high", activated == null ? requantization.high() : activated.high())
                .set("output", codes.toCodes() ? OUTPUT_CODES : OUTPUT_REAL);
        if (activated != null) {
            params.setFloat("code_multiplier", activated.multiplier())
                    .setFloat("code_offset", activated.offset())
                    .setFloat("residual_b", activated.residual())
                    .set("residual_first", activated.residual() > 0 ? 1 : 0);
        }
        if (codes.table() != null) {
            params.point("table", store(codes.table()));
        }
        if (codes.sum() != null) {
            QuantizedAdd sum = codes.sum();
            params.setFloat("residual_a", sum.a())
                    .setFloat("residual_b", sum.b())
                    .setFloat("residual_c", sum.c())
                    .set("residual_low", sum.low())
                    .set("residual_high", sum.high());
        }
    }

    /** Where a channel's sums give few codes, comparisons replace the scaling and the table. */
    private void setThresholds(Params.Writer params, QuantizedConv codes, int outChannels) {
        if (!codes.toCodes()) {
            return;
        }
        try (Arena temporary = Arena.ofConfined()) {
            MemorySegment found = temporary.allocate(library.thresholdsSize(outChannels), 64);
            if (library.findThresholds(params.memory(), found)) {
                MemorySegment kept = plan.allocate(found.byteSize());
                kept.copyFrom(found);
                params.point("thresholds", kept);
            }
        }
    }

    // --- the rest --------------------------------------------------------------------------------------------------

    private MemorySegment store(LookupTable table) {
        byte[] entries = table.toBytes();
        MemorySegment memory = plan.allocate(entries.length);
        MemorySegment.copy(MemorySegment.ofArray(entries), 0, memory, 0, entries.length);
        return memory;
    }

    /** Copies codes, through a table if there is one. */
    void map(Node node, LookupTable table, View in, View out) {
        View[] views = FloatStepEmitter.bound(node, in, out);
        Params.Writer params = Params.LUT_U8
                .allocate(arena)
                .point("src", plan.locate(in))
                .point("dst", plan.locate(out))
                .setAll("dims", FloatStepEmitter.dims(views[0]))
                .setAll("src_strides", views[0].strides())
                .setAll("dst_strides", views[1].strides())
                .set("rank", views[0].rank());
        if (table != null) {
            params.point("table", store(table));
        }
        step(node, table == null ? "copy_u8" : "lut_u8", library.mapCodes(), params);
    }

    private void add(Node node, QuantizedAdd sum, View a, View b, View out) {
        View[] views = FloatStepEmitter.bound(node, out, a.broadcast(out.dims()), b.broadcast(out.dims()));
        Params.Writer params = Params.ADD_U8
                .allocate(arena)
                .point("a", plan.locate(views[1]))
                .point("b", plan.locate(views[2]))
                .point("dst", plan.locate(out))
                .setAll("dims", FloatStepEmitter.dims(views[0]))
                .setAll("dst_strides", views[0].strides())
                .setAll("a_strides", views[1].strides())
                .setAll("b_strides", views[2].strides())
                .set("rank", views[0].rank())
                .setFloat("scale_a", sum.a())
                .setFloat("scale_b", sum.b())
                .setFloat("offset", sum.c())
                .set("low", sum.low())
                .set("high", sum.high());
        step(node, "add_u8", library.addCodes(), params);
    }

    private void measure(Node node, View out) {
        View in = plan.viewOf(node.input(0));
        View[] views = FloatStepEmitter.bound(node, in, out);
        MemorySegment range = plan.allocate(Long.BYTES);
        ranges.put(node.output(), range);
        step(node, "quantize_dynamic_f32_u8", library.quantizeDynamic(), Params.QUANTIZE_MEASURED
                .allocate(arena)
                .point("src", plan.locate(in))
                .point("dst", plan.locate(out))
                .point("range", range)
                .setAll("dims", FloatStepEmitter.dims(views[0]))
                .setAll("src_strides", views[0].strides())
                .setAll("dst_strides", views[1].strides())
                .set("rank", views[0].rank()));
    }

    /** Codes may be null if their scale and zero point are found in each run. */
    private void convert(Node node, QuantParams codes, View out) {
        boolean quantize = node.op() instanceof Op.QuantizeLinear;
        View in = plan.viewOf(node.input(0));
        View[] views = FloatStepEmitter.bound(node, in, out);
        Params.Writer params = (quantize ? Params.QUANTIZE : Params.DEQUANTIZE)
                .allocate(arena)
                .point("src", plan.locate(in))
                .point("dst", plan.locate(out))
                .setAll("dims", FloatStepEmitter.dims(views[0]))
                .setAll("src_strides", views[0].strides())
                .setAll("dst_strides", views[1].strides())
                .set("rank", views[0].rank());
        if (codes == null) {
            params.point("range", ranges.get(node.input(0)));
        } else {
            params.setFloat("scale", codes.scale()).set("zero", codes.zero());
        }
        if (quantize) {
            params.set("low", codes.low()).set("high", codes.high());
        }
        step(node, quantize ? "quantize_f32_u8" : "dequantize_u8_f32",
                quantize ? library.quantize() : library.dequantize(), params);
    }

    private void maxPool(Node node, Window window, View in, View out) {
        Params.Writer params = FloatStepEmitter.image(Params.POOL2D_U8.allocate(arena), plan, in, out)
                .set("kernel_height", window.kernelHeight())
                .set("kernel_width", window.kernelWidth())
                .set("stride_height", window.strideHeight())
                .set("stride_width", window.strideWidth())
                .set("pad_top", window.padTop())
                .set("pad_left", window.padLeft())
                .set("dilation_height", window.dilationHeight())
                .set("dilation_width", window.dilationWidth());
        step(node, "maxpool2d_u8 " + window.kernelHeight() + "x" + window.kernelWidth(), library.maxpool2dCodes(),
                params);
    }

    private void resize(Node node, Op.Resize resize, View in, View out) {
        if (in.dims()[0] != out.dims()[0] || in.dims()[1] != out.dims()[1]) {
            throw NodeErrors.unsupported(node, "resizes batch or channels");
        }
        Params.Writer params = FloatStepEmitter.image(Params.RESIZE2D_U8.allocate(arena), plan, in, out)
                .set("coordinates", resize.coordinates().ordinal())
                .set("nearest", resize.nearest().ordinal());
        if (node.hasInput(2) && plan.constant(node, 2).elements() == 4) {
            Tensor scales = plan.constant(node, 2);
            params.setFloat("scale_height", scales.floatAt(2)).setFloat("scale_width", scales.floatAt(3));
        }
        step(node, "resize2d_u8 nearest", library.resize2dCodes(), params);
    }

    private void step(Node node, String kernel, MethodHandle operation, Params.Writer params) {
        plan.add(new NativeStep(node.name(), kernel, 0, library, operation, context, params.memory().address()));
    }
}
