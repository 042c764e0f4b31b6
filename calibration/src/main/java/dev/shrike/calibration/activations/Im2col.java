package dev.shrike.calibration.activations;

import dev.shrike.graph.Window;
import java.util.Arrays;

/**
 * What a window shows of an image, at each of its positions: kernel row, kernel column, channel; zeros where it is
 * outside. Images lie row by row, pixel by pixel, the channels of each together.
 */
public final class Im2col {
    private final Window window;
    private final int height;
    private final int width;
    private final int channels;
    private final int outWidth;

    /**
     * The windows of images of one size.
     *
     * @param outWidth positions a row
     */
    public Im2col(Window window, int height, int width, int channels, int outWidth) {
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

    /** Copies the window at a position, counted row by row, to {@code to} from {@code at} on. */
    public void gather(float[] image, int position, float[] to, int at) {
        int next = at;
        for (int ky = 0; ky < window.kernelHeight(); ky++) {
            int whole = wholeRow(position, ky);
            if (whole >= 0) {
                System.arraycopy(image, whole, to, next, rowSize());
                next += rowSize();
                continue;
            }
            for (int kx = 0; kx < window.kernelWidth(); kx++) {
                int from = pixel(position, ky, kx);
                if (from < 0) {
                    Arrays.fill(to, next, next + channels, 0);
                } else {
                    System.arraycopy(image, from, to, next, channels);
                }
                next += channels;
            }
        }
    }

    /** Adds the window at a position to the image; what is outside of it is lost. */
    public void scatter(float[] from, int at, int position, float[] image) {
        int next = at;
        for (int ky = 0; ky < window.kernelHeight(); ky++) {
            int whole = wholeRow(position, ky);
            if (whole >= 0) {
                add(from, next, image, whole, rowSize());
                next += rowSize();
                continue;
            }
            for (int kx = 0; kx < window.kernelWidth(); kx++) {
                int to = pixel(position, ky, kx);
                if (to >= 0) {
                    add(from, next, image, to, channels);
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

    /** Where the pixels begin that a row of the kernel meets, or -1 unless they lie side by side in the image. */
    private int wholeRow(int position, int ky) {
        return window.dilationWidth() == 1 && pixel(position, ky, window.kernelWidth() - 1) >= 0
                ? pixel(position, ky, 0) : -1;
    }

    /** Where the pixel begins that an element of the kernel meets, or -1 outside of the image. */
    private int pixel(int position, int ky, int kx) {
        int y = position / outWidth * window.strideHeight() - window.padTop() + ky * window.dilationHeight();
        int x = position % outWidth * window.strideWidth() - window.padLeft() + kx * window.dilationWidth();
        return y >= 0 && y < height && x >= 0 && x < width ? (y * width + x) * channels : -1;
    }
}
