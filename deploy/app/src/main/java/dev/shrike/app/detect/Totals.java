package dev.shrike.app.detect;

import dev.shrike.Detections;
import dev.shrike.StageTimes;

/**
 * Sums over the images of a run.
 *
 * @param images how many were looked at
 * @param objects how many objects were seen
 * @param times time of each stage, summed
 */
record Totals(int images, int objects, StageTimes times) {
    static final Totals NONE = new Totals(0, 0, new StageTimes(0, 0, 0));

    /** These and one more image. */
    Totals plus(Detections found) {
        StageTimes more = found.times();
        return new Totals(
                images + 1,
                objects + found.size(),
                new StageTimes(
                        times.letterbox() + more.letterbox(),
                        times.network() + more.network(),
                        times.decode() + more.decode()));
    }
}
