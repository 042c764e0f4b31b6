package dev.shrike.spi;

import java.util.BitSet;
import java.util.Objects;

/**
 * Which candidates a detector wants from one output of its network, for a {@link CandidateExecutor}. The output holds
 * boxes, and of each box the centre x, centre y, width and height in pixels of the input, then perhaps an objectness,
 * then a score for every class. The score of a box for a class is that value, times the objectness if there is one.
 *
 * @param output name of the output
 * @param boxes number of boxes of one image
 * @param classes number of classes
 * @param boxStride distance between neighbouring boxes, in elements
 * @param valueStride distance between neighbouring values of one box, in elements
 * @param objectness whether there is an objectness; it must be above the threshold too
 * @param confidence scores must be above this
 * @param multiLabel whether a box is a candidate once for every class above the threshold, or for its best class only,
 *     the first among equals; then not at all if that class is not wanted
 * @param wanted classes that count. Read only
 */
public record CandidateQuery(
        String output,
        int boxes,
        int classes,
        int boxStride,
        int valueStride,
        boolean objectness,
        float confidence,
        boolean multiLabel,
        BitSet wanted) {
    public CandidateQuery {
        Objects.requireNonNull(output, "output");
        if (boxes < 1 || classes < 1 || boxStride < 1 || valueStride < 1) {
            throw new IllegalArgumentException(output + ": " + boxes + " boxes of " + classes
                    + " classes, strides " + boxStride + " and " + valueStride);
        }
        wanted = (BitSet) wanted.clone();
    }

    /** Values of one box. */
    public int values() {
        return firstClass() + classes;
    }

    /** Position of the first class's score among the values of a box. */
    public int firstClass() {
        return objectness ? 5 : 4;
    }

    /** Most candidates that one image can give. */
    public long mostCandidates() {
        return multiLabel ? (long) boxes * classes : boxes;
    }
}
