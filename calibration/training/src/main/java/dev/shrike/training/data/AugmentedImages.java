package dev.shrike.training.data;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Images as inputs of a network, changed at random. What an epoch consists of depends on the seed, the number of the
 * epoch and the images alone, not on which thread reads what first. Any number of threads may use it.
 */
public final class AugmentedImages {
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;

    private final TrainingImages images;
    private final int width;
    private final int height;
    private final Augmentation augmentation;
    private final long seed;
    private final Rendering rendering;

    /**
     * Images for inputs of this size.
     *
     * @param images at most as large as the input; stay the caller's
     */
    public AugmentedImages(TrainingImages images, int width, int height, Augmentation augmentation, long seed) {
        this.images = images;
        this.width = width;
        this.height = height;
        this.augmentation = augmentation;
        this.seed = seed;
        this.rendering = new Rendering(width, height);
    }

    /** Number of images. */
    public int size() {
        return images.size();
    }

    /** Width of the inputs in pixels. */
    public int width() {
        return width;
    }

    /** Height of the inputs in pixels. */
    public int height() {
        return height;
    }

    /** Indices of all images in the order of an epoch. */
    public int[] order(int epoch) {
        int[] order = new int[size()];
        Arrays.setAll(order, i -> i);
        SplittableRandom random = new SplittableRandom(mixed(epoch, -1));
        for (int i = order.length - 1; i > 0; i--) {
            int other = random.nextInt(i + 1);
            int swapped = order[i];
            order[i] = order[other];
            order[other] = swapped;
        }
        return order;
    }

    /**
     * An image with the changes of an epoch.
     *
     * @param mosaic whether it may be joined with others
     */
    public Example read(int epoch, int index, boolean mosaic) {
        SplittableRandom random = new SplittableRandom(mixed(epoch, index));
        ColourJitter colours = ColourJitter.of(augmentation, random);
        FittedImage own = FittedImage.of(images, index);
        Placement placement;
        if (random.nextDouble() < augmentation.mosaic() && mosaic) {
            List<FittedImage> four = new ArrayList<>(List.of(own));
            while (four.size() < 4) {
                four.add(FittedImage.of(images, random.nextInt(size())));
            }
            placement = Placement.mosaic(four, width, height, augmentation, random);
        } else {
            placement = Placement.single(own, width, height, augmentation, random);
        }
        byte[] pixels = rendering.pixels(placement);
        colours.apply(pixels);
        return new Example(pixels, rendering.targets(placement));
    }

    private long mixed(int epoch, int index) {
        return (seed * GOLDEN + epoch) * GOLDEN + index;
    }
}
