package dev.shrike.calibration.quantize;

import java.util.Arrays;
import java.util.SplittableRandom;

/** One random place of each of equal parts of a picture; all of them count alike. */
final class EvenPlaces implements Places.Choice {
    @Override
    public Places of(String layer, int picture, int count, int most) {
        SplittableRandom random = new SplittableRandom(picture);
        int[] indices = new int[Math.min(most, count)];
        for (int i = 0; i < indices.length; i++) {
            int from = (int) ((long) i * count / indices.length);
            int to = (int) ((long) (i + 1) * count / indices.length);
            indices[i] = from + random.nextInt(to - from);
        }
        float[] weights = new float[indices.length];
        Arrays.fill(weights, 1);
        return new Places(indices, weights);
    }
}
