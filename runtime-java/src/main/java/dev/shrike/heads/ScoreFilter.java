package dev.shrike.heads;

import dev.shrike.DetectorOptions;
import java.util.BitSet;

/**
 * Which boxes become candidates.
 *
 * @param confidence scores must be above this
 * @param multiLabel whether a box counts once for every class above the threshold, or for its best class only
 * @param classes classes that count; null means all. Read only
 */
public record ScoreFilter(float confidence, boolean multiLabel, BitSet classes) {
    public ScoreFilter {
        if (!(confidence >= 0 && confidence <= 1)) {
            throw new IllegalArgumentException("confidence threshold " + confidence + " is not within 0 to 1");
        }
        classes = classes == null ? null : (BitSet) classes.clone();
    }

    /** The filter that the options ask for. */
    public static ScoreFilter of(DetectorOptions options) {
        BitSet wanted = null;
        if (!options.classes().isEmpty()) {
            wanted = new BitSet();
            options.classes().forEach(wanted::set);
        }
        return new ScoreFilter(options.confidence(), options.multiLabel(), wanted);
    }

    /** Those of so many classes that count. */
    BitSet wanted(int count) {
        BitSet wanted = new BitSet(count);
        wanted.set(0, count);
        if (classes != null) {
            wanted.and(classes);
        }
        return wanted;
    }

    /** Whether boxes of the class count. */
    boolean wants(int classId) {
        return classes == null || classes.get(classId);
    }
}
