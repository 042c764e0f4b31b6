package dev.shrike.training.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * An image in the size that a letterbox gives it, without the border.
 *
 * @param width pixels a row, at most those of the input
 * @param height rows, at most those of the input
 * @param rgb unsigned bytes, {@code [height, width, 3]}
 * @param boxes five numbers each: class, and centre x, centre y, width, height in parts of the image
 */
record FittedImage(int width, int height, byte[] rgb, float[] boxes) {
    FittedImage {
        if (rgb.length != 3 * width * height || boxes.length % 5 != 0) {
            throw new IllegalArgumentException(rgb.length + " bytes for " + width + " x " + height + ", "
                    + boxes.length + " numbers of boxes");
        }
    }

    static FittedImage of(TrainingImages images, int index) {
        int width = images.width(index);
        int height = images.height(index);
        byte[] rgb = new byte[3 * width * height];
        MemorySegment.copy(images.pixels(index), ValueLayout.JAVA_BYTE, 0, rgb, 0, rgb.length);
        return new FittedImage(width, height, rgb, images.boxes(index));
    }
}
