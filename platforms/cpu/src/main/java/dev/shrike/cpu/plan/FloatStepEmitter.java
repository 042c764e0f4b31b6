package dev.shrike.cpu.plan;

import dev.shrike.UnsupportedModelException;
import dev.shrike.cpu.binding.NativeLibrary;
import dev.shrike.cpu.binding.Params;
import dev.shrike.cpu.binding.View;
import dev.shrike.cpu.lowering.LoweredNode;
import dev.shrike.cpu.lowering.NodeErrors;
import dev.shrike.cpu.steps.ConvTask;
import dev.shrike.cpu.steps.NativeStep;
import dev.shrike.graph.DataType;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import java.lang.foreign.Arena;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.Locale;

/** Makes the steps of operators on floats. */
final class FloatStepEmitter {
    /** Indices of a Gather that become a copy each. */
    private static final int MOST_COPIES = 64;
    /** Follows the functions of {@link Op.Unary.Kind} in {@code enum shrike_unary}. */
    private static final int UNARY_CLIP = Op.Unary.Kind.values().length;

    private final PlanBuilder plan;
    private final NativeLibrary library;
    private final long context;
    private final Arena arena;

    FloatStepEmitter(PlanBuilder plan, NativeLibrary library, long context, Arena arena) {
        this.plan = plan;
        this.library = library;
        this.context = context;
        this.arena = arena;
    }

    /** Adds the steps of a node's operator. */
    void emit(int index, LoweredNode node, Op op) {
        View in = plan.inputView(index, node, 0);
        // Of several results the first may be unwanted; only operations over arrays have several.
        View out = node.output().isEmpty() ? null : plan.viewOf(node.output());
        switch (op) {
            case Op.Conv conv -> convolution(index, node, conv, in, out);
            case Op.MaxPool pool -> pool(node, pool.window(), false, in, out, library.maxpool2d(), "maxpool2d_f32");
            case Op.AveragePool pool ->
                pool(node, pool.window(), pool.countIncludePad(), in, out, library.avgpool2d(), "avgpool2d_f32");
            case Op.GlobalAveragePool _ -> globalAveragePool(node, in, out);
            case Op.Resize resize when resize.isFilter() ->
                new MatrixLowering(plan, library, context, arena).resize(node, resize, in, out);
            case Op.Resize resize -> resize(node, resize, in, out);
            case Op.Unary unary ->
                unary(node, unary.kind().ordinal(), unary.kind().name(), unary.alpha(), unary.beta(), in, out);
            case Op.Clip _ -> clip(node, in, out);
            case Op.Cast cast -> cast(index, node, cast, in, out);
            case Op.Binary binary -> binary(index, node, binary, in, out);
            case Op.Softmax softmax -> softmax(node, softmax.axis(), in, out);
            case Op.Reduce reduce -> reduce(node, reduce, in, out);
            case Op.MatMul _ -> new MatrixLowering(plan, library, context, arena).matMul(index, node, in, out);
            case Op.Gemm gemm -> new MatrixLowering(plan, library, context, arena).gemm(index, node, gemm, in, out);
            case Op.Pad pad -> pad(node, pad, in, out);
            case Op.Gather gather -> {
                if (plan.constantOf(node, 1).filter(FloatStepEmitter::isShortVector).isPresent()) {
                    gather(node, gather, in, out);
                } else {
                    plan.add(ArrayStep.of(plan, index, node, op));
                }
            }
            case Op.SpaceToDepth space -> {
                View[] views = spaceToDepth(space, in, out);
                copy(node, views[0], views[1]);
            }
            case Op.DepthToSpace shuffle -> {
                View[] views = LoopParams.depthToSpace(shuffle, in, out);
                copy(node, views[0], views[1]);
            }
            case Op.BatchNormalization _,Op.Concat _,Op.Split _,Op.Slice _,Op.Reshape _ -> throw noKernel(node);
            case Op.Transpose _,Op.Flatten _,Op.Squeeze _,Op.Unsqueeze _,Op.Identity _ -> throw noKernel(node);
            case Op.GatherElements _,Op.GatherNd _,Op.ScatterElements _,Op.ScatterNd _,Op.TopK _,Op.ArgExtreme _ ->
                plan.add(ArrayStep.of(plan, index, node, op));
            case Op.Hardmax _,Op.OneHot _,Op.Trilu _,Op.CumSum _,Op.Where _,Op.Tile _ ->
                plan.add(ArrayStep.of(plan, index, node, op));
            case Op.ShapeOf _,Op.Range _,Op.Expand _ -> throw noKernel(node);
            case Op.ConstantOfShape _,Op.QuantizeLinear _,Op.DequantizeLinear _ -> throw noKernel(node);
            case Op.DynamicQuantizeLinear _,Op.DynamicQuant _ -> throw noKernel(node);
            case Op.Quant _,Op.BipolarQuant _,Op.Trunc _ -> throw noKernel(node);
        }
    }

    private static UnsupportedModelException noKernel(LoweredNode node) {
        return NodeErrors.unsupported(node, "the CPU engine has no kernel for it");
    }

    private void step(LoweredNode node, String kernel, MethodHandle operation, Params.Writer params) {
        plan.add(new NativeStep(
                node.name(), kernel, 0, library, operation, context, params.memory().address()));
    }

    // --- images ----------------------------------------------------------------------------------------------------

    private void convolution(int index, LoweredNode node, Op.Conv conv, View in, View out) {
        Window window = conv.window().resolve(in.dims()[2], in.dims()[3]);
        Tensor bias = node.hasInput(2) ? plan.constant(node, 2) : null;
        View residual = node.hasInput(3) ? plan.inputView(index, node, 3) : null;
        ConvTask task = new ConvTask(
                node.name(), window, conv.group(), conv.activation(), in, out, plan.constant(node, 1), bias, residual);
        plan.convolutions().add(task, plan, arena);
    }

    private void pool(
            LoweredNode node, Window given, boolean countPad, View in, View out, MethodHandle operation,
            String kernel) {
        Window window = given.resolve(in.dims()[2], in.dims()[3]);
        Params.Writer params = image(Params.POOL2D, in, out)
                .set("kernel_height", window.kernelHeight())
                .set("kernel_width", window.kernelWidth())
                .set("stride_height", window.strideHeight())
                .set("stride_width", window.strideWidth())
                .set("pad_top", window.padTop())
                .set("pad_left", window.padLeft())
                .set("pad_bottom", window.padBottom())
                .set("pad_right", window.padRight())
                .set("dilation_height", window.dilationHeight())
                .set("dilation_width", window.dilationWidth())
                .set("count_include_pad", countPad ? 1 : 0);
        step(node, kernel + " " + window.kernelHeight() + "x" + window.kernelWidth(), operation, params);
    }

    private void globalAveragePool(LoweredNode node, View in, View out) {
        if (Math.max(in.dims()[2], in.dims()[3]) > Window.LARGEST) {
            throw NodeErrors.unsupported(node, "an image of more than " + Window.LARGEST + " rows or columns");
        }
        Window all = new Window(
                in.dims()[2], in.dims()[3], 1, 1, 0, 0, 0, 0, 1, 1, Window.AutoPad.EXPLICIT);
        pool(node, all, false, in, out, library.avgpool2d(), "avgpool2d_f32");
    }

    private Params.Writer image(Params kind, View in, View out) {
        return LoopParams.image(kind.allocate(arena), plan, in, out);
    }

    private void resize(LoweredNode node, Op.Resize resize, View in, View out) {
        if (in.dims()[0] != out.dims()[0] || in.dims()[1] != out.dims()[1]) {
            throw NodeErrors.unsupported(node, "resizes batch or channels: " + Arrays.toString(in.dims()) + " to "
                    + Arrays.toString(out.dims()));
        }
        Params.Writer params = image(Params.RESIZE2D, in, out)
                .set("mode", resize.mode().ordinal())
                .set("coordinates", resize.coordinates().ordinal())
                .set("nearest", resize.nearest().ordinal());
        if (node.hasInput(2)) {
            Tensor scales = plan.constant(node, 2);
            if (scales.elements() == 4) {
                params.setFloat("scale_height", scales.floatAt(2)).setFloat("scale_width", scales.floatAt(3));
            }
        }
        step(node, "resize2d_f32 " + resize.mode().name().toLowerCase(Locale.ROOT), library.resize2d(), params);
    }

    // --- element-wise ----------------------------------------------------------------------------------------------

    /** Copies a view into another one of the same dimensions. */
    void copy(LoweredNode node, View from, View to) {
        View[] views = LoopParams.bound(node, from, to);
        Params.Writer params = Params.COPY
                .allocate(arena)
                .point("src", plan.locate(from))
                .point("dst", plan.locate(to))
                .setAll("dims", LoopParams.dims(views[0]))
                .setAll("src_strides", views[0].strides())
                .setAll("dst_strides", views[1].strides())
                .set("rank", views[0].rank());
        step(node, "copy_f32", library.copy(), params);
    }

    private void unary(LoweredNode node, int kind, String name, float alpha, float beta, View in, View out) {
        View[] views = LoopParams.bound(node, in, out);
        Params.Writer params = Params.UNARY
                .allocate(arena)
                .point("src", plan.locate(in))
                .point("dst", plan.locate(out))
                .setAll("dims", LoopParams.dims(views[0]))
                .setAll("src_strides", views[0].strides())
                .setAll("dst_strides", views[1].strides())
                .set("rank", views[0].rank())
                .set("kind", kind)
                .setFloat("alpha", alpha)
                .setFloat("beta", beta);
        step(node, "unary_f32 " + name.toLowerCase(Locale.ROOT), library.unary(), params);
    }

    private void clip(LoweredNode node, View in, View out) {
        float low = node.hasInput(1) ? plan.constant(node, 1).floatAt(0) : Float.NEGATIVE_INFINITY;
        float high = node.hasInput(2) ? plan.constant(node, 2).floatAt(0) : Float.POSITIVE_INFINITY;
        unary(node, UNARY_CLIP, "clip", low, high, in, out);
    }

    private void cast(int index, LoweredNode node, Op.Cast op, View in, View out) {
        if (op.to() == DataType.FLOAT32) {
            copy(node, in, out);
        } else {
            plan.add(ArrayStep.of(plan, index, node, op));
        }
    }

    private void binary(int index, LoweredNode node, Op.Binary binary, View a, View out) {
        View b = plan.inputView(index, node, 1);
        View[] views = LoopParams.bound(node, out, a.broadcast(out.dims()), b.broadcast(out.dims()));
        Params.Writer params = Params.BINARY
                .allocate(arena)
                .point("a", plan.locate(views[1]))
                .point("b", plan.locate(views[2]))
                .point("dst", plan.locate(out))
                .setAll("dims", LoopParams.dims(views[0]))
                .setAll("dst_strides", views[0].strides())
                .setAll("a_strides", views[1].strides())
                .setAll("b_strides", views[2].strides())
                .set("rank", views[0].rank())
                .set("kind", binary.kind().ordinal());
        step(node, "binary_f32 " + binary.kind().name().toLowerCase(Locale.ROOT), library.binary(), params);
    }

    private void softmax(LoweredNode node, int axis, View in, View out) {
        LoopParams.requireRank(node, in);
        LoopParams.requireSame(in, out);
        Params.Writer params = Params.SOFTMAX
                .allocate(arena)
                .point("src", plan.locate(in))
                .point("dst", plan.locate(out))
                .setAll("dims", LoopParams.dims(in))
                .setAll("src_strides", in.strides())
                .setAll("dst_strides", out.strides())
                .set("rank", in.rank())
                .set("axis", axis < 0 ? axis + in.rank() : axis);
        step(node, "softmax_f32", library.softmax(), params);
    }

    private void reduce(LoweredNode node, Op.Reduce reduce, View in, View out) {
        LoopParams.requireRank(node, in);
        long mask = 0;
        if (node.hasInput(1)) {
            for (long axis : plan.constant(node, 1).toLongs()) {
                mask |= 1L << (axis < 0 ? axis + in.rank() : axis);
            }
        }
        if (mask == 0) {
            mask = (1L << in.rank()) - 1;
        }
        long[] strides = new long[in.rank()];
        int kept = 0;
        for (int d = 0; d < in.rank(); d++) {
            boolean reduced = (mask >> d & 1) != 0;
            strides[d] = reduced ? 0 : out.strides()[reduce.keepDims() ? d : kept];
            kept += reduced ? 0 : 1;
        }
        // The result as the loop over the input walks it, again and again over the same elements.
        View walked = new View(out.storage(), out.offset(), in.dims(), strides);
        Params.Writer params = Params.REDUCE
                .allocate(arena)
                .point("src", plan.locate(in))
                .point("dst", plan.locate(walked))
                .setAll("dims", LoopParams.dims(in))
                .setAll("src_strides", in.strides())
                .setAll("dst_strides", strides)
                .set("rank", in.rank())
                .set("kind", reduce.kind().ordinal())
                .set("axis_mask", mask);
        step(node, "reduce_f32 " + reduce.kind().name().toLowerCase(Locale.ROOT), library.reduce(), params);
    }

    // --- rearrangements that need copies ---------------------------------------------------------------------------

    private void pad(LoweredNode node, Op.Pad pad, View in, View out) {
        long[] pads = plan.constant(node, 1).toLongs();
        long[] axes = node.hasInput(3) ? plan.constant(node, 3).toLongs() : null;
        float value = node.hasInput(2) ? plan.constant(node, 2).floatAt(0) : 0;
        int count = pads.length / 2;
        long[] before = new long[in.rank()];
        long[] after = new long[in.rank()];
        for (int i = 0; i < count; i++) {
            int axis = axes == null ? i : (int) (axes[i] < 0 ? axes[i] + in.rank() : axes[i]);
            before[axis] = pads[i];
            after[axis] = pads[i + count];
        }
        View from = in;
        View inner = out;
        for (int axis = 0; axis < in.rank(); axis++) {
            // What is cut off is not read, and what is left lies as far behind the beginning as is added there.
            long cut = Math.max(0, -before[axis]);
            long left = in.dims()[axis] - cut - Math.max(0, -after[axis]);
            if (left <= 0) {
                throw NodeErrors.unsupported(node, "pads " + Arrays.toString(pads) + " that leave nothing of "
                        + Arrays.toString(in.dims()));
            }
            from = from.slice(axis, cut, (int) left, 1);
            inner = inner.slice(axis, Math.max(0, before[axis]), (int) left, 1);
        }
        if (pad.mode() == Op.Pad.Mode.CONSTANT) {
            fill(node, out, value);
            copy(node, from, inner);
            return;
        }
        if (Arrays.stream(pads).anyMatch(p -> p < 0)) {
            throw NodeErrors.unsupported(node,
                    "negative pads " + Arrays.toString(pads) + " with the mode " + pad.mode());
        }
        copy(node, from, inner);
        for (int axis = 0; axis < in.rank(); axis++) {
            // Whole along the axes that are done, and as far as the input reaches along those to come.
            View slab = out;
            for (int later = axis + 1; later < in.rank(); later++) {
                slab = slab.slice(later, before[later], in.dims()[later], 1);
            }
            border(node, pad.mode(), axis, (int) before[axis], in.dims()[axis], slab);
        }
    }

    private void fill(LoweredNode node, View out, float value) {
        View[] views = LoopParams.bound(node, out);
        Params.Writer params = Params.FILL
                .allocate(arena)
                .point("dst", plan.locate(out))
                .setAll("dims", LoopParams.dims(views[0]))
                .setAll("dst_strides", views[0].strides())
                .set("rank", views[0].rank())
                .setFloat("value", value);
        step(node, "fill_f32", library.fill(), params);
    }

    /** Copies to what lies beside {@code size} elements along an axis, {@code before} of them in front, from these. */
    private void border(LoweredNode node, Op.Pad.Mode mode, int axis, int before, int size, View slab) {
        int after = slab.dims()[axis] - before - size;
        int end = before + size;
        if (before > 0) {
            View to = slab.slice(axis, 0, before, 1);
            copy(node, switch (mode) {
                case REFLECT -> slab.slice(axis, 2L * before, before, -1);
                case WRAP -> slab.slice(axis, size, before, 1);
                case EDGE -> slab.slice(axis, before, 1, 1).broadcast(to.dims());
                case CONSTANT -> throw new IllegalStateException("a value is no border");
            }, to);
        }
        if (after > 0) {
            View to = slab.slice(axis, end, after, 1);
            copy(node, switch (mode) {
                case REFLECT -> slab.slice(axis, end - 2L, after, -1);
                case WRAP -> slab.slice(axis, before, after, 1);
                case EDGE -> slab.slice(axis, end - 1L, 1, 1).broadcast(to.dims());
                case CONSTANT -> throw new IllegalStateException("a value is no border");
            }, to);
        }
    }

    private static boolean isShortVector(Tensor indices) {
        return indices.elements() <= MOST_COPIES && indices.shape().rank() <= 1;
    }

    private void gather(LoweredNode node, Op.Gather gather, View in, View out) {
        Tensor indices = plan.constant(node, 1);
        int axis = gather.axis() < 0 ? gather.axis() + in.rank() : gather.axis();
        for (int i = 0; i < indices.elements(); i++) {
            long index = indices.longAt(i);
            View from = in.slice(axis, index < 0 ? index + in.dims()[axis] : index, 1, 1);
            View to = indices.shape().rank() == 0
                    ? out.reshape(from.dims()).orElseThrow()
                    : out.slice(axis, i, 1, 1);
            copy(node, from, to);
        }
    }

    /** Source and target of the one copy that it is: batch, block, channels, rows, columns. */
    static View[] spaceToDepth(Op.SpaceToDepth space, View in, View out) {
        int b = space.blockSize();
        int n = in.dims()[0];
        int c = in.dims()[1];
        int h = out.dims()[2];
        int w = out.dims()[3];
        View from = in.reshape(new int[] {n, c, h, b, w, b}).orElseThrow().transpose(new int[] {0, 3, 5, 1, 2, 4});
        View to = out.reshape(new int[] {n, b, b, c, h, w}).orElseThrow();
        return new View[] {from, to};
    }
}
