package dev.shrike.training;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.shrike.Frame;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Node;
import dev.shrike.graph.Op;
import dev.shrike.graph.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("any-processor")
class GammaHistoryTest {
    @TempDir
    Path folder;

    /** The network with every second gamma replaced. */
    private static Graph with(Graph graph, float gamma) {
        Map<String, Tensor> constants = new HashMap<>(graph.constants());
        for (Node node : graph.nodes()) {
            if (node.op() instanceof Op.BatchNormalization) {
                float[] values = constants.get(node.input(1)).toFloats();
                for (int i = 0; i < values.length; i += 2) {
                    values[i] = gamma;
                }
                constants.put(node.input(1), Tensor.ofFloats(constants.get(node.input(1)).shape(), values));
            }
        }
        return graph.withNodes(graph.nodes(), constants);
    }

    @Test
    void sharesAndCountsAreKeptAndDrawn() throws IOException {
        Graph graph = TestNetworks.yolov5(64, 2, true).whole();
        assertEquals(0, new GammaHistory(folder, 0).add(graph));
        assertEquals(0.5, new GammaHistory(folder, 1).add(with(graph, -0.005f)));
        assertEquals(0, new GammaHistory(folder, 2).add(with(graph, 100)));
        List<String> lines = Files.readAllLines(folder.resolve("gammas.csv"));
        assertEquals(4, lines.size());
        assertTrue(lines.get(2).startsWith("2,0.5000,10,"), lines.get(2));
        assertTrue(lines.get(3).endsWith(",10"), lines.get(3));
        Frame chart = Frame.read(folder.resolve("gammas.png"));
        assertTrue(chart.width() > 400 && chart.height() > 400);
        // A run that goes on after the first epoch forgets the others.
        new GammaHistory(folder, 1).add(graph);
        assertEquals(3, Files.readAllLines(folder.resolve("gammas.csv")).size());
    }

    @Test
    void aNetworkWithoutNormalizationHasNone() {
        assertEquals(0, new GammaHistory(folder, 0).add(TestNetworks.yolov5(64, 2, false).whole()));
    }
}
