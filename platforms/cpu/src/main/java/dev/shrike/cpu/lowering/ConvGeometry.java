package dev.shrike.cpu.lowering;

import dev.shrike.graph.Window;
import java.util.Objects;

/** Which codes a convolution multiplies by which weights. */
public sealed interface ConvGeometry {
    /**
     * A convolution of images [batch, channels, rows, columns].
     *
     * @param window kernel, stride, padding and dilation
     * @param groups number of groups of channels
     */
    record Images(Window window, int groups) implements ConvGeometry {
        public Images {
            Objects.requireNonNull(window, "window");
        }
    }

    /** A product of rows, the last dimension of the input, with the weights of each output channel. */
    record Rows() implements ConvGeometry {}
}
