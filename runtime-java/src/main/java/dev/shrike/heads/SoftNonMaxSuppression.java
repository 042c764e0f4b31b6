package dev.shrike.heads;

/**
 * Soft-NMS: takes the best box, lowers the scores of those that it overlaps, and goes on with the best of the rest
 * until all scores are at or below the threshold (Bodla et al. 2017, figure 2). With scores s, the best box M and
 * overlap {@code iou(M, b)}, {@code s = s (1 - iou)} where the overlap is the IoU threshold or more, or
 * {@code s = s exp(-iou² / 0.5)} everywhere. Boxes of different classes do not touch each other unless the suppression
 * is class-agnostic. Equal scores keep the order of the candidates.
 */
public final class SoftNonMaxSuppression implements Suppression {
    /** The paper's sigma. */
    private static final float SIGMA = 0.5f;

    private final SoftNms kind;
    private final float iouThreshold;
    private final float confidence;
    private final boolean agnostic;
    private final int maxDetections;
    /** Indices of candidates; those kept first. */
    private int[] order = new int[256];
    private int kept;

    /**
     * A suppression with these settings.
     *
     * @param kind linear or gaussian
     * @param iouThreshold overlap from which linear lowers scores
     * @param confidence boxes whose score falls to this or below are dropped
     * @param agnostic whether boxes of different classes lower each other's scores
     * @param maxDetections most boxes that are kept
     */
    public SoftNonMaxSuppression(
            SoftNms kind, float iouThreshold, float confidence, boolean agnostic, int maxDetections) {
        if (kind == SoftNms.OFF || !(iouThreshold >= 0 && iouThreshold <= 1) || !(confidence >= 0)
                || maxDetections < 1) {
            throw new IllegalArgumentException(kind + " Soft-NMS, IoU threshold " + iouThreshold + ", confidence "
                    + confidence + ", at most " + maxDetections);
        }
        this.kind = kind;
        this.iouThreshold = iouThreshold;
        this.confidence = confidence;
        this.agnostic = agnostic;
        this.maxDetections = maxDetections;
    }

    @Override
    public int run(Candidates boxes) {
        int left = boxes.size();
        if (order.length < left) {
            order = new int[Math.max(left, 2 * order.length)];
        }
        for (int i = 0; i < left; i++) {
            order[i] = i;
        }
        kept = 0;
        while (kept < left && kept < maxDetections) {
            int best = best(boxes, left);
            if (!(boxes.score[order[best]] > confidence)) {
                break;
            }
            int chosen = order[best];
            // The rest keeps its order, so that among equals the earliest goes on to come first.
            System.arraycopy(order, kept, order, kept + 1, best - kept);
            order[kept++] = chosen;
            left = lower(boxes, chosen, left);
        }
        return kept;
    }

    private int best(Candidates boxes, int left) {
        int best = kept;
        for (int i = kept + 1; i < left; i++) {
            if (boxes.score[order[i]] > boxes.score[order[best]]) {
                best = i;
            }
        }
        return best;
    }

    /** Lowers the scores of the rest and drops those that fell too low; returns where the rest ends. */
    private int lower(Candidates boxes, int chosen, int left) {
        int end = kept;
        for (int i = kept; i < left; i++) {
            int other = order[i];
            if (agnostic || boxes.classId[other] == boxes.classId[chosen]) {
                boxes.score[other] *= weight(overlap(boxes, chosen, other));
            }
            if (boxes.score[other] > confidence) {
                order[end++] = other;
            }
        }
        return end;
    }

    private float weight(float overlap) {
        return switch (kind) {
            case OFF -> 1;
            case LINEAR -> overlap >= iouThreshold ? 1 - overlap : 1;
            case GAUSSIAN -> (float) Math.exp(-overlap * overlap / SIGMA);
        };
    }

    private static float overlap(Candidates boxes, int a, int b) {
        float width = Math.min(boxes.x2[a], boxes.x2[b]) - Math.max(boxes.x1[a], boxes.x1[b]);
        float height = Math.min(boxes.y2[a], boxes.y2[b]) - Math.max(boxes.y1[a], boxes.y1[b]);
        if (width <= 0 || height <= 0) {
            return 0;
        }
        float intersection = width * height;
        return intersection / (area(boxes, a) + area(boxes, b) - intersection);
    }

    private static float area(Candidates boxes, int i) {
        return (boxes.x2[i] - boxes.x1[i]) * (boxes.y2[i] - boxes.y1[i]);
    }

    @Override
    public int kept(int rank) {
        if (rank >= kept) {
            throw new IndexOutOfBoundsException("rank " + rank + " of " + kept);
        }
        return order[rank];
    }
}
