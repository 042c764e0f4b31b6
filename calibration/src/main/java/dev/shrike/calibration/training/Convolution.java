package dev.shrike.calibration.training;

import dev.shrike.calibration.linear.Products;
import dev.shrike.graph.Window;
import java.util.Arrays;

/** A convolution of one group as a product of matrices. */
final class Convolution implements Operation {
    /** Windows of a layer, and their gradients; one such pair serves all layers of a network. */
    static final class Scratch {
        private float[] windows = new float[0];
        private float[] gradients = new float[0];

        private void fit(int size) {
            if (windows.length < size) {
                windows = new float[size];
                gradients = new float[size];
            }
        }
    }

    private final Window window;
    private final LayerParameters parameters;
    private final Value x;
    private final Value y;
    private final Scratch scratch;
    private final boolean isDirect;
    final float[] weightGradients;
    final float[] biasGradients;

    Convolution(Window window, LayerParameters parameters, Value x, Value y, Scratch scratch, boolean learns) {
        this.window = window.resolve(x.height, x.width);
        this.parameters = parameters;
        this.x = x;
        this.y = y;
        this.scratch = scratch;
        this.isDirect = parameters.depth() == x.channels && y.pixels() == x.pixels() && window.padTop() == 0;
        this.weightGradients = learns ? new float[parameters.weights().length] : null;
        this.biasGradients = learns ? new float[parameters.rows()] : null;
        if (!isDirect) {
            scratch.fit(Math.multiplyExact(y.pixels(), parameters.depth()));
        }
    }

    LayerParameters parameters() {
        return parameters;
    }

    @Override
    public void forward() {
        Products.timesTransposed(windows(), parameters.weights(), y.exact, y.pixels(), y.channels,
                parameters.depth());
        float[] bias = parameters.bias();
        for (int pixel = 0; pixel < y.pixels(); pixel++) {
            int at = pixel * y.channels;
            for (int i = 0; i < bias.length; i++) {
                y.exact[at + i] += bias[i];
            }
        }
    }

    private float[] windows() {
        if (isDirect) {
            return x.shown;
        }
        visit((from, to, count) -> {
            if (from < 0) {
                Arrays.fill(scratch.windows, to, to + count, 0);
            } else {
                System.arraycopy(x.shown, from, scratch.windows, to, count);
            }
        });
        return scratch.windows;
    }

    private interface Visitor {
        /** {@code from} in the input, negative where it is padding. */
        void take(int from, int to, int count);
    }

    private void visit(Visitor visitor) {
        int to = 0;
        for (int pixel = 0; pixel < y.pixels(); pixel++) {
            int top = pixel / y.width * window.strideHeight() - window.padTop();
            int left = pixel % y.width * window.strideWidth() - window.padLeft();
            for (int ky = 0; ky < window.kernelHeight(); ky++) {
                int inY = top + ky * window.dilationHeight();
                for (int kx = 0; kx < window.kernelWidth(); kx++) {
                    int inX = left + kx * window.dilationWidth();
                    boolean inside = inY >= 0 && inY < x.height && inX >= 0 && inX < x.width;
                    visitor.take(inside ? (inY * x.width + inX) * x.channels : -1, to, x.channels);
                    to += x.channels;
                }
            }
        }
    }

    @Override
    public void backward() {
        int depth = parameters.depth();
        Products.addTransposedTimes(y.gradient, windows(), weightGradients, y.channels, depth, y.pixels());
        for (int pixel = 0; pixel < y.pixels(); pixel++) {
            int at = pixel * y.channels;
            for (int i = 0; i < biasGradients.length; i++) {
                biasGradients[i] += y.gradient[at + i];
            }
        }
        if (x.gradient == null) {
            return;
        }
        if (isDirect) {
            scratch.fit(y.pixels() * depth);
        }
        Products.times(y.gradient, parameters.weights(), scratch.gradients, y.pixels(), depth, y.channels);
        if (isDirect) {
            for (int i = 0; i < x.gradient.length; i++) {
                x.gradient[i] += scratch.gradients[i];
            }
            return;
        }
        visit((from, to, count) -> {
            for (int i = 0; from >= 0 && i < count; i++) {
                x.gradient[from + i] += scratch.gradients[to + i];
            }
        });
    }

    void clear() {
        Arrays.fill(weightGradients, 0);
        Arrays.fill(biasGradients, 0);
    }
}
