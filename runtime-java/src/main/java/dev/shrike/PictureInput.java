package dev.shrike;

import dev.shrike.graph.DataType;
import dev.shrike.graph.Graph;
import dev.shrike.graph.Shape;
import dev.shrike.graph.ValueInfo;
import dev.shrike.spi.Backend;
import dev.shrike.spi.Batches;

/**
 * The input of a detection network.
 *
 * @param name name of the input
 * @param shape {@code [batch, 3, height, width]}, where any dimension may be open
 * @param batch pictures of one run, or {@link Shape#OPEN} if the engine chooses
 */
record PictureInput(String name, Shape shape, long batch) {
    static final int CHANNELS = 3;

    /**
     * The only input of the network.
     *
     * @throws UnsupportedModelException if there are others, or it takes no pictures, or more than the engine can
     */
    static PictureInput of(Graph network, Backend backend) {
        if (network.inputs().size() != 1) {
            throw new UnsupportedModelException("network " + network.name() + " has " + network.inputs().size()
                    + " inputs, a detection network has one picture");
        }
        ValueInfo input = network.inputs().getFirst();
        Shape shape = input.shape();
        boolean floating = input.type() == DataType.FLOAT32 || input.type() == DataType.FLOAT16;
        if (shape.rank() != 4 || !floating || shape.dim(1) != Shape.OPEN && shape.dim(1) != CHANNELS) {
            throw new UnsupportedModelException("input " + input.name() + " is " + input.type() + shape
                    + ", a detection network takes pictures as float Nx3xHxW");
        }
        if (shape.dim(0) == Shape.OPEN) {
            return new PictureInput(input.name(), shape, backend.runsBatches() ? Shape.OPEN : 1);
        }
        long batch = shape.dim(0);
        if (batch != 1 && !backend.runsBatches()) {
            throw new UnsupportedModelException(
                    "input " + input.name() + " is " + input.type() + shape + ", the engine '"
                            + backend.name() + "' takes one picture at a time: export the model with a batch of 1");
        }
        if (batch < 1 || batch > Batches.LARGEST) {
            throw new UnsupportedModelException("input " + input.name() + " is " + input.type() + shape
                    + ", a batch has 1 to " + Batches.LARGEST + " pictures");
        }
        return new PictureInput(input.name(), shape, batch);
    }
}
