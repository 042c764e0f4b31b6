package dev.shrike.cpu.plan;

import dev.shrike.UnsupportedModelException;
import dev.shrike.cpu.binding.NativeLibrary;
import dev.shrike.cpu.binding.Params;
import dev.shrike.cpu.binding.View;
import dev.shrike.cpu.lowering.CodesOp;
import dev.shrike.cpu.lowering.ConvGeometry;
import dev.shrike.cpu.lowering.Epilogue;
import dev.shrike.cpu.lowering.LoweredNode;
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
import dev.shrike.graph.Op;
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

/** Makes the steps of operations that read or write codes. */
final class QuantizedStepEmitter {
    private static final int OUTPUT_CODES = 0;
    private static final int OUTPUT_REAL = 1;
    /** What {@code enum shrike_qkernel} calls the kernels of libshrike. */
    private static final Map<ConvKernel, CpuSettings.CodeKernel> OURS = new EnumMap<>(Map.of(
            ConvKernel.INT8, CpuSettings.CodeKernel.INT8,
            ConvKernel.BITSERIAL, CpuSettings.CodeKernel.BITSERIAL,
            ConvKernel.REFERENCE, CpuSettings.CodeKernel.REFERENCE));

    private final PlanBuilder plan;
    private final NativeLibrary library;
    private final long context;
    private final Arena arena;
    private final KernelChoice choice;
    /** Where the scale and the zero point of codes are written in each run, by the name of the codes. */
    private final Map<String, MemorySegment> ranges = new HashMap<>();

    QuantizedStepEmitter(
            PlanBuilder plan, NativeLibrary library, long context, Arena arena, KernelChoice choice) {
        this.plan = plan;
        this.library = library;
        this.context = context;
        this.arena = arena;
        this.choice = choice;
    }

    /** Adds the steps of a node that reads or writes codes. */
    void emit(int index, LoweredNode node, CodesOp op) {
        View in = plan.inputView(index, node, 0);
        View out = plan.viewOf(node.output());
        switch (op) {
            case QuantizedConv conv -> product(index, node, conv, in, out);
            case CodesOp.Lut(LookupTable table) -> map(node, table, in, out);
            case CodesOp.AddCodes(QuantizedAdd sum) -> add(node, sum, in, plan.inputView(index, node, 1), out);
            case CodesOp.MaxPoolCodes(Window window) ->
                maxPool(node, window.resolve(in.dims()[2], in.dims()[3]), in, out);
            case CodesOp.ResizeCodes resize -> resize(node, resize, in, out);
            case CodesOp.DepthToSpaceCodes(Op.DepthToSpace shuffle) -> {
                View[] views = LoopParams.depthToSpace(shuffle, in, out);
                copy(node, views[0], views[1]);
            }
            case CodesOp.Quantize(QuantParams codes) -> quantize(node, codes, in, out);
            case CodesOp.Dequantize(QuantParams codes) -> dequantize(node, codes, in, out);
            case CodesOp.QuantizeDynamic _ -> quantizeDynamic(node, in, out);
            case CodesOp.DequantizeDynamic _ -> dequantizeDynamic(node, in, out);
        }
    }

    // --- convolution -----------------------------------------------------------------------------------------------

    private void product(int index, LoweredNode node, QuantizedConv conv, View in, View out) {
        switch (conv.geometry()) {
            case ConvGeometry.Images(Window window, int groups) -> {
                View residual = node.hasInput(1) ? plan.inputView(index, node, 1) : null;
                Window resolved = window.resolve(in.dims()[2], in.dims()[3]);
                convolution(node, conv, new ConvTask(
                        node.name(), resolved, groups, activation(conv.epilogue()), in, out, null, null, residual));
            }
            case ConvGeometry.Rows _ -> {
                Window one = Window.square(1, 1, 0);
                convolution(node, conv, new ConvTask(node.name(), one, 1, activation(conv.epilogue()), rows(node, in),
                        rows(node, out), null, null, null));
            }
        }
    }

    /** The function that the kernel applies to floats. */
    private static Activation activation(Epilogue epilogue) {
        return switch (epilogue) {
            case Epilogue.Floats floats -> floats.activation();
            case Epilogue.Activated activated -> activated.activation().activation();
            case Epilogue.Codes _ -> Activation.NONE;
        };
    }

    /** A matrix as an image of one line: a pixel for each row, a channel for each column. */
    private static View rows(LoweredNode node, View matrix) {
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

    private void convolution(LoweredNode node, QuantizedConv codes, ConvTask task) {
        Window window = task.window();
        long depth = (long) task.inChannels() / task.group() * window.kernelHeight() * window.kernelWidth();
        if (codes.weights().rows() != task.outChannels() || codes.weights().depth() != depth) {
            throw NodeErrors.unsupported(node, codes.weights().rows() + " rows of " + codes.weights().depth()
                    + " weights, expected " + task.outChannels() + " of " + depth);
        }
        String key = ConvLayer.keyOf(task, codes);
        Optional<ConvKernel> wanted = choice.forCodes(key);
        boolean done = wanted.isPresent() && !codes.dynamic() && byOtherLibrary(wanted.get(), node, codes, task);
        ConvKernel kernel = done ? wanted.get() : byOurs(wanted, node, codes, task);
        String about = "w" + codes.weights().bits() + "a" + codes.from().bits() + " " + task.describe();
        plan.add(new ConvLayer(task.node(), key, true, about, kernel));
    }

    /** Adds the steps of a convolution by another library; false if it cannot have it. */
    private boolean byOtherLibrary(ConvKernel kernel, LoweredNode node, QuantizedConv codes, ConvTask task) {
        Optional<Step> step = plan.convolutions().product(kernel, task, codes, plan);
        if (step.isEmpty()) {
            return false;
        }
        plan.add(step.get());
        // The same formulas as in the epilogue of our own kernels, a step each.
        LookupTable table = tableOf(codes.epilogue());
        if (table != null) {
            map(node, table, task.target(), task.target());
        }
        QuantizedAdd sum = sumOf(codes.epilogue());
        if (sum != null) {
            add(node, sum, task.target(), task.residual(), task.target());
        }
        return true;
    }

    /** Adds the step of a convolution by libshrike, with the kernel that is wanted if it serves the layer. */
    private ConvKernel byOurs(Optional<ConvKernel> wanted, LoweredNode node, QuantizedConv codes, ConvTask task) {
        IntegerWeights weights = codes.weights();
        Params.Writer params = task.describeTo(Params.CONV2D_Q.allocate(arena))
                .point("src", plan.locate(task.source()))
                .point("dst", plan.locate(task.target()))
                .set("src_zero", codes.from().zero())
                .set("src_bits", codes.from().bits())
                .set("weight_bits", weights.bits())
                .set("weight_bipolar", weights.bipolar() ? 1 : 0);
        setEpilogue(params, codes.epilogue());
        if (codes.dynamic()) {
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

    private void setEpilogue(Params.Writer params, Epilogue epilogue) {
        Requantization requantization = epilogue.requantization();
        params.point("multiplier", plan.store(requantization.multiplier()))
                .point("offset", plan.store(requantization.offset()))
                .set("low", requantization.low())
                .set("high", requantization.high())
                .set("output", OUTPUT_CODES);
        switch (epilogue) {
            case Epilogue.Floats _ -> params.set("output", OUTPUT_REAL);
            case Epilogue.Codes _ -> {
                // All is in the requantisation and what may follow below.
            }
            case Epilogue.Activated(_, ActivationEpilogue activation, _) ->
                params.set("low", activation.low())
                        .set("high", activation.high())
                        .setFloat("code_multiplier", activation.multiplier())
                        .setFloat("code_offset", activation.offset())
                        .setFloat("residual_b", activation.residual())
                        .set("residual_first", activation.residual() > 0 ? 1 : 0);
        }
        LookupTable table = tableOf(epilogue);
        if (table != null) {
            params.point("table", store(table));
        }
        QuantizedAdd sum = sumOf(epilogue);
        if (sum != null) {
            params.setFloat("residual_a", sum.a())
                    .setFloat("residual_b", sum.b())
                    .setFloat("residual_c", sum.c())
                    .set("residual_low", sum.low())
                    .set("residual_high", sum.high());
        }
    }

    /** The table that follows, or null. */
    private static LookupTable tableOf(Epilogue epilogue) {
        return switch (epilogue) {
            case Epilogue.Codes codes -> codes.table();
            case Epilogue.Activated _,Epilogue.Floats _ -> null;
        };
    }

    /** The sum with a residual that follows, or null. */
    private static QuantizedAdd sumOf(Epilogue epilogue) {
        return switch (epilogue) {
            case Epilogue.Codes codes -> codes.sum();
            case Epilogue.Activated activated -> activated.sum();
            case Epilogue.Floats _ -> null;
        };
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

    /** Copies codes. */
    void copy(LoweredNode node, View in, View out) {
        step(node, "copy_u8", library.mapCodes(), loop(Params.LUT_U8, node, in, out));
    }

    private void map(LoweredNode node, LookupTable table, View in, View out) {
        step(node, "lut_u8", library.mapCodes(), loop(Params.LUT_U8, node, in, out).point("table", store(table)));
    }

    private void add(LoweredNode node, QuantizedAdd sum, View a, View b, View out) {
        View[] views = LoopParams.bound(node, out, a.broadcast(out.dims()), b.broadcast(out.dims()));
        Params.Writer params = Params.ADD_U8
                .allocate(arena)
                .point("a", plan.locate(views[1]))
                .point("b", plan.locate(views[2]))
                .point("dst", plan.locate(out))
                .setAll("dims", LoopParams.dims(views[0]))
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

    private void quantize(LoweredNode node, QuantParams codes, View in, View out) {
        step(node, "quantize_f32_u8", library.quantize(), loop(Params.QUANTIZE, node, in, out)
                .setFloat("scale", codes.scale())
                .set("zero", codes.zero())
                .set("low", codes.low())
                .set("high", codes.high()));
    }

    private void dequantize(LoweredNode node, QuantParams codes, View in, View out) {
        step(node, "dequantize_u8_f32", library.dequantize(), loop(Params.DEQUANTIZE, node, in, out)
                .setFloat("scale", codes.scale())
                .set("zero", codes.zero()));
    }

    private void quantizeDynamic(LoweredNode node, View in, View out) {
        MemorySegment range = plan.allocate(Long.BYTES);
        ranges.put(node.output(), range);
        step(node, "quantize_dynamic_f32_u8", library.quantizeDynamic(),
                loop(Params.QUANTIZE_MEASURED, node, in, out).point("range", range));
    }

    private void dequantizeDynamic(LoweredNode node, View in, View out) {
        step(node, "dequantize_u8_f32", library.dequantize(),
                loop(Params.DEQUANTIZE, node, in, out).point("range", ranges.get(node.input(0))));
    }

    /** The struct of a step that walks over its input and its output, with where both lie. */
    private Params.Writer loop(Params struct, LoweredNode node, View in, View out) {
        View[] views = LoopParams.bound(node, in, out);
        return struct.allocate(arena)
                .point("src", plan.locate(in))
                .point("dst", plan.locate(out))
                .setAll("dims", LoopParams.dims(views[0]))
                .setAll("src_strides", views[0].strides())
                .setAll("dst_strides", views[1].strides())
                .set("rank", views[0].rank());
    }

    private void maxPool(LoweredNode node, Window window, View in, View out) {
        Params.Writer params = LoopParams.image(Params.POOL2D_U8.allocate(arena), plan, in, out)
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

    private void resize(LoweredNode node, CodesOp.ResizeCodes op, View in, View out) {
        if (in.dims()[0] != out.dims()[0] || in.dims()[1] != out.dims()[1]) {
            throw NodeErrors.unsupported(node, "resizes batch or channels");
        }
        Params.Writer params = LoopParams.image(Params.RESIZE2D_U8.allocate(arena), plan, in, out)
                .set("coordinates", op.resize().coordinates().ordinal())
                .set("nearest", op.resize().nearest().ordinal())
                .setFloat("scale_height", op.scaleHeight())
                .setFloat("scale_width", op.scaleWidth());
        step(node, "resize2d_u8 nearest", library.resize2dCodes(), params);
    }

    private void step(LoweredNode node, String kernel, MethodHandle operation, Params.Writer params) {
        plan.add(new NativeStep(node.name(), kernel, 0, library, operation, context, params.memory().address()));
    }
}
