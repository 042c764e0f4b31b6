package dev.shrike.cpu.lowering;

import dev.shrike.graph.Node;
import dev.shrike.graph.Op;

/** Operations that only look differently at their input: what they give can be a view of it. */
public final class ViewOps {
    private ViewOps() {}

    /** Whether the result of a node can be a view of its input. */
    public static boolean isOne(Node node) {
        return switch (node.op()) {
            case Op.Reshape _,Op.Flatten _,Op.Squeeze _,Op.Unsqueeze _ -> true;
            case Op.Transpose _,Op.Identity _,Op.Split _,Op.Slice _,Op.Expand _ -> true;
            default -> false;
        };
    }
}
