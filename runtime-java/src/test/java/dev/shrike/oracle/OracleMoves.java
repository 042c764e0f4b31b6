package dev.shrike.oracle;

import dev.shrike.graph.Op;
import java.util.ArrayList;
import java.util.List;

/** Operators whose elements are elements of what they read. */
final class OracleMoves {
    private OracleMoves() {}

    static IntervalTensor concat(int axis, List<IntervalTensor> in) {
        int[] dims = in.getFirst().dims().clone();
        int at = Math.floorMod(axis, dims.length);
        dims[at] = in.stream().mapToInt(tensor -> tensor.dims()[at]).sum();
        IntervalTensor result = IntervalTensor.empty(dims);
        int inner = inner(dims, at);
        int offset = 0;
        double span = 0;
        for (IntervalTensor tensor : in) {
            int chunk = tensor.dims()[at] * inner;
            for (int i = 0; i < tensor.size(); i++) {
                result.copy(i / chunk * dims[at] * inner + offset + i % chunk, tensor, i);
            }
            offset += chunk;
            span = Math.max(span, tensor.span());
        }
        // Operands of different codes are no longer codes of one kind; what matters is how far they reach.
        return in.stream().allMatch(IntervalTensor::isCoded) && sameCodes(in) ? result.ofCodes(span,
                in.getFirst().zeroCode()) : result;
    }

    private static boolean sameCodes(List<IntervalTensor> in) {
        return in.stream().allMatch(tensor -> tensor.span() == in.getFirst().span()
                && tensor.zeroCode() == in.getFirst().zeroCode());
    }

    private static int inner(int[] dims, int axis) {
        int inner = 1;
        for (int i = axis + 1; i < dims.length; i++) {
            inner *= dims[i];
        }
        return inner;
    }

    static List<IntervalTensor> split(int axis, IntervalTensor x, IntervalTensor sizes) {
        int at = Math.floorMod(axis, x.dims().length);
        int inner = inner(x.dims(), at);
        List<IntervalTensor> parts = new ArrayList<>();
        int offset = 0;
        for (double size : sizes.value()) {
            int[] dims = x.dims().clone();
            dims[at] = (int) size;
            int chunk = dims[at] * inner;
            int[] source = new int[IntervalTensor.elements(dims)];
            for (int i = 0; i < source.length; i++) {
                source[i] = i / chunk * x.dims()[at] * inner + offset + i % chunk;
            }
            parts.add(x.gather(dims, source));
            offset += chunk;
        }
        return parts;
    }

    static IntervalTensor reshape(IntervalTensor x, IntervalTensor shape) {
        int[] dims = new int[shape.size()];
        int open = -1;
        int known = 1;
        for (int i = 0; i < dims.length; i++) {
            int given = (int) shape.value()[i];
            dims[i] = given == 0 ? x.dims()[i] : given;
            open = given < 0 ? i : open;
            known *= given < 0 ? 1 : dims[i];
        }
        if (open >= 0) {
            dims[open] = x.size() / known;
        }
        return new IntervalTensor(dims, x.value(), x.low(), x.high(), x.span(), x.zeroCode());
    }

    static IntervalTensor transpose(IntervalTensor x, List<Integer> permutation) {
        int rank = x.dims().length;
        int[] dims = new int[rank];
        int[] strides = new int[rank];
        for (int i = 0; i < rank; i++) {
            int from = permutation.isEmpty() ? rank - 1 - i : permutation.get(i);
            dims[i] = x.dims()[from];
            strides[i] = inner(x.dims(), from);
        }
        int[] source = new int[x.size()];
        for (int i = 0; i < source.length; i++) {
            int rest = i;
            for (int axis = rank - 1; axis >= 0; axis--) {
                source[i] += rest % dims[axis] * strides[axis];
                rest /= dims[axis];
            }
        }
        return x.gather(dims, source);
    }

    /** Nearest elements: X, roi?, scales?, sizes?. */
    static IntervalTensor resize(Op.Resize op, IntervalTensor x, List<IntervalTensor> in) {
        if (op.mode() != Op.Resize.Mode.NEAREST) {
            throw new IllegalArgumentException("the oracle does not know " + op);
        }
        boolean bySizes = in.size() > 3 && in.get(3) != null;
        int rank = x.dims().length;
        int[] dims = new int[rank];
        double[] scales = new double[rank];
        for (int i = 0; i < rank; i++) {
            int from = x.dims()[i];
            dims[i] = bySizes ? (int) in.get(3).value()[i] : (int) Math.floor(from * in.get(2).value()[i]);
            scales[i] = bySizes ? dims[i] / (double) from : in.get(2).value()[i];
        }
        int[] source = new int[IntervalTensor.elements(dims)];
        for (int i = 0; i < source.length; i++) {
            int rest = i;
            for (int axis = rank - 1; axis >= 0; axis--) {
                int at = nearest(op, rest % dims[axis], x.dims()[axis], dims[axis], scales[axis]);
                source[i] += at * inner(x.dims(), axis);
                rest /= dims[axis];
            }
        }
        return x.gather(dims, source);
    }

    private static int nearest(Op.Resize op, int index, int from, int to, double scale) {
        double at = switch (op.coordinates()) {
            case ASYMMETRIC -> index / scale;
            case HALF_PIXEL -> (index + 0.5) / scale - 0.5;
            case PYTORCH_HALF_PIXEL -> to > 1 ? (index + 0.5) / scale - 0.5 : 0;
            case ALIGN_CORNERS -> to > 1 ? index * (from - 1.0) / (to - 1) : 0;
        };
        double chosen = switch (op.nearest()) {
            case FLOOR -> Math.floor(at);
            case CEIL -> Math.ceil(at);
            case ROUND_PREFER_FLOOR -> Math.ceil(at - 0.5);
            case ROUND_PREFER_CEIL -> Math.floor(at + 0.5);
        };
        return (int) Math.clamp(chosen, 0, from - 1);
    }
}
