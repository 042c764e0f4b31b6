package dev.shrike.cpu.plan;

import dev.shrike.cpu.binding.NativeLibrary;
import dev.shrike.cpu.binding.Params;
import dev.shrike.cpu.binding.View;
import dev.shrike.cpu.lowering.LoweredNode;
import dev.shrike.cpu.lowering.NodeErrors;
import dev.shrike.cpu.steps.NativeStep;
import dev.shrike.graph.Op;
import dev.shrike.graph.kernels.ResizeWeights;
import java.lang.foreign.Arena;
import java.util.Arrays;

/** Makes the steps of matrix products. */
final class MatrixLowering {
    private static final int MAX_BATCH_RANK = 4;

    private final PlanBuilder plan;
    private final NativeLibrary library;
    private final long context;
    private final Arena arena;

    MatrixLowering(PlanBuilder plan, NativeLibrary library, long context, Arena arena) {
        this.plan = plan;
        this.library = library;
        this.context = context;
        this.arena = arena;
    }

    /** NumPy's matmul: vectors gain a dimension, leading dimensions broadcast. */
    void matMul(int index, LoweredNode node, View first, View out) {
        View second = plan.inputView(index, node, 1);
        View a = first.rank() == 1 ? first.reshape(new int[] {1, first.dims()[0]}).orElseThrow() : first;
        View b = second.rank() == 1 ? second.reshape(new int[] {second.dims()[0], 1}).orElseThrow() : second;
        int batch = Math.max(a.rank(), b.rank()) - 2;
        int[] full = new int[batch + 2];
        System.arraycopy(out.dims(), 0, full, 0, batch);
        full[batch] = a.dims()[a.rank() - 2];
        full[batch + 1] = b.dims()[b.rank() - 1];
        View target = out.reshape(full).orElseThrow();
        int[] aDims = full.clone();
        aDims[batch + 1] = a.dims()[a.rank() - 1];
        int[] bDims = full.clone();
        bDims[batch] = aDims[batch + 1];
        product(node, a.broadcast(aDims), b.broadcast(bDims), null, target, 1, 0);
    }

    /** {@code alpha A' B' + beta C}. */
    void gemm(int index, LoweredNode node, Op.Gemm gemm, View first, View out) {
        int[] swap = {1, 0};
        View a = gemm.transA() ? first.transpose(swap) : first;
        View second = plan.inputView(index, node, 1);
        View b = gemm.transB() ? second.transpose(swap) : second;
        View bias = node.hasInput(2) ? plan.inputView(index, node, 2).broadcast(out.dims()) : null;
        product(node, a, b, bias, out, gemm.alpha(), bias == null ? 0 : gemm.beta());
    }

    /** One product with the weights of each axis that is resized. */
    void resize(LoweredNode node, Op.Resize resize, View in, View out) {
        View from = in;
        int[] dims = in.dims().clone();
        int last = -1;
        for (int axis = 0; axis < in.rank(); axis++) {
            last = scale(node, axis, in, out) == 1 && in.dims()[axis] == out.dims()[axis] ? last : axis;
        }
        for (int axis = 0; axis <= last; axis++) {
            float scale = scale(node, axis, in, out);
            if (scale == 1 && in.dims()[axis] == out.dims()[axis]) {
                continue;
            }
            dims[axis] = out.dims()[axis];
            View to = axis == last ? out : plan.temporary(dims.clone(), out.order());
            float[] weights = ResizeWeights.of(resize, in.dims()[axis], dims[axis], scale);
            alongAxis(node, axis, plan.constant(weights, dims[axis], in.dims()[axis]), from, to);
            from = to;
        }
        if (last < 0) {
            throw new IllegalStateException("nothing is resized, which a pass before takes away");
        }
    }

    private float scale(LoweredNode node, int axis, View in, View out) {
        return node.hasInput(3) ? (float) out.dims()[axis] / in.dims()[axis]
                : plan.constant(node, 2).floatAt(axis);
    }

    /** The matrix times the axis, for every place in the other dimensions, of which the innermost are columns. */
    private void alongAxis(LoweredNode node, int axis, View matrix, View from, View to) {
        int columns = axis == 0 ? 1 : 0;
        for (int d = 0; d < to.rank(); d++) {
            columns = d != axis && to.dims()[d] > 1 && Math.abs(to.strides()[d]) <= Math.abs(to.strides()[columns])
                    || to.dims()[columns] == 1 && d != axis ? d : columns;
        }
        int[] order = new int[to.rank()];
        int at = 0;
        for (int d = 0; d < to.rank(); d++) {
            if (d != axis && d != columns) {
                order[at++] = d;
            }
        }
        order[at++] = axis;
        order[at] = columns;
        View x = from.transpose(order);
        View y = to.transpose(order);
        int[] dims = y.dims().clone();
        dims[dims.length - 2] = matrix.dims()[0];
        dims[dims.length - 1] = matrix.dims()[1];
        product(node, matrix.broadcast(dims), x, null, y, 1, 0);
    }

    private void product(LoweredNode node, View a, View b, View bias, View out, float alpha, float beta) {
        int batch = out.rank() - 2;
        if (batch > MAX_BATCH_RANK) {
            throw NodeErrors.unsupported(node, batch + " batch dimensions; at most " + MAX_BATCH_RANK);
        }
        long m = out.dims()[batch];
        long n = out.dims()[batch + 1];
        long k = a.dims()[batch + 1];
        Params.Writer params = Params.MATMUL
                .allocate(arena)
                .point("a", plan.locate(a))
                .point("b", plan.locate(b))
                .point("dst", plan.locate(out))
                .setAll("batch_dims", Arrays.copyOf(LoopParams.dims(out), batch))
                .set("m", m)
                .set("n", n)
                .set("k", k)
                .setFloat("alpha", alpha)
                .setFloat("beta", beta)
                .set("batch_rank", batch);
        strides(params, "a", a);
        strides(params, "b", b);
        strides(params, "dst", out);
        if (bias != null) {
            params.point("bias", plan.locate(bias));
            strides(params, "bias", bias);
        }
        long products = 1;
        for (int d = 0; d < batch; d++) {
            products *= out.dims()[d];
        }
        plan.add(new NativeStep(
                node.name(),
                "matmul_f32 " + m + "x" + k + "x" + n,
                products * m * n * k,
                library,
                library.matmul(),
                context,
                params.memory().address()));
    }

    private static void strides(Params.Writer params, String operand, View view) {
        int batch = view.rank() - 2;
        params.setAll(operand + "_batch_strides", Arrays.copyOf(view.strides(), batch))
                .set(operand + "_row_stride", view.strides()[batch])
                .set(operand + "_column_stride", view.strides()[batch + 1]);
    }
}
