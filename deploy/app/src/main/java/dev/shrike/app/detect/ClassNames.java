package dev.shrike.app.detect;

import dev.shrike.Detection;
import dev.shrike.Detections;
import dev.shrike.app.UsageException;
import dev.shrike.vision.Labels;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Names of classes that a data.yaml gives to a model without any of its own.
 *
 * @param labels the names by id
 * @param replaced whether they are others than those that the detector gives
 */
record ClassNames(List<String> labels, boolean replaced) {
    ClassNames {
        labels = List.copyOf(labels);
    }

    /**
     * The names that count: the model's own, or those of the data set if the model has none.
     *
     * @param given names of the data set; empty if none was given
     * @throws UsageException if the data set has another number of classes than a model without names
     */
    static ClassNames of(List<String> own, List<String> given) {
        boolean named = !own.equals(Labels.COCO)
                && !own.equals(IntStream.range(0, own.size()).mapToObj(id -> "class" + id).toList());
        if (given.isEmpty() || named) {
            return new ClassNames(own, false);
        }
        if (given.size() != own.size()) {
            throw new UsageException("--data names " + given.size() + " classes, the model has " + own.size(), null);
        }
        return new ClassNames(given, true);
    }

    /** The detections with these names. */
    Detections name(Detections found) {
        if (!replaced) {
            return found;
        }
        List<Detection> renamed = found.list().stream().map(d -> new Detection(d.classId(), labels.get(d.classId()),
                d.score(), d.x1(), d.y1(), d.x2(), d.y2())).toList();
        return found.withList(renamed);
    }
}
