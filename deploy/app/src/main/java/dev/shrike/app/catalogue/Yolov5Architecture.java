package dev.shrike.app.catalogue;

import java.util.ArrayList;
import java.util.List;

/**
 * The layers of YOLOv5 6.x for one size of the family. The family shares one table of layers; a size scales how often
 * blocks repeat (depth) and how many channels they have (width).
 *
 * @param depth factor of the number of bottlenecks in a C3 block, 0.33 for n and s
 * @param width factor of the number of channels, 0.25 for n, 0.50 for s
 * @param classes number of object classes
 */
record Yolov5Architecture(double depth, double width, int classes) {
    /** YOLOv5s for the 80 classes of COCO. */
    static final Yolov5Architecture SMALL = new Yolov5Architecture(0.33, 0.50, 80);

    /** Coarsest stride of the network: sides of its input are multiples of this. */
    static final int MAX_STRIDE = 32;

    /** Anchor boxes a cell, in pixels: width and height of each, for strides 8, 16 and 32. */
    static final List<List<Float>> ANCHORS = List.of(
            List.of(10f, 13f, 16f, 30f, 33f, 23f),
            List.of(30f, 61f, 62f, 45f, 59f, 119f),
            List.of(116f, 90f, 156f, 198f, 373f, 326f));

    /** One row of the table. Channels are already scaled. */
    sealed interface Layer {
        /** Convolution, SiLU. */
        record Conv(int channels, int kernel, int stride, int pad) implements Layer {}

        /** Cross-stage block of three convolutions around a chain of bottlenecks, with or without residual adds. */
        record C3(int channels, int bottlenecks, boolean shortcut) implements Layer {}

        /** Spatial pyramid pooling by three successive 5x5 maxima. */
        record Sppf(int channels) implements Layer {}

        /** Twice the size by nearest neighbour. */
        record Upsample() implements Layer {}

        /** The layer before, then an earlier one, by channels. */
        record Concat(int other) implements Layer {}

        /** The outputs: one convolution for each of three earlier layers. */
        record Detect(List<Integer> from) implements Layer {
            public Detect {
                from = List.copyOf(from);
            }
        }
    }

    Yolov5Architecture {
        if (!(depth > 0 && depth <= 2) || !(width > 0 && width <= 2)) {
            throw new IllegalArgumentException("depth " + depth + " and width " + width + " are not within 0 to 2");
        }
        if (classes < 1 || classes > 10_000) {
            throw new IllegalArgumentException(classes + " classes");
        }
    }

    /** The layers, numbered by their place. Each reads the one before it unless it says otherwise. */
    List<Layer> layers() {
        List<Layer> layers = new ArrayList<>();
        // Down to stride 32: each step halves the size.
        layers.add(new Layer.Conv(channels(64), 6, 2, 2));
        layers.add(conv(128, 3, 2));
        layers.add(c3(128, 3, true));
        layers.add(conv(256, 3, 2));
        layers.add(c3(256, 6, true));
        layers.add(conv(512, 3, 2));
        layers.add(c3(512, 9, true));
        layers.add(conv(1024, 3, 2));
        layers.add(c3(1024, 3, true));
        layers.add(new Layer.Sppf(channels(1024)));
        // Up again to stride 8, joined with what came by on the way down.
        layers.add(conv(512, 1, 1));
        layers.add(new Layer.Upsample());
        layers.add(new Layer.Concat(6));
        layers.add(c3(512, 3, false));
        layers.add(conv(256, 1, 1));
        layers.add(new Layer.Upsample());
        layers.add(new Layer.Concat(4));
        layers.add(c3(256, 3, false));
        // And down once more for the larger objects.
        layers.add(conv(256, 3, 2));
        layers.add(new Layer.Concat(14));
        layers.add(c3(512, 3, false));
        layers.add(conv(512, 3, 2));
        layers.add(new Layer.Concat(10));
        layers.add(c3(1024, 3, false));
        layers.add(new Layer.Detect(List.of(17, 20, 23)));
        return layers;
    }

    /** Numbers a box has: centre, size, objectness and one score a class. */
    int boxNumbers() {
        return 5 + classes;
    }

    /** Anchor boxes a cell. */
    int anchorsPerCell() {
        return ANCHORS.getFirst().size() / 2;
    }

    private Layer conv(int channels, int kernel, int stride) {
        return new Layer.Conv(channels(channels), kernel, stride, kernel / 2);
    }

    private Layer c3(int channels, int bottlenecks, boolean shortcut) {
        return new Layer.C3(channels(channels), Math.max(1, (int) Math.rint(bottlenecks * depth)), shortcut);
    }

    /** Scaled channels, rounded up to a multiple of 8. */
    private int channels(int base) {
        return 8 * (int) Math.ceil(base * width / 8);
    }
}
