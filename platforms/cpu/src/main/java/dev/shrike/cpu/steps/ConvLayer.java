package dev.shrike.cpu.steps;

import dev.shrike.cpu.binding.View;
import dev.shrike.cpu.lowering.Epilogue;
import dev.shrike.cpu.lowering.QuantizedConv;
import java.util.Arrays;

/**
 * A convolution of a plan and what runs it.
 *
 * @param node name of the node
 * @param key all that decides how long it takes, see {@link #keyOf}; equal layers have equal keys
 * @param onCodes whether it works on codes
 * @param about kernel size, channels and image for people
 * @param kernel what runs it
 */
public record ConvLayer(String node, String key, boolean onCodes, String about, ConvKernel kernel) {
    /**
     * The key of a convolution of floats, such as {@code "f32 3x3 s2x2 p1,1,1,1 d1x1 g1 1x64x80x80/128>1x32x40x40 bias
     * SILU"}: the number after a slash is the pixel stride of a tensor that is a slice of a wider one.
     */
    public static String keyOf(ConvTask task) {
        return "f32 " + sizes(task) + (task.bias() == null ? "" : " bias") + " " + task.activation().kind();
    }

    /** The key of a convolution of codes. */
    public static String keyOf(ConvTask task, QuantizedConv codes) {
        boolean zeros = Arrays.stream(codes.weights().zero()).anyMatch(zero -> zero != 0);
        String weights = codes.weights().bipolar() ? "+-1" : String.valueOf(codes.weights().bits());
        return "w" + weights + "a" + codes.from().bits() + " " + sizes(task)
                + (codes.from().zero() == 0 ? "" : " source-zero") + (codes.dynamic() ? " measured" : "")
                + (zeros ? " weight-zeros" : "")
                + " " + result(task, codes);
    }

    private static String result(ConvTask task, QuantizedConv codes) {
        return switch (codes.epilogue()) {
            case Epilogue.Floats _ -> "floats " + task.activation().kind();
            case Epilogue.Activated _ -> "codes " + task.activation().kind();
            case Epilogue.Codes made -> made.table() == null ? "codes" : "table";
        };
    }

    /** The same layer run by another kernel. */
    public ConvLayer by(ConvKernel other) {
        return new ConvLayer(node, key, onCodes, about, other);
    }

    private static String sizes(ConvTask task) {
        var w = task.window();
        return w.kernelHeight() + "x" + w.kernelWidth() + " s" + w.strideHeight() + "x" + w.strideWidth() + " p"
                + w.padTop() + "," + w.padLeft() + "," + w.padBottom() + "," + w.padRight() + " d" + w.dilationHeight()
                + "x" + w.dilationWidth() + " g" + task.group() + " " + view(task.source()) + ">" + view(task.target())
                + (task.residual() == null ? "" : " residual" + slice(task.residual()));
    }

    private static String view(View view) {
        int[] d = view.dims();
        return d[0] + "x" + d[1] + "x" + d[2] + "x" + d[3] + slice(view);
    }

    private static String slice(View view) {
        return ConvTask.isDense(view) ? "" : "/" + view.strides()[3];
    }
}
