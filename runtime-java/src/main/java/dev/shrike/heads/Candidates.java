package dev.shrike.heads;

import dev.shrike.spi.CandidateSink;
import java.util.Arrays;

/**
 * Boxes that a head decoder found, before non-maximum suppression, in pixels of the network's input. Arrays grow as
 * needed and are kept, so that decoding one frame after another makes no garbage.
 */
public final class Candidates implements CandidateSink {
    float[] x1 = new float[256];
    float[] y1 = new float[256];
    float[] x2 = new float[256];
    float[] y2 = new float[256];
    float[] score = new float[256];
    int[] classId = new int[256];
    private int size;

    /** Number of boxes. */
    public int size() {
        return size;
    }

    /** Left edge of a box. */
    public float x1(int index) {
        return x1[index];
    }

    /** Top edge of a box. */
    public float y1(int index) {
        return y1[index];
    }

    /** Right edge of a box. */
    public float x2(int index) {
        return x2[index];
    }

    /** Bottom edge of a box. */
    public float y2(int index) {
        return y2[index];
    }

    /** Score of a box, 0 to 1. */
    public float score(int index) {
        return score[index];
    }

    /** Class of a box. */
    public int classId(int index) {
        return classId[index];
    }

    /** Forgets all boxes. */
    public void clear() {
        size = 0;
    }

    /** Leaves those whose score is above a threshold, in their order. */
    public void keepAbove(float threshold) {
        int kept = 0;
        for (int i = 0; i < size; i++) {
            if (score[i] > threshold) {
                x1[kept] = x1[i];
                y1[kept] = y1[i];
                x2[kept] = x2[i];
                y2[kept] = y2[i];
                score[kept] = score[i];
                classId[kept++] = classId[i];
            }
        }
        size = kept;
    }

    /** Adds a box given by its centre and size; a negative size counts as 0. */
    @Override
    public void addCentred(float x, float y, float width, float height, float boxScore, int boxClass) {
        if (size == score.length) {
            grow();
        }
        float halfWidth = Math.max(0, width) / 2;
        float halfHeight = Math.max(0, height) / 2;
        x1[size] = x - halfWidth;
        y1[size] = y - halfHeight;
        x2[size] = x + halfWidth;
        y2[size] = y + halfHeight;
        score[size] = boxScore;
        classId[size] = boxClass;
        size++;
    }

    private void grow() {
        int capacity = size * 2;
        x1 = Arrays.copyOf(x1, capacity);
        y1 = Arrays.copyOf(y1, capacity);
        x2 = Arrays.copyOf(x2, capacity);
        y2 = Arrays.copyOf(y2, capacity);
        score = Arrays.copyOf(score, capacity);
        classId = Arrays.copyOf(classId, capacity);
    }
}
