package dev.shrike.vision;

import dev.shrike.Frame;
import dev.shrike.PixelFormat;
import java.lang.foreign.MemorySegment;
import org.bytedeco.opencv.opencv_core.Mat;

/** Frames over matrices of OpenCV. Nothing else in the public API knows OpenCV's types. */
public final class MatFrames {
    /** {@code CV_8UC1} and {@code CV_8UC3}, which JavaCPP has as variables. */
    private static final int BYTES = 0;
    private static final int BYTES_OF_3 = 16;

    private MatFrames() {}

    /**
     * A frame over the pixels of the matrix, which stays the caller's: it must not be released, and its data must stay
     * where they are, while anybody reads the frame. Nothing is copied, rows may be padded.
     *
     * @param mat {@code CV_8UC3}, taken for BGR as OpenCV's own functions do, or {@code CV_8UC1}, taken for grey
     * @throws IllegalArgumentException if the matrix is empty or of another type
     */
    public static Frame of(Mat mat) {
        return switch (mat.type()) {
            case BYTES_OF_3 -> of(mat, PixelFormat.BGR, mat.cols(), mat.rows());
            case BYTES -> of(mat, PixelFormat.GREY, mat.cols(), mat.rows());
            default -> throw new IllegalArgumentException("a matrix of depth " + mat.depth() + " and " + mat.channels()
                    + " channels is neither 8-bit BGR nor grey: convert it, or name its format");
        };
    }

    /**
     * As {@link #of(Mat)} for bytes of any format, such as YUYV in a {@code CV_8UC2} matrix or NV12 in a {@code CV_8UC1}
     * one of 3/2 of the height.
     *
     * @param width width of the frame in pixels
     * @param height height of the frame in pixels
     */
    public static Frame of(Mat mat, PixelFormat format, int width, int height) {
        if (mat.empty() || mat.dims() != 2 || mat.depth() != BYTES) {
            throw new IllegalArgumentException("a frame needs a matrix of bytes in rows and columns that is not empty");
        }
        long stride = mat.step(0);
        long bytes = stride * (mat.rows() - 1L) + mat.cols() * mat.elemSize();
        MemorySegment pixels = MemorySegment.ofAddress(mat.data().address()).reinterpret(bytes);
        return new Frame(format, width, height, Math.toIntExact(stride), pixels, "");
    }
}
