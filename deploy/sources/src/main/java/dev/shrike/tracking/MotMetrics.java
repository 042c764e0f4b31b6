package dev.shrike.tracking;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Metrics of tracks against the truth: CLEAR MOT (Bernardin and Stiefelhagen, "Evaluating Multiple Object Tracking
 * Performance", 2008) and IDF1 (Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera
 * Tracking", 2016), as the MOT challenge computes them. Frames are added in their order, those without boxes too.
 */
public final class MotMetrics {
    /** A box of the object {@code id} in one frame. */
    public record Box(long id, double x1, double y1, double x2, double y2) {
        double iou(Box other) {
            double across = Math.min(x2, other.x2) - Math.max(x1, other.x1);
            double down = Math.min(y2, other.y2) - Math.max(y1, other.y1);
            if (!(across > 0 && down > 0)) {
                return 0;
            }
            double both = across * down;
            return both / (area() + other.area() - both);
        }

        private double area() {
            return (x2 - x1) * (y2 - y1);
        }
    }

    /**
     * What was counted over all frames.
     *
     * @param truths boxes of the truth
     * @param matches boxes of the truth that a track has a box for
     * @param falsePositives boxes of tracks that no box of the truth is left for
     * @param falseNegatives boxes of the truth that no track has a box for
     * @param identitySwitches matches to another track than the match before of the same object
     * @param identityMatches matches, if each object has one track all over the sequence and each track one object, at
     *     the best
     * @param found boxes of tracks
     */
    public record Summary(long truths, long matches, long falsePositives, long falseNegatives, long identitySwitches,
            long identityMatches, long found) {
        /** Multiple object tracking accuracy, 1 at the best, below 0 if there are more errors than boxes. */
        public double mota() {
            return 1 - (double) (falsePositives + falseNegatives + identitySwitches) / truths;
        }

        /** Harmonic mean of identity precision and recall. */
        public double idf1() {
            return 2.0 * identityMatches / (truths + found);
        }
    }

    private record Pair(long truth, long found) {}

    private final double leastIou;
    private final Assignment assignment = new Assignment();
    private final Map<Long, Long> matchedBefore = new HashMap<>();
    private final Map<Pair, Integer> together = new HashMap<>();
    private long truths;
    private long found;
    private long matches;
    private long switches;

    /** @param leastIou from which two boxes may be the same object's; the challenge has .5 */
    public MotMetrics(double leastIou) {
        if (!(leastIou > 0 && leastIou <= 1)) {
            throw new IllegalArgumentException("leastIou " + leastIou + " is not within 0 and 1");
        }
        this.leastIou = leastIou;
    }

    /** Takes in the next frame; each list has an id once at most. */
    public void add(List<Box> truth, List<Box> tracks) {
        truths += truth.size();
        found += tracks.size();
        countTogether(truth, tracks);
        List<Box> openTruth = new ArrayList<>(truth);
        List<Box> openTracks = new ArrayList<>(tracks);
        keepMatches(openTruth, openTracks);
        if (openTruth.isEmpty() || openTracks.isEmpty()) {
            return;
        }
        double[] costs = new double[openTruth.size() * openTracks.size()];
        for (int i = 0; i < openTruth.size(); i++) {
            for (int j = 0; j < openTracks.size(); j++) {
                double iou = openTruth.get(i).iou(openTracks.get(j));
                // As many pairs as possible, and among those the nearest: no sum of distances outweighs a pair.
                costs[i * openTracks.size() + j] = iou >= leastIou ? 1 - iou : Double.POSITIVE_INFINITY;
            }
        }
        int[] columnOf = new int[openTruth.size()];
        assignment.solve(costs, openTruth.size(), openTracks.size(), 1 + openTruth.size(), columnOf);
        for (int i = 0; i < columnOf.length; i++) {
            if (columnOf[i] >= 0) {
                matches++;
                Long before = matchedBefore.put(openTruth.get(i).id(), openTracks.get(columnOf[i]).id());
                if (before != null && before != openTracks.get(columnOf[i]).id()) {
                    switches++;
                }
            }
        }
    }

    /** An object stays with its track as long as their boxes overlap enough. */
    private void keepMatches(List<Box> openTruth, List<Box> openTracks) {
        openTruth.removeIf(truth -> {
            Long id = matchedBefore.get(truth.id());
            boolean kept = id != null
                    && openTracks.removeIf(track -> track.id() == id && track.iou(truth) >= leastIou);
            matches += kept ? 1 : 0;
            return kept;
        });
    }

    private void countTogether(List<Box> truth, List<Box> tracks) {
        for (Box one : truth) {
            for (Box other : tracks) {
                if (one.iou(other) >= leastIou) {
                    together.merge(new Pair(one.id(), other.id()), 1, Integer::sum);
                }
            }
        }
    }

    /** The metrics of all frames so far. */
    public Summary summary() {
        return new Summary(truths, matches, found - matches, truths - matches, switches, identityMatches(), found);
    }

    private long identityMatches() {
        List<Long> objects = together.keySet().stream().map(Pair::truth).distinct().sorted().toList();
        List<Long> tracks = together.keySet().stream().map(Pair::found).distinct().sorted().toList();
        if (objects.isEmpty()) {
            return 0;
        }
        double[] costs = new double[objects.size() * tracks.size()];
        together.forEach((pair, frames) -> costs[objects.indexOf(pair.truth()) * tracks.size()
                + tracks.indexOf(pair.found())] = -frames);
        int[] columnOf = new int[objects.size()];
        assignment.solve(costs, objects.size(), tracks.size(), 0, columnOf);
        long sum = 0;
        for (int i = 0; i < columnOf.length; i++) {
            if (columnOf[i] >= 0) {
                sum -= Math.round(costs[i * tracks.size() + columnOf[i]]);
            }
        }
        return sum;
    }
}
