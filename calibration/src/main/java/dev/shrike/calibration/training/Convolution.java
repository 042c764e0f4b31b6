package dev.shrike.calibration.training;

import dev.shrike.calibration.activations.Im2col;
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

    private final String name;
    private final Im2col windows;
    private final LayerParameters parameters;
    private final Value x;
    private final Value y;
    private final Scratch scratch;
    private final boolean isDirect;
    final float[] weightGradients;
    final float[] biasGradients;

    Convolution(String name, Window window, LayerParameters parameters, Value x, Value y, Scratch scratch,
            boolean learns) {
        this.name = name;
        this.windows = new Im2col(window, x.height, x.width, x.channels, y.width);
        this.parameters = parameters;
        this.x = x;
        this.y = y;
        this.scratch = scratch;
        this.isDirect = parameters.depth() == x.channels && y.pixels() == x.pixels()
                && window.resolve(x.height, x.width).padTop() == 0;
        this.weightGradients = learns ? new float[parameters.weights().length] : null;
        this.biasGradients = learns ? new float[parameters.rows()] : null;
        if (!isDirect) {
            scratch.fit(Math.multiplyExact(y.pixels(), parameters.depth()));
        }
    }

    /** Of the node. */
    String name() {
        return name;
    }

    LayerParameters parameters() {
        return parameters;
    }

    @Override
    public void forward() {
        Products.timesTransposed(gathered(), parameters.weights(), y.exact, y.pixels(), y.channels,
                parameters.depth());
        float[] bias = parameters.bias();
        for (int pixel = 0; pixel < y.pixels(); pixel++) {
            int at = pixel * y.channels;
            for (int i = 0; i < bias.length; i++) {
                y.exact[at + i] += bias[i];
            }
        }
    }

    private float[] gathered() {
        if (isDirect) {
            return x.shown;
        }
        for (int position = 0; position < y.pixels(); position++) {
            windows.gather(x.shown, position, scratch.windows, position * windows.size());
        }
        return scratch.windows;
    }

    @Override
    public void backward() {
        int depth = parameters.depth();
        if (weightGradients != null) {
            learn(depth);
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
        for (int position = 0; position < y.pixels(); position++) {
            windows.scatter(scratch.gradients, position * windows.size(), position, x.gradient);
        }
    }

    private void learn(int depth) {
        Products.addTransposedTimes(y.gradient, gathered(), weightGradients, y.channels, depth, y.pixels());
        for (int pixel = 0; pixel < y.pixels(); pixel++) {
            int at = pixel * y.channels;
            for (int i = 0; i < biasGradients.length; i++) {
                biasGradients[i] += y.gradient[at + i];
            }
        }
    }

    void clear() {
        Arrays.fill(weightGradients, 0);
        Arrays.fill(biasGradients, 0);
    }
}
