package dev.shrike.training.torch;

import java.util.List;
import java.util.Map;
import org.bytedeco.pytorch.Tensor;

/** What training makes small. */
@FunctionalInterface
public interface Loss {
    /**
     * The loss of a batch.
     *
     * @param heads values of the heads, in the order of {@link dev.shrike.training.DetectHead#outputs}
     * @param targets {@code [boxes, 6]} floats: image of the batch, class, and centre x, centre y, width, height in
     *     parts of the input, on the host; none is {@code [0, 6]}
     */
    Value of(List<Tensor> heads, Tensor targets);

    /**
     * A loss and what it consists of.
     *
     * @param total scalar with a gradient
     * @param parts scalars for people, by name, in the order of display: {@code box}, {@code obj}, {@code cls} …
     */
    record Value(Tensor total, Map<String, Tensor> parts) {}
}
