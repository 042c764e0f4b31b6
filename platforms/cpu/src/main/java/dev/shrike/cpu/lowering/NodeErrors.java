package dev.shrike.cpu.lowering;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Node;
import java.util.NoSuchElementException;

/** Errors that name the node they are about. */
public final class NodeErrors {
    private NodeErrors() {}

    /** An error that says why a node does not run here. */
    public static UnsupportedModelException unsupported(Node node, String why) {
        return new UnsupportedModelException("node '" + node.name() + "' ("
                + node.op().getClass().getSimpleName() + "): " + why);
    }

    /** Does something for a node; what sizes and indices it trips over becomes an error that names the node. */
    public static void guarded(Node node, Runnable work) {
        try {
            work.run();
        } catch (ArithmeticException | IllegalArgumentException | IndexOutOfBoundsException
                | NoSuchElementException e) {
            UnsupportedModelException named =
                    unsupported(node, "the CPU engine cannot lay it out: " + e.getMessage());
            named.initCause(e);
            throw named;
        } catch (UnsupportedModelException e) {
            throw e.getMessage().startsWith("node '") ? e : unsupported(node, e.getMessage());
        }
    }
}
