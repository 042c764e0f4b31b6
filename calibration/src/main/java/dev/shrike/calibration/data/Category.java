package dev.shrike.calibration.data;

import java.util.Objects;

/**
 * A kind of object that a data set knows.
 *
 * @param id number in the data set's own files; COCO's are not contiguous
 * @param name name for people and for matching with a model's labels
 */
public record Category(int id, String name) {
    public Category {
        Objects.requireNonNull(name, "name");
    }
}
