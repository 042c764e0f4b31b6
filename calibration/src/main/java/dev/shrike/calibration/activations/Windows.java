package dev.shrike.calibration.activations;

import dev.shrike.graph.Window;
import java.util.Arrays;

/**
 * What a window shows of a picture, at each of its places: kernel row, kernel column, channel; zeros where it is
 * outside. Pictures lie row by row, pixel by pixel, the channels of each together.
 */
public final class Windows {
    private final Window window;
    private final int height;
    private final int width;
    private final int channels;
    private final int outWidth;

    /**
     * The windows of pictures of one size.
     *
     * @param outWidth places a row
     */
    public Windows(Window window, int height, int width, int channels, int outWidth) {
        this.window = window.resolve(height, width);
        this.height = height;
        this.width = width;
        this.channels = channels;
        this.outWidth = outWidth;
    }

    /** Elements of a window. */
    public int size() {
        return channels * window.kernelHeight() * window.kernelWidth();
    }

    /** Copies the window at a place, counted row by row, to {@code to} from {@code at} on. */
    public void gather(float[] picture, int place, float[] to, int at) {
        int next = at;
        for (int ky = 0; ky < window.kernelHeight(); ky++) {
            int whole = wholeRow(place, ky);
            if (whole >= 0) {
                System.arraycopy(picture, whole, to, next, rowSize());
                next += rowSize();
                continue;
            }
            for (int kx = 0; kx < window.kernelWidth(); kx++) {
                int from = pixel(place, ky, kx);
                if (from < 0) {
                    Arrays.fill(to, next, next + channels, 0);
                } else {
                    System.arraycopy(picture, from, to, next, channels);
                }
                next += channels;
            }
        }
    }

    /** Adds the window at a place to the picture; what is outside of it is lost. */
    public void scatter(float[] from, int at, int place, float[] picture) {
        int next = at;
        for (int ky = 0; ky < window.kernelHeight(); ky++) {
            int whole = wholeRow(place, ky);
            if (whole >= 0) {
                add(from, next, picture, whole, rowSize());
                next += rowSize();
                continue;
            }
            for (int kx = 0; kx < window.kernelWidth(); kx++) {
                int to = pixel(place, ky, kx);
                if (to >= 0) {
                    add(from, next, picture, to, channels);
                }
                next += channels;
            }
        }
    }

    private static void add(float[] from, int at, float[] to, int start, int count) {
        for (int i = 0; i < count; i++) {
            to[start + i] += from[at + i];
        }
    }

    private int rowSize() {
        return window.kernelWidth() * channels;
    }

    /** Where the pixels begin that a row of the kernel meets, or -1 unless they lie side by side in the picture. */
    private int wholeRow(int place, int ky) {
        return window.dilationWidth() == 1 && pixel(place, ky, window.kernelWidth() - 1) >= 0
                ? pixel(place, ky, 0) : -1;
    }

    /** Where the pixel begins that an element of the kernel meets, or -1 outside of the picture. */
    private int pixel(int place, int ky, int kx) {
        int y = place / outWidth * window.strideHeight() - window.padTop() + ky * window.dilationHeight();
        int x = place % outWidth * window.strideWidth() - window.padLeft() + kx * window.dilationWidth();
        return y >= 0 && y < height && x >= 0 && x < width ? (y * width + x) * channels : -1;
    }
}
