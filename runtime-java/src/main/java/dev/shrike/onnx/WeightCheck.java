package dev.shrike.onnx;

import dev.shrike.ModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Refuses networks whose training diverged: their every answer would be "nothing seen". */
final class WeightCheck {
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int EXPONENT = 0x7f800000;

    private WeightCheck() {}

    /** Complains about a constant with NaN, or with an infinity unless it only serves as a bound or filling. */
    static void check(Graph graph) {
        Set<String> elsewhere = new HashSet<>();
        for (Node node : graph.nodes()) {
            if (!mayReadInfinity(node.op())) {
                elsewhere.addAll(node.inputs());
            }
        }
        for (Map.Entry<String, Tensor> entry : graph.constants().entrySet()) {
            Tensor tensor = entry.getValue();
            if (tensor.type().isFloating()) {
                check(entry.getKey(), tensor, !elsewhere.contains(entry.getKey()));
            }
        }
    }

    private static void check(String name, Tensor tensor, boolean infinityAllowed) {
        long from = firstNonFinite(tensor, 0);
        while (from < tensor.elements()) {
            double value = tensor.doubleAt(from);
            if (Double.isNaN(value) || !infinityAllowed) {
                throw new ModelException("tensor '" + name + "' " + tensor.shape() + " holds " + value + " at element "
                        + from + "; the training diverged or the file is damaged, use another checkpoint");
            }
            from = firstNonFinite(tensor, from + 1);
        }
    }

    private static boolean mayReadInfinity(Op op) {
        return switch (op) {
            case Op.Clip _,Op.Pad _,Op.Where _,Op.Identity _,Op.Expand _,Op.Cast _ -> true;
            case Op.Binary binary -> binary.kind() == Op.Binary.Kind.MIN || binary.kind() == Op.Binary.Kind.MAX;
            default -> false;
        };
    }

    private static long firstNonFinite(Tensor tensor, long from) {
        return switch (tensor.type()) {
            case FLOAT32 -> firstNonFiniteFloat(tensor.data(), from);
            case FLOAT16, FLOAT64 -> {
                long i = from;
                while (i < tensor.elements() && Double.isFinite(tensor.doubleAt(i))) {
                    i++;
                }
                yield i;
            }
            case UINT8, INT8, UINT16, INT16, INT32, INT64, BOOL, UINT4, INT4 -> tensor.elements();
        };
    }

    private static long firstNonFiniteFloat(MemorySegment data, long from) {
        long end = data.byteSize();
        long at = 4 * from;
        while (at < end && (data.get(INT, at) & EXPONENT) != EXPONENT) {
            at += 4;
        }
        return at / 4;
    }
}
