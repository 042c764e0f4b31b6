package dev.shrike.calibration.data;

import dev.shrike.Frame;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;

/**
 * One image of a data set and what is in it.
 *
 * @param id how results files name the image: COCO's number, or the name without its extension
 * @param file the image; whether it exists is told by reading it
 * @param width width in pixels, 0 if only the image itself tells
 * @param height height in pixels, 0 if only the image itself tells
 * @param relative whether the boxes are in parts of the image's size, as in YOLO label files, rather than in pixels
 * @param boxes the objects, in the unit that {@code relative} says
 */
public record Sample(String id, Path file, int width, int height, boolean relative, List<GroundTruth> boxes) {
    public Sample {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(file, "file");
        boxes = List.copyOf(boxes);
        if (width < 0 || height < 0) {
            throw new IllegalArgumentException("image " + id + " of " + width + "x" + height);
        }
    }

    /**
     * The image, upright.
     *
     * @throws dev.shrike.SourceException if it is missing or cannot be read
     * @throws DataSetException if its size is not the one that the data set states, so that no box would fit
     */
    public Frame read() {
        Frame frame = Frame.read(file);
        boolean same = frame.width() == width && frame.height() == height;
        if (width > 0 && height > 0 && !same) {
            throw new DataSetException(file + ": the image has " + frame.width() + "x" + frame.height()
                    + " pixels, the data set says " + width + "x" + height
                    + ": it is another image, or was resized after its boxes were drawn");
        }
        return frame;
    }

    /** The objects in pixels of an image of this size. */
    public List<GroundTruth> boxesIn(int imageWidth, int imageHeight) {
        if (!relative) {
            return boxes;
        }
        return boxes.stream().map(box -> scaled(box, imageWidth, imageHeight)).toList();
    }

    /** The objects in pixels; reads the image if only that tells its size. */
    public List<GroundTruth> boxesInPixels() {
        if (!relative) {
            return boxes;
        }
        if (width > 0 && height > 0) {
            return boxesIn(width, height);
        }
        Frame frame = read();
        return boxesIn(frame.width(), frame.height());
    }

    private static GroundTruth scaled(GroundTruth box, int width, int height) {
        return new GroundTruth(
                box.classId(),
                box.x() * width,
                box.y() * height,
                box.width() * width,
                box.height() * height,
                box.area() * width * height,
                box.crowd());
    }
}
