package dev.shrike.cpu.lowering;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Node;
import java.util.NoSuchElementException;
import java.util.function.Supplier;

/** Errors that name the node they are about. */
public final class NodeErrors {
    private NodeErrors() {}

    /** An error that says why a node does not run here. */
    public static UnsupportedModelException unsupported(LoweredNode node, String why) {
        return unsupported(node.describe(), why);
    }

    private static UnsupportedModelException unsupported(String node, String why) {
        return new UnsupportedModelException(node + ": " + why);
    }

    /** Does something for a node; what sizes and indices it trips over becomes an error that names the node. */
    public static void guarded(LoweredNode node, Runnable work) {
        guarded(node::describe, work);
    }

    /** As for a node of a lowered network. */
    static void guarded(Node node, Runnable work) {
        guarded(() -> describe(node), work);
    }

    /** Name and operator of a node for messages: {@code "node 'head' (Conv)"}. */
    static String describe(Node node) {
        return "node '" + node.name() + "' (" + node.op().getClass().getSimpleName() + ")";
    }

    private static void guarded(Supplier<String> node, Runnable work) {
        try {
            work.run();
        } catch (ArithmeticException | IllegalArgumentException | IndexOutOfBoundsException
                | NoSuchElementException e) {
            UnsupportedModelException named =
                    unsupported(node.get(), "the CPU engine cannot lay it out: " + e.getMessage());
            named.initCause(e);
            throw named;
        } catch (UnsupportedModelException e) {
            throw e.getMessage().startsWith("node '") ? e : unsupported(node.get(), e.getMessage());
        }
    }
}
