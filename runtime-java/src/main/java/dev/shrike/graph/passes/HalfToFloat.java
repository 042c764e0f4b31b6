package dev.shrike.graph.passes;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphPass;
import dev.shrike.graph.Node;
import dev.shrike.graph.Numbers;
import dev.shrike.graph.Op;
import dev.shrike.graph.Quantization;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.ValueInfo;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Turns FLOAT16 and FLOAT64 inputs, outputs, constants and Casts into FLOAT32, in which the CPU engine computes. */
public final class HalfToFloat implements GraphPass {
    @Override
    public Graph apply(Graph graph) {
        boolean[] changed = new boolean[1];
        List<ValueInfo> inputs = retype(graph.inputs(), changed);
        List<ValueInfo> outputs = retype(graph.outputs(), changed);
        Map<String, Tensor> constants = new HashMap<>();
        graph.constants().forEach((name, tensor) -> constants.put(name, retype(tensor, changed)));
        List<Node> nodes = new ArrayList<>();
        for (Node node : graph.nodes()) {
            Op op = retype(node.op(), changed);
            nodes.add(op == node.op() ? node : node.withOp(op));
        }
        Map<String, Quantization> quantization = new HashMap<>();
        graph.quantization().forEach((name, q) -> quantization.put(name, new Quantization(retype(q.scale(), changed),
                q.zeroPoint(), q.bits(), q.signed(), q.narrow(), q.axis())));
        return changed[0]
                ? new Graph(graph.name(), inputs, outputs, nodes, constants, quantization, graph.metadata()) : graph;
    }

    private static boolean isOther(DataType type) {
        return type == DataType.FLOAT16 || type == DataType.FLOAT64;
    }

    private static List<ValueInfo> retype(List<ValueInfo> infos, boolean[] changed) {
        List<ValueInfo> result = new ArrayList<>();
        for (ValueInfo info : infos) {
            changed[0] |= isOther(info.type());
            result.add(isOther(info.type()) ? new ValueInfo(info.name(), DataType.FLOAT32, info.shape()) : info);
        }
        return result;
    }

    private static Tensor retype(Tensor tensor, boolean[] changed) {
        if (!isOther(tensor.type())) {
            return tensor;
        }
        changed[0] = true;
        return Numbers.cast(tensor, DataType.FLOAT32);
    }

    private static Op retype(Op op, boolean[] changed) {
        if (op instanceof Op.Cast cast && isOther(cast.to())) {
            changed[0] = true;
            return new Op.Cast(DataType.FLOAT32);
        }
        if (op instanceof Op.ConstantOfShape constant && isOther(constant.value().type())) {
            return new Op.ConstantOfShape(retype(constant.value(), changed));
        }
        return op;
    }
}
