package dev.shrike.tracking;

import dev.shrike.Detection;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * A street in which objects come, walk and go, detected with noise: the same walk at any frame rate.
 *
 * @param walkers how many there are over the whole time
 * @param noise standard deviation of each detected edge, as a share of the box
 * @param missed share of the detections that are missing
 */
record ImageResult(int walkers, double noise, double missed) {
    static final long SECOND = 1_000_000_000L;
    static final double SECONDS = 12;

    /** Where the walker is; null before it comes and after it has gone. */
    MotMetrics.Box at(int walker, double seconds) {
        double comes = walker * .7;
        double along = seconds - comes;
        if (along < 0 || along > 5) {
            return null;
        }
        boolean leftwards = walker % 2 == 1;
        double height = 90 + 12 * (walker % 5);
        double width = height * .4;
        double speed = 60 + 9 * (walker % 4);
        double lane = 40 + 150 * (walker % 6);
        double x = (leftwards ? 600 - speed * along : 20 + speed * along) + 4 * Math.sin(2 * along);
        return new MotMetrics.Box(walker + 1, x, lane, x + width, lane + height);
    }

    List<MotMetrics.Box> truth(double seconds) {
        List<MotMetrics.Box> boxes = new ArrayList<>();
        for (int walker = 0; walker < walkers; walker++) {
            MotMetrics.Box box = at(walker, seconds);
            if (box != null) {
                boxes.add(box);
            }
        }
        return boxes;
    }

    /** What a detector sees of it. The noise depends on the time alone, not on the frames before. */
    List<Detection> detections(double seconds) {
        Random random = new Random(Math.round(seconds * 1000) * 31 + 7);
        List<Detection> found = new ArrayList<>();
        for (MotMetrics.Box box : truth(seconds)) {
            double width = noise * (box.x2() - box.x1());
            double height = noise * (box.y2() - box.y1());
            float x1 = (float) (box.x1() + width * random.nextGaussian());
            float y1 = (float) (box.y1() + height * random.nextGaussian());
            float x2 = (float) (box.x2() + width * random.nextGaussian());
            float y2 = (float) (box.y2() + height * random.nextGaussian());
            float score = (float) (.7 + .3 * random.nextDouble());
            if (random.nextDouble() >= missed) {
                found.add(new Detection(0, "person", score, x1, y1, x2, y2));
            }
        }
        Collections.shuffle(found, random);
        return found;
    }

    /** The boxes of tracks that were detected in the frame. */
    static List<MotMetrics.Box> boxes(List<Track> tracks, long nanos) {
        return tracks.stream().filter(track -> track.isDetected(nanos)).map(track -> new MotMetrics.Box(track.id(),
                track.box().x1(), track.box().y1(), track.box().x2(), track.box().y2())).toList();
    }
}
