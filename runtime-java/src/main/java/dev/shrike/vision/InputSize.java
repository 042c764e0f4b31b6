package dev.shrike.vision;

import dev.shrike.ModelException;
import dev.shrike.UnsupportedModelException;
import dev.shrike.graph.Shape;

/**
 * Size of a network's input in pixels.
 *
 * @param width width, positive
 * @param height height, positive
 */
public record InputSize(int width, int height) {
    /** The side that YOLOv5 and YOLOv8 take when nothing else is said. */
    public static final int DEFAULT_SIDE = 640;

    private static final int LARGEST_SIDE = 16384;

    public InputSize {
        if (width < 1 || height < 1 || width > LARGEST_SIDE || height > LARGEST_SIDE) {
            throw new IllegalArgumentException("input size " + width + "x" + height + " is not within 1 to "
                    + LARGEST_SIDE);
        }
    }

    /**
     * The size to run a network with. A side that the model leaves open takes the wanted value, rounded up to a
     * multiple of the stride; one that the model fixes stays.
     *
     * @param shape shape of the model's input, {@code [N, 3, H, W]}
     * @param wantedWidth wanted width, or 0 for the model's own, or 640 if it leaves that open
     * @param wantedHeight wanted height, or 0
     * @param stride largest stride of the network
     * @throws UnsupportedModelException if the model fixes another size than the wanted one
     * @throws ModelException if the model's own size makes no sense
     */
    public static InputSize choose(Shape shape, int wantedWidth, int wantedHeight, int stride) {
        long ownHeight = shape.dim(2);
        long ownWidth = shape.dim(3);
        if (clashes(ownWidth, wantedWidth) || clashes(ownHeight, wantedHeight)) {
            throw new UnsupportedModelException("the model's input is fixed to " + side(ownWidth) + "x"
                    + side(ownHeight) + " (width x height), " + side(orOpen(wantedWidth)) + "x"
                    + side(orOpen(wantedHeight))
                    + " was asked for: leave the size out, or export the model with dynamic axes");
        }
        return new InputSize(pick(ownWidth, wantedWidth, stride), pick(ownHeight, wantedHeight, stride));
    }

    private static boolean clashes(long own, int wanted) {
        return own != Shape.OPEN && wanted != 0 && own != wanted;
    }

    private static int pick(long own, int wanted, int stride) {
        if (own == Shape.OPEN) {
            return Math.ceilDiv(wanted == 0 ? DEFAULT_SIDE : wanted, stride) * stride;
        }
        if (own < 1 || own > LARGEST_SIDE) {
            throw new ModelException("the model's input has a side of " + own + " pixels, not within 1 to "
                    + LARGEST_SIDE);
        }
        return (int) own;
    }

    private static long orOpen(int wanted) {
        return wanted == 0 ? Shape.OPEN : wanted;
    }

    private static String side(long value) {
        return value == Shape.OPEN ? "any" : Long.toString(value);
    }
}
