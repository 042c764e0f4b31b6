package dev.shrike.cpu.plan;

import dev.shrike.cpu.binding.Params;
import dev.shrike.cpu.binding.View;
import dev.shrike.cpu.lowering.LoweredNode;
import dev.shrike.cpu.lowering.NodeErrors;
import dev.shrike.cpu.steps.ConvTask;
import dev.shrike.graph.Op;
import java.util.Arrays;
import java.util.stream.IntStream;

/** What the structs of steps on floats and of steps on codes have in common. */
final class LoopParams {
    private static final int MAX_RANK = 6;

    private LoopParams() {}

    /** Sets where images lie, and their sizes. */
    static Params.Writer image(Params.Writer params, PlanBuilder plan, View in, View out) {
        ConvTask.requireImage(in);
        ConvTask.requireImage(out);
        if (in.dims()[0] != out.dims()[0] || in.dims()[1] != out.dims()[1]) {
            throw new IllegalArgumentException("batch and channels of " + in + " and " + out + " differ");
        }
        return params.point("src", plan.locate(in))
                .point("dst", plan.locate(out))
                .setImage("src", in)
                .setImage("dst", out)
                .set("batch", in.dims()[0])
                .set("channels", in.dims()[1])
                .set("height", in.dims()[2])
                .set("width", in.dims()[3])
                .set("out_height", out.dims()[2])
                .set("out_width", out.dims()[3]);
    }

    /** Source and target of the one copy that it is: batch, two block dimensions, channels, rows, columns. */
    static View[] depthToSpace(Op.DepthToSpace shuffle, View in, View out) {
        int b = shuffle.blockSize();
        int n = in.dims()[0];
        int c = out.dims()[1];
        int h = in.dims()[2];
        int w = in.dims()[3];
        int[] split = shuffle.depthColumnRow() ? new int[] {n, b, b, c, h, w} : new int[] {n, c, b, b, h, w};
        int[] order = shuffle.depthColumnRow() ? new int[] {0, 3, 4, 1, 5, 2} : new int[] {0, 1, 4, 2, 5, 3};
        View from = in.reshape(split).orElseThrow().transpose(order);
        View to = out.reshape(new int[] {n, c, h, b, w, b}).orElseThrow();
        return new View[] {from, to};
    }

    /** Loops walk over all operands at once, so they must have the same dimensions. */
    static void requireSame(View first, View other) {
        if (!Arrays.equals(first.dims(), other.dims())) {
            throw new IllegalArgumentException(first + " and " + other + " differ in their dimensions");
        }
    }

    static void requireRank(LoweredNode node, View view) {
        if (view.rank() > MAX_RANK) {
            throw NodeErrors.unsupported(node, view.rank() + " dimensions; at most " + MAX_RANK);
        }
    }

    /** The views without their dimensions of size 1 where there are more than the kernels take. */
    static View[] bound(LoweredNode node, View... views) {
        for (View view : views) {
            requireSame(views[0], view);
        }
        if (views[0].rank() <= MAX_RANK) {
            return views;
        }
        int[] kept = IntStream.range(0, views[0].rank())
                .filter(d -> views[0].dims()[d] != 1)
                .toArray();
        if (kept.length > MAX_RANK) {
            throw NodeErrors.unsupported(node, kept.length + " dimensions larger than 1; at most " + MAX_RANK);
        }
        return Arrays.stream(views)
                .map(v -> new View(
                        v.storage(),
                        v.offset(),
                        Arrays.stream(kept).map(d -> v.dims()[d]).toArray(),
                        Arrays.stream(kept).mapToLong(d -> v.strides()[d]).toArray()))
                .toArray(View[]::new);
    }

    static long[] dims(View view) {
        return Arrays.stream(view.dims()).asLongStream().toArray();
    }
}
