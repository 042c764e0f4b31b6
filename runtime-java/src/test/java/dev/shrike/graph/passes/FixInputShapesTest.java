package dev.shrike.graph.passes;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.ModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.GraphBuilder;
import dev.shrike.graph.Op;
import dev.shrike.graph.Shape;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Open input dimensions get sizes or a clear question. */
class FixInputShapesTest {
    private static final Graph GRAPH =
            new GraphBuilder().input("images", -1, 3, -1, -1).node("y", new Op.Identity(), "images").output("y")
                    .build();

    private static String failure(Map<String, Shape> shapes) {
        return assertThrows(ModelException.class, () -> new FixInputShapes(shapes).apply(GRAPH)).getMessage();
    }

    @Test
    void theBatchDefaultsToOne() {
        Graph fixed = new FixInputShapes(Map.of("images", Shape.of(-1, 3, 32, 64))).apply(GRAPH);
        assertEquals(Shape.of(1, 3, 32, 64), fixed.inputs().getFirst().shape());
        assertSame(fixed, new FixInputShapes(Map.of()).apply(fixed));
    }

    @Test
    void whatDoesNotFitIsNamed() {
        assertTrue(failure(Map.of()).contains("[?x3x?x?] and needs a size"));
        assertTrue(failure(Map.of("images", Shape.of(1, 4, 32, 32))).contains("accepts [?x3x?x?]"));
        assertTrue(failure(Map.of("images", Shape.of(3, 32, 32))).contains("[3x32x32]"));
        assertTrue(failure(Map.of("images", Shape.of(1, 3, 0, 32))).contains("at least 1"));
        assertTrue(failure(Map.of("image", Shape.of(1, 3, 32, 32))).contains("'images'"));
    }
}
