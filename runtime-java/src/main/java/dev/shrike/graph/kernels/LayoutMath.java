package dev.shrike.graph.kernels;

import dev.shrike.graph.Indices;
import dev.shrike.graph.NodeView;
import dev.shrike.graph.Numbers;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.TensorType;
import dev.shrike.graph.shapes.LayoutShapes;
import dev.shrike.graph.shapes.SliceBounds;
import java.util.ArrayList;
import java.util.List;

/** Reference code of operations that only move elements: each is a list of source indices. */
final class LayoutMath {
    private LayoutMath() {}

    static Tensor concat(NodeView view, Op.Concat concat, TensorType out) {
        int axis = view.axis(concat.axis(), out.shape().rank());
        boolean real = out.type().isFloating();
        int count = Math.toIntExact(out.shape().elements());
        double[] floats = new double[real ? count : 0];
        long[] wholes = new long[real ? 0 : count];
        int outer = Indices.product(out.shape(), 0, axis);
        int row = Indices.product(out.shape(), axis, out.shape().rank());
        int at = 0;
        for (int i = 0; i < view.inputCount(); i++) {
            int part = Indices.product(view.shape(i), axis, view.shape(i).rank());
            Object from = real ? Numbers.floats(view.known(i)) : view.known(i).toLongs();
            for (int o = 0; o < outer; o++) {
                System.arraycopy(from, o * part, real ? floats : wholes, o * row + at, part);
            }
            at += part;
        }
        return real ? Numbers.real(out.type(), out.shape(), floats) : Tensor.of(out.type(), out.shape(), wholes);
    }

    static List<Tensor> split(NodeView view, Op.Split split, List<TensorType> outputs) {
        Shape x = view.shape(0);
        int axis = view.axis(split.axis(), x.rank());
        long[] strides = Indices.strides(x);
        List<Tensor> parts = new ArrayList<>();
        long offset = 0;
        for (TensorType part : outputs) {
            parts.add(Numbers.take(view.known(0), part.shape(), Indices.strided(part.shape(), strides, offset)));
            offset += part.shape().dim(axis) * strides[axis];
        }
        return parts;
    }

    static Tensor slice(NodeView view, Shape out) {
        SliceBounds bounds = SliceBounds.of(view).orElseThrow(() -> view.error("its bounds are not known"));
        long[] strides = Indices.strides(view.shape(0));
        long offset = 0;
        for (int i = 0; i < strides.length; i++) {
            offset += bounds.starts()[i] * strides[i];
            // With a single element the step is never taken, and it may be huge.
            strides[i] = bounds.counts()[i] <= 1 ? 0 : strides[i] * bounds.steps()[i];
        }
        return Numbers.take(view.known(0), out, Indices.strided(out, strides, offset));
    }

    static Tensor transpose(NodeView view, Op.Transpose transpose, Shape out) {
        long[] source = Indices.strides(view.shape(0));
        List<Integer> permutation = LayoutShapes.permutation(view, transpose);
        long[] strides = new long[source.length];
        for (int i = 0; i < strides.length; i++) {
            strides[i] = source[permutation.get(i)];
        }
        return Numbers.take(view.known(0), out, Indices.strided(out, strides, 0));
    }

    static Tensor pad(NodeView view, Op.Pad pad, Shape out) {
        Shape x = view.shape(0);
        long[] pads = LayoutShapes.pads(view).orElseThrow(() -> view.error("its pads are not known"));
        long[] strides = Indices.strides(x);
        int[] indices = new int[Math.toIntExact(out.elements())];
        long[] outStrides = Indices.strides(out);
        for (int i = 0; i < indices.length; i++) {
            long index = 0;
            for (int d = 0; d < strides.length && index >= 0; d++) {
                long at = source(pad.mode(), i / outStrides[d] % out.dim(d) - pads[d], x.dim(d));
                index = at < 0 ? -1 : index + at * strides[d];
            }
            indices[i] = (int) index;
        }
        Tensor filler = pad.mode() == Op.Pad.Mode.CONSTANT ? view.value(2).orElse(null) : null;
        if (filler != null && filler.elements() != 1) {
            throw view.mismatch("the padding value has shape " + filler.shape(), "one element");
        }
        return Numbers.take(view.known(0), out, indices, filler);
    }

    /** Which of {@code size} elements lies at a place before, among or behind them; -1 for none. */
    private static long source(Op.Pad.Mode mode, long at, long size) {
        if (at >= 0 && at < size) {
            return at;
        }
        return switch (mode) {
            case CONSTANT -> -1;
            case REFLECT -> at < 0 ? -at : 2 * size - 2 - at;
            case EDGE -> at < 0 ? 0 : size - 1;
            case WRAP -> at < 0 ? at + size : at - size;
        };
    }

    static Tensor spaceToDepth(NodeView view, Op.SpaceToDepth space, Shape out) {
        Shape x = view.shape(0);
        int block = space.blockSize();
        int channels = (int) x.dim(1);
        int height = (int) out.dim(2);
        int width = (int) out.dim(3);
        int[] indices = new int[Math.toIntExact(out.elements())];
        for (int i = 0; i < indices.length; i++) {
            int column = i % width;
            int row = i / width % height;
            int map = i / (width * height);
            int cell = map % (int) out.dim(1) / channels;
            int channel = map / (int) out.dim(1) * channels + map % channels;
            indices[i] = (channel * height * block + row * block + cell / block) * width * block + column * block
                    + cell % block;
        }
        return Numbers.take(view.known(0), out, indices);
    }

    static Tensor depthToSpace(NodeView view, Op.DepthToSpace depth, Shape out) {
        Shape x = view.shape(0);
        int block = depth.blockSize();
        int channels = (int) out.dim(1);
        int height = (int) x.dim(2);
        int width = (int) x.dim(3);
        int[] indices = new int[Math.toIntExact(out.elements())];
        for (int i = 0; i < indices.length; i++) {
            int column = i % (width * block);
            int row = i / (width * block) % (height * block);
            int channel = i / (width * block * height * block) % channels;
            int batch = i / (width * block * height * block * channels);
            int cell = row % block * block + column % block;
            int from = depth.depthColumnRow() ? cell * channels + channel : channel * block * block + cell;
            indices[i] = ((batch * (int) x.dim(1) + from) * height + row / block) * width + column / block;
        }
        return Numbers.take(view.known(0), out, indices);
    }

    static Tensor gather(NodeView view, Op.Gather gather, Shape out) {
        Shape x = view.shape(0);
        int axis = view.axis(gather.axis(), x.rank());
        long size = x.dim(axis);
        long[] wanted = view.known(1).toLongs();
        int outer = Indices.product(x, 0, axis);
        int inner = Indices.product(x, axis + 1, x.rank());
        int[] indices = new int[Math.toIntExact(out.elements())];
        int at = 0;
        LayoutShapes.requireWithin(view, view.known(1), size);
        for (int o = 0; o < outer; o++) {
            for (long index : wanted) {
                long row = o * size + (index < 0 ? index + size : index);
                for (int i = 0; i < inner; i++) {
                    indices[at++] = (int) (row * inner + i);
                }
            }
        }
        return Numbers.take(view.known(0), out, indices);
    }

    static Tensor range(NodeView view, TensorType out) {
        int count = Math.toIntExact(out.shape().elements());
        Tensor start = view.known(0);
        Tensor delta = view.known(2);
        if (out.type().isFloating()) {
            double[] values = new double[count];
            for (int i = 0; i < count; i++) {
                values[i] = start.doubleAt(0) + i * delta.doubleAt(0);
            }
            return Numbers.real(out.type(), out.shape(), values);
        }
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
            values[i] = start.longAt(0) + i * delta.longAt(0);
        }
        return Tensor.of(out.type(), out.shape(), values);
    }

    static Tensor tile(NodeView view, Shape out) {
        Shape x = view.shape(0);
        long[] strides = Indices.strides(x);
        long[] outStrides = Indices.strides(out);
        int[] indices = new int[Math.toIntExact(out.elements())];
        for (int i = 0; i < indices.length; i++) {
            long index = 0;
            for (int d = 0; d < strides.length; d++) {
                index += i / outStrides[d] % x.dim(d) * strides[d];
            }
            indices[i] = (int) index;
        }
        return Numbers.take(view.known(0), out, indices);
    }

    static Tensor fill(Tensor value, Shape out) {
        return Numbers.take(value, out, new int[Math.toIntExact(out.elements())]);
    }
}
