package dev.shrike.heads;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The places where a network looks for objects: for each stride, smallest first, row by row.
 *
 * @param strides strides in pixels, each twice the one before
 * @param anchors boxes at each place
 */
record Grid(List<Integer> strides, int anchors) {
    private static final int SMALLEST = 4;
    private static final int LARGEST = 128;
    private static final int USUAL_FIRST = 8;
    private static final int USUAL_LAST = 32;

    Grid {
        strides = List.copyOf(strides);
    }

    /** The grid that has so many boxes with so many anchors at each place, of at least so many strides. */
    static Optional<Grid> of(long boxes, int anchors, int inputWidth, int inputHeight, int fewestStrides) {
        for (int first = SMALLEST; first <= LARGEST; first *= 2) {
            long places = 0;
            List<Integer> strides = new ArrayList<>();
            for (int stride = first; stride <= LARGEST; stride *= 2) {
                places += (long) Math.ceilDiv(inputWidth, stride) * Math.ceilDiv(inputHeight, stride);
                strides.add(stride);
                if (strides.size() >= fewestStrides && boxes == anchors * places) {
                    return Optional.of(new Grid(strides, anchors));
                }
            }
        }
        return Optional.empty();
    }

    /** Whether these are the strides of most networks: from 8 to 32 or more. */
    boolean isUsual() {
        return strides.getFirst() == USUAL_FIRST && strides.getLast() >= USUAL_LAST;
    }

    /** Column, row and stride of each place, one after the other. */
    float[] places(int inputWidth, int inputHeight) {
        List<float[]> parts = new ArrayList<>();
        int count = 0;
        for (int stride : strides) {
            int columns = Math.ceilDiv(inputWidth, stride);
            float[] part = new float[3 * columns * Math.ceilDiv(inputHeight, stride)];
            for (int i = 0; i < part.length / 3; i++) {
                part[3 * i] = i % columns;
                part[3 * i + 1] = i / columns;
                part[3 * i + 2] = stride;
            }
            parts.add(part);
            count += part.length;
        }
        float[] places = new float[count];
        int at = 0;
        for (float[] part : parts) {
            System.arraycopy(part, 0, places, at, part.length);
            at += part.length;
        }
        return places;
    }
}
