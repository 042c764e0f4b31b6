package dev.shrike.training.data;

import java.lang.foreign.MemorySegment;

/** Decoded images with their boxes, to be read in any order and by several threads. Closed by who opened it. */
public interface TrainingImages extends AutoCloseable {
    /** Number of images. */
    int size();

    /** Width of an image in pixels. */
    int width(int index);

    /** Height of an image in pixels. */
    int height(int index);

    /** The pixels of an image: {@code height x width x 3} bytes, red, green, blue. */
    MemorySegment pixels(int index);

    /** The boxes of an image, five numbers each: class, and centre x, centre y, width, height in parts of the image. */
    float[] boxes(int index);

    @Override
    void close();
}
