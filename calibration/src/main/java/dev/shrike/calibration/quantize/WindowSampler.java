package dev.shrike.calibration.quantize;

import dev.shrike.graph.Shape;
import dev.shrike.graph.Window;
import java.util.Arrays;
import java.util.SplittableRandom;

/** Gathers what a convolution reads at random places of a picture, and what it is to give there. */
final class WindowSampler {
    private final Window window;
    private final int height;
    private final int width;
    private final int channels;
    private final int outHeight;
    private final int outWidth;
    private final int outputs;
    private final float[] row;

    /**
     * A sampler for a convolution of one group.
     *
     * @param input {@code [1, channels, height, width]}
     * @param output {@code [1, outputs, outHeight, outWidth]}
     */
    WindowSampler(Window window, Shape input, Shape output) {
        this.height = (int) input.dim(2);
        this.width = (int) input.dim(3);
        this.channels = (int) input.dim(1);
        this.outputs = (int) output.dim(1);
        this.outHeight = (int) output.dim(2);
        this.outWidth = (int) output.dim(3);
        this.window = window.resolve(height, width);
        this.row = new float[channels * window.kernelHeight() * window.kernelWidth()];
    }

    /**
     * Adds at most {@code most} places of a picture, all of them if there are no more.
     *
     * @param x what is read, channels together
     * @param y what is to be given, channels together
     */
    void sample(float[] x, float[] y, int most, long seed, LayerPairs pairs) {
        int places = outHeight * outWidth;
        SplittableRandom random = new SplittableRandom(seed);
        int count = Math.min(most, places);
        for (int i = 0; i < count; i++) {
            // One place of each of count equal parts.
            int from = (int) ((long) i * places / count);
            int to = (int) ((long) (i + 1) * places / count);
            int place = from + random.nextInt(to - from);
            gather(x, place / outWidth, place % outWidth);
            pairs.add(row, 0, y, place * outputs);
        }
    }

    private void gather(float[] x, int outY, int outX) {
        int at = 0;
        for (int ky = 0; ky < window.kernelHeight(); ky++) {
            int inY = outY * window.strideHeight() - window.padTop() + ky * window.dilationHeight();
            for (int kx = 0; kx < window.kernelWidth(); kx++) {
                int inX = outX * window.strideWidth() - window.padLeft() + kx * window.dilationWidth();
                if (inY < 0 || inY >= height || inX < 0 || inX >= width) {
                    Arrays.fill(row, at, at + channels, 0);
                } else {
                    System.arraycopy(x, (inY * width + inX) * channels, row, at, channels);
                }
                at += channels;
            }
        }
    }
}
