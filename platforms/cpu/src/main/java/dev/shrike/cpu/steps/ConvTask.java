package dev.shrike.cpu.steps;

import dev.shrike.cpu.binding.Params;
import dev.shrike.cpu.binding.View;
import dev.shrike.graph.Activation;
import dev.shrike.graph.Tensor;
import dev.shrike.graph.Window;
import java.util.Arrays;

/**
 * A convolution with its places.
 *
 * @param node name of the node
 * @param window kernel, stride, explicit padding and dilation
 * @param group number of groups
 * @param activation applied after the bias
 * @param source NCHW view with the channels innermost
 * @param target NCHW view with the channels innermost
 * @param weights outChannels x inChannels/group x kernelHeight x kernelWidth
 * @param bias outChannels, or null
 * @param residual added after the activation, a view of the target's dimensions, or null
 */
public record ConvTask(
        String node,
        Window window,
        int group,
        Activation activation,
        View source,
        View target,
        Tensor weights,
        Tensor bias,
        View residual) {
    public ConvTask {
        requireImage(source);
        requireImage(target);
        int[] in = source.dims();
        int[] out = target.dims();
        if (group < 1 || in[1] % group != 0 || out[1] % group != 0 || in[0] != out[0]) {
            throw new IllegalArgumentException(source + " to " + target + " in " + group + " groups");
        }
        if (out[2] != extent(in[2], window, true) || out[3] != extent(in[3], window, false)) {
            throw new IllegalArgumentException(source + " to " + target + " by " + window);
        }
        if (residual != null) {
            requireImage(residual);
            if (!Arrays.equals(residual.dims(), out)) {
                throw new IllegalArgumentException("a residual " + residual + " for " + target);
            }
        }
        long weightsEach = (long) (in[1] / group) * window.kernelHeight() * window.kernelWidth();
        if (weights != null && weights.elements() != Math.multiplyExact(weightsEach, (long) out[1])) {
            throw new IllegalArgumentException(weights + " as weights of " + source + " to " + target);
        }
        if (bias != null && bias.elements() != out[1]) {
            throw new IllegalArgumentException(bias + " as bias of " + target);
        }
    }

    private static long extent(long size, Window window, boolean rows) {
        long covered = rows ? window.effectiveHeight() : window.effectiveWidth();
        long pads = rows ? (long) window.padTop() + window.padBottom() : (long) window.padLeft() + window.padRight();
        return (size + pads - covered) / (rows ? window.strideHeight() : window.strideWidth()) + 1;
    }

    /** Requires batch, channels, rows and columns, the channels neighbours. */
    public static void requireImage(View view) {
        if (!view.channelsInnermost()) {
            throw new IllegalArgumentException(view + " is no image with the channels innermost");
        }
    }

    public int inChannels() {
        return source.dims()[1];
    }

    public int outChannels() {
        return target.dims()[1];
    }

    /** Multiply-accumulates of one run. */
    public long macs() {
        return target.elements() * (inChannels() / group) * window.kernelHeight() * window.kernelWidth();
    }

    /** Sets the sizes, strides and activation of a convolution's struct, of floats or of codes. */
    public Params.Writer describeTo(Params.Writer params) {
        int[] in = source.dims();
        int[] out = target.dims();
        return params.setImage("src", source)
                .setImage("dst", target)
                .set("batch", in[0])
                .set("channels", in[1])
                .set("height", in[2])
                .set("width", in[3])
                .set("out_channels", out[1])
                .set("out_height", out[2])
                .set("out_width", out[3])
                .set("groups", group)
                .set("kernel_height", window.kernelHeight())
                .set("kernel_width", window.kernelWidth())
                .set("stride_height", window.strideHeight())
                .set("stride_width", window.strideWidth())
                .set("pad_top", window.padTop())
                .set("pad_left", window.padLeft())
                .set("dilation_height", window.dilationHeight())
                .set("dilation_width", window.dilationWidth())
                .set("activation", activation.kind().ordinal())
                .setFloat("alpha", activation.alpha())
                .setFloat("beta", activation.beta());
    }

    /** Kernel, stride and channels for people: {@code "3x3s2 64->128 80x80"}. */
    public String describe() {
        return window.kernelHeight() + "x" + window.kernelWidth() + "s" + window.strideHeight() + " " + inChannels()
                + "->" + outChannels() + (group > 1 ? " g" + group : "") + " " + target.dims()[2] + "x"
                + target.dims()[3];
    }

    /** Whether a view lies as batch, rows, columns, channels without gaps. */
    public static boolean isDense(View view) {
        long[] s = view.strides();
        int[] d = view.dims();
        return s[1] == 1 && s[3] == d[1] && s[2] == (long) d[1] * d[3] && (d[0] == 1 || s[0] == s[2] * d[2]);
    }
}
