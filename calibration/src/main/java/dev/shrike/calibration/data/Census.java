package dev.shrike.calibration.data;

import java.util.List;

/**
 * What a data set consists of.
 *
 * @param images images that it names or that lie in its folders
 * @param labelled those with objects
 * @param withoutObjects those that are known to have none
 * @param withoutLabels those without a label file, which count as having none
 * @param flawed those that are missing or whose labels cannot be used, so that they are left out
 * @param otherKinds files among the images that are none, or of formats that are not read
 */
public record Census(int images, int labelled, int withoutObjects, int withoutLabels, int flawed, int otherKinds) {
    public Census {
        if (images != labelled + withoutObjects + withoutLabels + flawed) {
            throw new IllegalArgumentException(images + " images are not " + labelled + " + " + withoutObjects
                    + " + " + withoutLabels + " + " + flawed);
        }
    }

    /** The same with these images, counted as sound before, among those that are left out. */
    Census without(List<Sample> gone) {
        int labelledOnes = (int) gone.stream().filter(sample -> !sample.boxes().isEmpty()).count();
        int empty = Math.min(withoutObjects, gone.size() - labelledOnes);
        return new Census(images, labelled - labelledOnes, withoutObjects - empty,
                withoutLabels - (gone.size() - labelledOnes - empty), flawed + gone.size(), otherKinds);
    }

    /** Counts in words, such as "128 images, 126 labelled, 2 without objects, …". */
    @Override
    public String toString() {
        return images + (images == 1 ? " image, " : " images, ") + labelled + " labelled, " + withoutObjects
                + " without objects, " + withoutLabels + " without a label file, "
                + (flawed == 0 ? "" : flawed + " left out, ") + otherKinds + " of other kinds";
    }
}
