package dev.shrike.graph;

/**
 * The window of a two-dimensional convolution or pooling. Sizes in pixels, each between its least sensible value and
 * {@link #LARGEST}: whoever makes a window, from whatever file, gets an {@link IllegalArgumentException} otherwise.
 *
 * @param autoPad how padding follows from the input size; the pads count only for {@link AutoPad#EXPLICIT}
 */
public record Window(
        int kernelHeight,
        int kernelWidth,
        int strideHeight,
        int strideWidth,
        int padTop,
        int padLeft,
        int padBottom,
        int padRight,
        int dilationHeight,
        int dilationWidth,
        AutoPad autoPad) {
    /** ONNX {@code auto_pad}. */
    public enum AutoPad {
        EXPLICIT,
        SAME_UPPER,
        SAME_LOWER,
        VALID
    }

    /**
     * No sane network has a window, a stride or a padding of more pixels, and sums and products of a few of them with
     * an
     * image's size overflow neither here nor in the kernels.
     */
    public static final int LARGEST = 1 << 20;

    public Window {
        if (kernelHeight < 1 || kernelWidth < 1) {
            throw new IllegalArgumentException("kernel " + kernelHeight + "x" + kernelWidth + " is not positive");
        }
        if (strideHeight < 1 || strideWidth < 1) {
            throw new IllegalArgumentException("stride " + strideHeight + "x" + strideWidth + " is not positive");
        }
        if (dilationHeight < 1 || dilationWidth < 1) {
            throw new IllegalArgumentException("dilation " + dilationHeight + "x" + dilationWidth + " is not positive");
        }
        requireSmall("height", (kernelHeight - 1L) * dilationHeight + 1, kernelHeight, dilationHeight);
        requireSmall("width", (kernelWidth - 1L) * dilationWidth + 1, kernelWidth, dilationWidth);
        requireSmall("stride", strideHeight, strideWidth);
        if (padTop < 0 || padLeft < 0 || padBottom < 0 || padRight < 0) {
            throw new IllegalArgumentException("pads " + padTop + ", " + padLeft + ", " + padBottom + ", " + padRight
                    + " are negative");
        }
        requireSmall("padding", padTop, padLeft, padBottom, padRight);
    }

    private static void requireSmall(String what, long... sizes) {
        for (long size : sizes) {
            if (size > LARGEST) {
                throw new IllegalArgumentException("the window's " + what + " is " + size + ", which exceeds " + LARGEST
                        + " pixels");
            }
        }
    }

    /** A square window with the same padding on every side. */
    public static Window square(int kernel, int stride, int pad) {
        return new Window(kernel, kernel, stride, stride, pad, pad, pad, pad, 1, 1, AutoPad.EXPLICIT);
    }

    /** Rows from the first to the last one that the window covers. */
    public int effectiveHeight() {
        return (kernelHeight - 1) * dilationHeight + 1;
    }

    /** Columns from the first to the last one that the window covers. */
    public int effectiveWidth() {
        return (kernelWidth - 1) * dilationWidth + 1;
    }

    /** The same window with the padding that this input size calls for; the same object if padding is explicit. */
    public Window resolve(long height, long width) {
        if (autoPad == AutoPad.EXPLICIT) {
            return this;
        }
        int rows = autoPad == AutoPad.VALID ? 0 : total(height, strideHeight, effectiveHeight());
        int columns = autoPad == AutoPad.VALID ? 0 : total(width, strideWidth, effectiveWidth());
        int top = autoPad == AutoPad.SAME_LOWER ? rows - rows / 2 : rows / 2;
        int left = autoPad == AutoPad.SAME_LOWER ? columns - columns / 2 : columns / 2;
        return new Window(kernelHeight, kernelWidth, strideHeight, strideWidth, top, left, rows - top, columns - left,
                dilationHeight, dilationWidth, AutoPad.EXPLICIT);
    }

    private static int total(long size, int stride, int effective) {
        long out = Math.ceilDiv(size, (long) stride);
        return (int) Math.max(0, (out - 1) * stride + effective - size);
    }
}
