package dev.shrike.calibration.quantize;

import java.util.Arrays;
import java.util.SplittableRandom;

/** One random place of each of equal parts of an image; all of them count alike. */
final class UniformPositions implements SampledPositions.Choice {
    @Override
    public SampledPositions of(String layer, int image, int count, int most) {
        SplittableRandom random = new SplittableRandom(image);
        int[] indices = new int[Math.min(most, count)];
        for (int i = 0; i < indices.length; i++) {
            int from = (int) ((long) i * count / indices.length);
            int to = (int) ((long) (i + 1) * count / indices.length);
            indices[i] = from + random.nextInt(to - from);
        }
        float[] weights = new float[indices.length];
        Arrays.fill(weights, 1);
        return new SampledPositions(indices, weights);
    }
}
