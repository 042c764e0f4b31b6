package dev.shrike.training.data;

import dev.shrike.files.Range;

/**
 * How images are changed at random. The defaults are those that YOLOv5 documents for training small networks.
 *
 * @param mosaic probability that four images are joined (Bochkovskiy et al. 2020, YOLOv4)
 * @param hue largest change of the hue, as a share of the circle
 * @param saturation largest relative change of the saturation
 * @param value largest relative change of the brightness
 * @param flip probability of a mirrored image
 * @param scale largest relative change of the size
 * @param translate largest shift, as a share of the input
 */
public record Augmentation(double mosaic, double hue, double saturation, double value, double flip, double scale,
        double translate) {
    /** Images as they are. */
    public static final Augmentation NONE = new Augmentation(0, 0, 0, 0, 0, 0, 0);
    /** What YOLOv5 documents for training from scratch. */
    public static final Augmentation DEFAULT = new Augmentation(1, 0.015, 0.7, 0.4, 0.5, 0.5, 0.1);

    public Augmentation {
        Range.require("mosaic", mosaic, 0, 1);
        Range.require("hue", hue, 0, 0.5);
        Range.require("saturation", saturation, 0, 1);
        Range.require("value", value, 0, 1);
        Range.require("flip", flip, 0, 1);
        Range.require("scale", scale, 0, 0.95);
        Range.require("translate", translate, 0, 0.9);
    }

    /** The same without mosaics, as the last epochs of a run have it. */
    public Augmentation withoutMosaic() {
        return new Augmentation(0, hue, saturation, value, flip, scale, translate);
    }

    /** Whether nothing is changed. */
    public boolean isNone() {
        return equals(NONE);
    }
}
