package dev.shrike.heads;

import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.vision.Labels;
import dev.shrike.vision.Preprocessing;
import java.util.Optional;

/** Whether a network may want its images in another way than {@link Preprocessing#YOLO}, by its shapes alone. */
public final class ImageWarning {
    private ImageWarning() {}

    /**
     * What to tell those who measure values of a network on images as YOLOv5 wants them; empty if its output is not
     * that of YOLOX, or its shapes are open.
     */
    public static Optional<String> of(Graph network) {
        if (network.inputs().size() != 1 || network.inputs().getFirst().shape().rank() != 4) {
            return Optional.empty();
        }
        Shape input = network.inputs().getFirst().shape();
        int named = Labels.count(network.metadata());
        int values = 5 + (named > 0 ? named : Labels.COCO.size());
        boolean found = input.isKnown() && network.outputs().stream().map(ValueInfo::shape)
                .anyMatch(shape -> shape.rank() == 3 && shape.isKnown() && shape.dim(2) == values
                        && Grid.of(shape.dim(1), 1, (int) input.dim(3), (int) input.dim(2), 2).isPresent());
        return found
                ? Optional.of("its output is that of YOLOX or YOLOv6, and it is measured on images as YOLOv6 wants"
                        + " them (" + Preprocessing.YOLO.describe() + "): the result is of no use for YOLOX")
                : Optional.empty();
    }
}
