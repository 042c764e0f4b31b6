package dev.shrike;

import java.util.List;

/**
 * What one call of {@link Detector#detect(Frame, DetectOptions)} does otherwise than the detector was opened for. Start
 * from {@link #DEFAULT} and change with the {@code with…} methods; keep one and use it for many frames.
 *
 * @param confidence lowest score that is reported, not below the detector's own; NaN takes the detector's own
 * @param iou overlap (intersection over union) above which the weaker of two boxes is dropped, 0 to 1; NaN takes the
 *     detector's own
 * @param maxDetections most detections of a frame, at least 1; 0 takes the detector's own
 * @param regions regions of interest: the network runs once on each of them, fitted into its whole input, and sees
 *     nothing else. What several regions find is suppressed together. Empty means the whole frame
 */
public record DetectOptions(float confidence, float iou, int maxDetections, List<Region> regions) {
    /** All as the detector was opened, on the whole frame. */
    public static final DetectOptions DEFAULT = new DetectOptions(Float.NaN, Float.NaN, 0, List.of());

    private static final int MOST_REGIONS = 1024;

    public DetectOptions {
        requireUnit(confidence, "confidence threshold");
        requireUnit(iou, "IoU threshold");
        if (maxDetections < 0 || maxDetections > 100_000) {
            throw new IllegalArgumentException(
                    "maximum of detections " + maxDetections + " is not within 1 to 100000, nor 0 for the usual one");
        }
        regions = List.copyOf(regions);
        if (regions.size() > MOST_REGIONS) {
            throw new IllegalArgumentException(
                    regions.size() + " regions of interest are more than " + MOST_REGIONS);
        }
    }

    /** The same with other thresholds; NaN takes the detector's own. */
    public DetectOptions withThresholds(float newConfidence, float newIou) {
        return new DetectOptions(newConfidence, newIou, maxDetections, regions);
    }

    /** The same with another limit of detections per frame. */
    public DetectOptions withMaxDetections(int limit) {
        return new DetectOptions(confidence, iou, limit, regions);
    }

    /** The same on these regions of interest; none means the whole frame. */
    public DetectOptions withRegions(Region... parts) {
        return new DetectOptions(confidence, iou, maxDetections, List.of(parts));
    }

    private static void requireUnit(float value, String what) {
        if (value < 0 || value > 1) {
            throw new IllegalArgumentException(what + " " + value + " is not within 0 to 1");
        }
    }
}
