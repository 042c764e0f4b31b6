package dev.shrike.calibration.training;

import dev.shrike.graph.Window;

/** The largest of every window. */
final class Pooling implements Operation {
    private final Window window;
    private final Value x;
    private final Value y;
    private final int[] origin;

    Pooling(Window window, Value x, Value y) {
        this.window = window.resolve(x.height, x.width);
        this.x = x;
        this.y = y;
        this.origin = new int[y.exact.length];
    }

    @Override
    public void forward() {
        for (int row = 0; row < y.height; row++) {
            for (int column = 0; column < y.width; column++) {
                for (int channel = 0; channel < y.channels; channel++) {
                    int best = largest(row, column, channel);
                    int at = (row * y.width + column) * y.channels + channel;
                    origin[at] = best;
                    y.exact[at] = x.shown[best];
                }
            }
        }
    }

    private int largest(int row, int column, int channel) {
        int best = -1;
        for (int ky = 0; ky < window.kernelHeight(); ky++) {
            int inY = row * window.strideHeight() - window.padTop() + ky * window.dilationHeight();
            for (int kx = 0; inY >= 0 && inY < x.height && kx < window.kernelWidth(); kx++) {
                int inX = column * window.strideWidth() - window.padLeft() + kx * window.dilationWidth();
                if (inX >= 0 && inX < x.width) {
                    int at = (inY * x.width + inX) * x.channels + channel;
                    best = best < 0 || x.shown[at] > x.shown[best] ? at : best;
                }
            }
        }
        return best;
    }

    @Override
    public void backward() {
        for (int i = 0; i < origin.length; i++) {
            x.gradient[origin[i]] += y.gradient[i];
        }
    }
}
