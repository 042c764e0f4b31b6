package dev.shrike.graph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What no output needs goes. */
class EliminateDeadNodesTest {
    @Test
    void dropsNodesAndConstantsButNoInputs() {
        Graph graph = new GraphBuilder().input("x", 2).input("unused", 1).constant("one", 1).constant("two", 2)
                .node("dead", new Op.Binary(Op.Binary.Kind.ADD), "x", "two")
                .node("y", new Op.Binary(Op.Binary.Kind.ADD), "x", "one").output("y").build();
        Graph alive = new EliminateDeadNodes().apply(graph);
        assertEquals(List.of("y"), alive.nodes().stream().map(Node::name).toList());
        assertEquals(Map.of("one", graph.constants().get("one")), alive.constants());
        assertEquals(graph.inputs(), alive.inputs());
        assertSame(alive, new EliminateDeadNodes().apply(alive));
    }
}
