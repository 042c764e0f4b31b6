package dev.shrike;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.spi.Backend;
import dev.shrike.spi.BatchProfile;

/**
 * The input of a detection network.
 *
 * @param name name of the input
 * @param shape {@code [batch, 3, height, width]}, where any dimension may be open
 * @param batch images of one run, or {@link Shape#OPEN} if the engine chooses
 */
record ImageInput(String name, Shape shape, long batch) {
    static final int CHANNELS = 3;

    /**
     * The only input of the network.
     *
     * @throws UnsupportedModelException if there are others, or it takes no images, or more than the engine can
     */
    static ImageInput of(Graph network, Backend backend) {
        if (network.inputs().size() != 1) {
            throw new UnsupportedModelException("network " + network.name() + " has " + network.inputs().size()
                    + " inputs, a detection network has one image");
        }
        ValueInfo input = network.inputs().getFirst();
        Shape shape = input.shape();
        boolean floating = input.type() == DataType.FLOAT32 || input.type() == DataType.FLOAT16;
        if (shape.rank() != 4 || !floating || shape.dim(1) != Shape.OPEN && shape.dim(1) != CHANNELS) {
            throw new UnsupportedModelException("input " + input.name() + " is " + input.type() + shape
                    + ", a detection network takes images as float Nx3xHxW");
        }
        if (shape.dim(0) == Shape.OPEN) {
            return new ImageInput(input.name(), shape, backend.runsBatches() ? Shape.OPEN : 1);
        }
        long batch = shape.dim(0);
        if (batch != 1 && !backend.runsBatches()) {
            throw new UnsupportedModelException(
                    "input " + input.name() + " is " + input.type() + shape + ", the engine '"
                            + backend.name() + "' takes one image at a time: export the model with a batch of 1");
        }
        if (batch < 1 || batch > BatchProfile.LARGEST) {
            throw new UnsupportedModelException("input " + input.name() + " is " + input.type() + shape
                    + ", a batch has 1 to " + BatchProfile.LARGEST + " images");
        }
        return new ImageInput(input.name(), shape, batch);
    }
}
