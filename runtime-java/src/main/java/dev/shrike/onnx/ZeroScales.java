package dev.shrike.onnx;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Scales of 0, which quantisers of other tools give channels whose weights are all 0 (dead or pruned ones). The floats
 * are 0 then, whatever the code. Nothing can be divided by such a scale, so it becomes 1 and the weights 0.
 */
final class ZeroScales {
    private ZeroScales() {}

    /** Multiplies constant weights of channels with a scale of 0 by 0, and gives these the scale 1. */
    static void replaceInQuantizer(NodeDraft draft, int axis) {
        Optional<boolean[]> dead = dead(draft);
        Optional<ValueInfo> weights = draft.scope().ofConstants(draft.input(0));
        if (dead.isEmpty() || weights.isEmpty() || weights.get().type() != DataType.FLOAT32) {
            return;
        }
        float[] factors = new float[dead.get().length];
        for (int i = 0; i < factors.length; i++) {
            factors[i] = dead.get()[i] ? 0 : 1;
        }
        ReadScope scope = draft.scope();
        String mask = scope.addGenerated(draft.name() + "_alive",
                Tensor.ofFloats(alongAxis(weights.get().shape(), axis, factors.length), factors));
        String masked = scope.freshValue(draft.name() + "_masked");
        scope.addNode(new Node(scope.freshNode(draft.name() + "_masked"), new Op.Binary(Op.Binary.Kind.MUL),
                List.of(draft.input(0), mask), List.of(masked)));
        draft.setInput(0, masked);
        replaceScales(draft, dead.get());
    }

    /** Makes constant codes of channels with a scale of 0 their zero points, and gives these the scale 1. */
    static void replaceInDequantizer(NodeDraft draft, int axis) {
        ReadScope scope = draft.scope();
        Optional<boolean[]> dead = dead(draft);
        if (dead.isEmpty() || scope.ofConstants(draft.input(0)).isEmpty()) {
            return;
        }
        Optional<Tensor> codes = scope.constant(source(draft.input(0), scope, false));
        if (codes.isPresent()) {
            replaceCodes(draft, codes.get(), axis, dead.get());
            replaceScales(draft, dead.get());
            return;
        }
        Optional<Node> writer = scope.writer(source(draft.input(0), scope, true));
        if (writer.isPresent() && writer.get().op() instanceof Op.QuantizeLinear) {
            // Which was given weights of 0, so that its codes are the zero points.
            replaceScales(draft, dead.get());
        }
    }

    /** Where a value comes from through Identity, and Clip if wanted. */
    private static String source(String value, ReadScope scope, boolean throughClip) {
        String at = value;
        while (true) {
            Optional<Node> writer = scope.writer(at).filter(node -> node.op() instanceof Op.Identity
                    || throughClip && node.op() instanceof Op.Clip);
            if (writer.isEmpty()) {
                return at;
            }
            at = writer.get().input(0);
        }
    }

    private static void replaceCodes(NodeDraft draft, Tensor codes, int axis, boolean[] dead) {
        Optional<Tensor> zero = draft.constant(2);
        if (draft.hasInput(2) && zero.isEmpty()) {
            return;
        }
        int rank = codes.shape().rank();
        int at = axis < 0 ? axis + rank : axis;
        long inner = 1;
        for (int i = at + 1; i < rank; i++) {
            inner *= codes.shape().dim(i);
        }
        long[] values = codes.toLongs();
        for (int i = 0; i < values.length; i++) {
            int channel = dead.length == 1 ? 0 : (int) (i / inner % dead.length);
            if (dead[channel]) {
                values[i] = zero.isEmpty() ? 0 : zero.get().longAt(zero.get().elements() == 1 ? 0 : channel);
            }
        }
        draft.setConstant(0, "codes", Tensor.of(codes.type(), codes.shape(), values));
    }

    private static void replaceScales(NodeDraft draft, boolean[] dead) {
        Tensor scale = draft.constant(1).orElseThrow();
        float[] scales = scale.toFloats();
        for (int i = 0; i < scales.length; i++) {
            scales[i] = dead[i] ? 1 : scales[i];
        }
        draft.setConstant(1, "scale", Tensor.ofFloats(scale.shape(), scales));
    }

    private static Optional<boolean[]> dead(NodeDraft draft) {
        Optional<Tensor> scale = draft.constant(1).filter(tensor -> tensor.type() == DataType.FLOAT32);
        if (scale.isEmpty()) {
            return Optional.empty();
        }
        boolean[] dead = new boolean[Math.toIntExact(scale.get().elements())];
        boolean any = false;
        for (int i = 0; i < dead.length; i++) {
            dead[i] = scale.get().floatAt(i) == 0;
            any |= dead[i];
        }
        return any ? Optional.of(dead) : Optional.empty();
    }

    private static Shape alongAxis(Shape weights, int axis, int count) {
        int rank = weights.rank();
        int at = axis < 0 ? axis + rank : axis;
        if (count == 1 || at < 0 || at >= rank) {
            return Shape.of();
        }
        long[] dims = new long[rank];
        Arrays.fill(dims, 1);
        dims[at] = count;
        return Shape.of(dims);
    }
}
