package dev.shrike.heads;

import java.util.Arrays;

/**
 * Greedy non-maximum suppression with the order, the thresholds and the float arithmetic of YOLOv5's
 * {@code non_max_suppression}: boxes of different classes are moved apart by an offset, so that one pass serves all
 * classes.
 *
 * <p>The result depends on the candidates only: equal scores keep the order of the candidates. Arrays are kept from
 * call to call; confined to one thread at a time.
 */
public final class NonMaxSuppression implements Suppression {
    /** Most candidates that take part, the best ones; as in YOLOv5. */
    public static final int MAX_CANDIDATES = 30_000;

    /** Distance in pixels that one class is moved from the next; as in YOLOv5, above any input size it knows. */
    private static final float CLASS_OFFSET = 7680;

    private final float iouThreshold;
    private final boolean agnostic;
    private final int maxDetections;
    private long[] order = new long[256];
    private int[] kept = new int[64];
    private float[] keptX1 = new float[64];
    private float[] keptY1 = new float[64];
    private float[] keptX2 = new float[64];
    private float[] keptY2 = new float[64];
    private float[] keptArea = new float[64];
    private int keptSize;

    /**
     * A suppression with these settings.
     *
     * @param iouThreshold a box that overlaps a better one by more than this intersection over union is dropped
     * @param agnostic whether boxes of different classes suppress each other
     * @param maxDetections most boxes that are kept
     */
    public NonMaxSuppression(float iouThreshold, boolean agnostic, int maxDetections) {
        if (!(iouThreshold >= 0 && iouThreshold <= 1) || maxDetections < 1) {
            throw new IllegalArgumentException("IoU threshold " + iouThreshold + ", at most " + maxDetections);
        }
        this.iouThreshold = iouThreshold;
        this.agnostic = agnostic;
        this.maxDetections = maxDetections;
    }

    @Override
    public int run(Candidates boxes) {
        int count = sort(boxes);
        keptSize = 0;
        for (int i = 0; i < count && keptSize < maxDetections; i++) {
            consider(boxes, (int) order[i]);
        }
        return keptSize;
    }

    @Override
    public int kept(int rank) {
        if (rank >= keptSize) {
            throw new IndexOutOfBoundsException("rank " + rank + " of " + keptSize);
        }
        return kept[rank];
    }

    /**
     * Sorts keys of score and index. The bits of floats that are not negative order like the floats, so their
     * complement above the index puts the best first and, among equals, the earliest.
     */
    private int sort(Candidates boxes) {
        int size = boxes.size();
        if (order.length < size) {
            order = new long[Math.max(size, 2 * order.length)];
        }
        for (int i = 0; i < size; i++) {
            int bits = Float.floatToIntBits(Math.max(0f, boxes.score[i]));
            order[i] = (long) (Integer.MAX_VALUE - bits) << 32 | i;
        }
        Arrays.sort(order, 0, size);
        return Math.min(size, MAX_CANDIDATES);
    }

    private void consider(Candidates boxes, int index) {
        float offset = agnostic ? 0 : boxes.classId[index] * CLASS_OFFSET;
        float left = boxes.x1[index] + offset;
        float top = boxes.y1[index] + offset;
        float right = boxes.x2[index] + offset;
        float bottom = boxes.y2[index] + offset;
        float area = (right - left) * (bottom - top);
        for (int k = 0; k < keptSize; k++) {
            float width = Math.min(right, keptX2[k]) - Math.max(left, keptX1[k]);
            float height = Math.min(bottom, keptY2[k]) - Math.max(top, keptY1[k]);
            if (width <= 0 || height <= 0) {
                continue;
            }
            float intersection = width * height;
            if (intersection / (keptArea[k] + area - intersection) > iouThreshold) {
                return;
            }
        }
        keep(index, left, top, right, bottom, area);
    }

    private void keep(int index, float left, float top, float right, float bottom, float area) {
        if (keptSize == kept.length) {
            int capacity = 2 * keptSize;
            kept = Arrays.copyOf(kept, capacity);
            keptX1 = Arrays.copyOf(keptX1, capacity);
            keptY1 = Arrays.copyOf(keptY1, capacity);
            keptX2 = Arrays.copyOf(keptX2, capacity);
            keptY2 = Arrays.copyOf(keptY2, capacity);
            keptArea = Arrays.copyOf(keptArea, capacity);
        }
        kept[keptSize] = index;
        keptX1[keptSize] = left;
        keptY1[keptSize] = top;
        keptX2[keptSize] = right;
        keptY2[keptSize] = bottom;
        keptArea[keptSize] = area;
        keptSize++;
    }
}
