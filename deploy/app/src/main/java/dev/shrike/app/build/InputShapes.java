package dev.shrike.app.build;

import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.vision.InputSize;
import dev.shrike.vision.Labels;
import java.util.Map;

/** Shapes for the inputs of a network that leave them open. */
public final class InputShapes {
    private InputShapes() {}

    /**
     * The full shape of an image input; other inputs keep their own.
     *
     * @param width wanted width in pixels, 0 for the model's own
     * @param height wanted height in pixels, 0 for the model's own
     * @throws UnsupportedModelException if a size is wanted of a network that takes no image, or another than its own
     */
    public static Map<String, Shape> of(Graph graph, int width, int height) {
        if (graph.inputs().size() != 1 || graph.inputs().getFirst().shape().rank() != 4) {
            if (width != 0) {
                throw new UnsupportedModelException("--imgsz is for networks with one image as input; this one has "
                        + graph.inputs());
            }
            return Map.of();
        }
        ValueInfo input = graph.inputs().getFirst();
        InputSize size = InputSize.choose(input.shape(), width, height, Labels.stride(graph.metadata()));
        long channels = input.shape().dim(1) == Shape.OPEN ? 3 : input.shape().dim(1);
        long batch = input.shape().dim(0) == Shape.OPEN ? 1 : input.shape().dim(0);
        return Map.of(input.name(), Shape.of(batch, channels, size.height(), size.width()));
    }
}
